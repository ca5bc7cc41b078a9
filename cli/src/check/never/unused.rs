//! Sections that nothing refers to: keys that open nothing, issuers whose tokens nobody takes, places of tokens in
//! modules without any.

use std::collections::BTreeSet;

use vigile_policy::Tree;

use super::Finding;
use crate::config::Node;
use crate::policy::{Policy, asks, routes};

pub(super) fn find(policy: &Policy<'_>) -> Vec<Finding> {
    let (root, routes) = (policy.root(), policy.routes());
    let asked =
        |key: &str| -> Vec<Node<'_>> { routes.iter().flat_map(|route| asks(route, key)).collect() };
    let list = |key: &str| -> Vec<Node<'_>> {
        root.get(key).map(|list| list.items().collect()).unwrap_or_default()
    };
    let (tokens, keys) = (asked("token"), asked("api_key"));
    let issuers = texts(tokens.iter().filter_map(|token| token.get("issuer")));
    let names = texts(keys.iter().flat_map(Node::items));
    let roles = keys.iter().filter_map(|keys| keys.get("roles"));
    let roles = texts(roles.flat_map(|roles| items(&roles)));
    let has_role = |key: &Node<'_>| {
        let own = key.get("roles").map(|own| texts(items(&own)));
        own.is_some_and(|own| !own.is_disjoint(&roles))
    };
    let unread = unnamed(&list("issuers"), &issuers);
    let closed = unnamed(&list("api_keys"), &names).into_iter().filter(|key| !has_role(key));
    let unread = unread.iter().map(|one| Finding::warning(one, NO_TOKENS));
    let closed = closed.map(|key| Finding::warning(&key, OPENS_NOTHING));
    let algorithms = list("issuers").into_iter().flat_map(|issuer| without_key(&issuer));
    let modules = policy.modules().into_iter().flat_map(|module| of_module(&module));
    unread.chain(closed).chain(algorithms).chain(modules).collect()
}

/// The sections whose name stands nowhere.
fn unnamed<'p>(sections: &[Node<'p>], named: &BTreeSet<String>) -> Vec<Node<'p>> {
    let name = |section: &Node<'p>| section.get("name").and_then(|name| name.text());
    let is_unnamed = |section: &&Node<'p>| name(section).is_some_and(|name| !named.contains(name));
    sections.iter().filter(is_unnamed).cloned().collect()
}

const NO_TOKENS: &str =
    "no route takes tokens of this issuer: name it in a route's token, or leave it out";
const OPENS_NOTHING: &str =
    "no route takes this key, so it opens nothing: name it in a route's api_key, or leave it out";

fn texts<'p>(nodes: impl IntoIterator<Item = Node<'p>>) -> BTreeSet<String> {
    nodes.into_iter().filter_map(|node| node.text().map(str::to_owned)).collect()
}

fn items<'p>(node: &Node<'p>) -> Vec<Node<'p>> {
    std::iter::once(node.clone()).chain(node.items()).collect()
}

/// Algorithms of an issuer that none of its keys can serve: a secret is for HS alone, and a public key for the others.
/// A JWK may be either.
fn without_key(issuer: &Node<'_>) -> Vec<Finding> {
    let keys = issuer.get("keys").map(|keys| keys.items().collect::<Vec<_>>()).unwrap_or_default();
    let are_all = |kind: &str| !keys.is_empty() && keys.iter().all(|key| key.get(kind).is_some());
    let algorithms = issuer.get("algorithms");
    let unserved = algorithms.iter().flat_map(Node::items).filter(|algorithm| {
        let is_shared = algorithm.text().is_some_and(|name| name.starts_with("HS"));
        are_all(if is_shared { "public_key" } else { "secret" })
    });
    unserved.map(|algorithm| Finding::warning(&algorithm, NO_KEY)).collect()
}

const NO_KEY: &str = "none of the issuer's keys is of this kind (HS takes a secret, the others a public key): such a token is never genuine. Leave it out, or add the key";

fn of_module(module: &Node<'_>) -> Vec<Finding> {
    let routes = routes(module);
    let takes = routes.iter().any(|route| !asks(route, "token").is_empty());
    let credentials = module.get("credentials");
    let unread = credentials.clone().filter(|_| !takes);
    let unread = unread.map(|node| Finding::warning(&node, NO_PLACES));
    let no_cookie = credentials
        .and_then(|places| places.get("cookie"))
        .is_some_and(|cookie| cookie.yaml().tree() == Tree::Flag(false));
    let origins = routes.iter().filter(|route| {
        let own = asks(route, "token").iter().any(|token| token.get("cookie").is_some());
        no_cookie && !own
    });
    let origins = origins.filter_map(|route| route.get("origins"));
    unread.into_iter().chain(origins.map(|node| Finding::warning(&node, NO_COOKIE))).collect()
}

const NO_PLACES: &str = "these are places of tokens, and no route of this module takes one: leave the section out (where API keys stand is said in api_keys)";
const NO_COOKIE: &str = "this says which sites may call with the visitor's cookie, and the module takes none (credentials.cookie: false): leave it out";
