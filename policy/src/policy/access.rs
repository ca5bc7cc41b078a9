//! What a route asks for: `public`, `status`, `logout`, `token`, `api_key`, `addresses`, `any_of`.

use std::sync::Arc;

use vigile_core::Names;
use vigile_core::policy::{Access, ApiKey, Need, TokenNeed, Value};

use super::{Context, Named, address, credentials};
use crate::document::{Node, Section, Tree, did_you_mean, quoted, texts, words};

/// Reads what a route asks for.
pub(super) fn read(section: &Section<'_>, context: &Context<'_>) -> Option<Access> {
    let public = section.optional("public", Node::only_true);
    let status = section.optional("status", Node::only_true);
    let logout = section.optional("logout", Node::only_true);
    let every = need(section, context);
    let any_of = section.or("any_of", Vec::new(), |node| alternatives(node, context));
    let (public, status, logout) = (public?.is_some(), status?.is_some(), logout?.is_some());
    let asks = ["token", "api_key", "addresses", "any_of"].iter().any(|key| section.has(key));
    let node = section.node();
    if logout {
        return match public || status || asks {
            true => node.wrong("whoever has a session may end it: beside logout, drop what is asked for, public and status"),
            false => Some(Access::Logout),
        };
    }
    match (public, status, asks) {
        (true, false, false) => Some(Access::Public),
        (true, true, _) => {
            node.wrong("public and status exclude each other: status is public by itself")
        }
        (true, false, true) => {
            node.wrong("a public route asks for nothing: drop public, or what it asks for")
        }
        (false, false, false) => section.lacks(
            &["public", "status", "logout", "token", "api_key", "addresses", "any_of"],
            "a route says who may come in: public, status, logout, token, api_key, addresses or any_of",
        ),
        (false, true, false) => Some(Access::Status(Vec::new())),
        (false, true, true) if every.as_ref().is_some_and(Need::takes_nobody) => node.wrong(
            "status tells more to a proven caller, and optional would prove nobody: drop it",
        ),
        (false, true, true) => combine(node, every?, any_of?).map(Access::Status),
        (false, false, true) => combine(node, every?, any_of?).map(Access::Guarded),
    }
}

/// Whether a route, as it is written, asks nobody for anything: it is public, or its token is optional and
/// nothing else is required.
pub(super) fn lets_anybody_in(route: &Tree) -> bool {
    let optional = route.get("token").is_some_and(|token| token.get("optional").is_some());
    let more = ["api_key", "any_of"].iter().any(|key| route.get(key).is_some());
    let addresses = route.get("addresses");
    let listed = addresses.is_some_and(|addresses| !address::denies_alone(addresses));
    let denied = addresses.is_some() && route.get("token").is_none();
    route.get("public").is_some() || ((optional || denied) && !more && !listed)
}

/// All that a route names is required, beside one of its alternatives.
fn combine(node: &Node<'_>, every: Need, any_of: Vec<Need>) -> Option<Vec<Need>> {
    if any_of.is_empty() {
        return Some(vec![every]);
    }
    let both = |alternative: Need| match (&every.token, &alternative.token) {
        (Some(_), Some(_)) => node.wrong("token stands both on the route and in any_of: keep one"),
        _ if !every.api_keys.is_empty() && !alternative.api_keys.is_empty() => {
            node.wrong("api_key stands both on the route and in any_of: keep one")
        }
        _ => Some(Need {
            addresses: every.addresses.iter().cloned().chain(alternative.addresses).collect(),
            api_keys: every.api_keys.iter().cloned().chain(alternative.api_keys).collect(),
            key_roles: every.key_roles.iter().cloned().chain(alternative.key_roles).collect(),
            token: every.token.clone().or(alternative.token),
        }),
    };
    any_of.into_iter().map(both).collect()
}

fn alternatives(node: &Node<'_>, context: &Context<'_>) -> Option<Vec<Need>> {
    let all = node.each("[{ token: { issuer: … } }, { api_key: […] }]", |node| {
        let section = node.section("{ token: { issuer: … } }")?;
        let need = need(&section, context)?;
        if need.token.as_ref().is_some_and(|token| token.optional) {
            return node.wrong("everybody could come in by this alternative: write optional on the route's own token, without any_of");
        }
        let others = section.has("token") || section.has("api_key");
        if !others && section.peek("addresses").is_some_and(address::denies_alone) {
            return node.wrong("almost everybody could come in by this alternative: name the addresses that may (allow), or write deny on the route itself");
        }
        match need == Need::default() {
            true => section.lacks(
                &["token", "api_key", "addresses"],
                "an alternative asks for something: token, api_key or addresses",
            ),
            false => Some(need),
        }
    })?;
    match all.len() {
        1 => node.wrong("a single alternative is none: write what it asks for on the route itself"),
        _ => Some(all),
    }
}

fn need(section: &Section<'_>, context: &Context<'_>) -> Option<Need> {
    let token = section.optional("token", |node| token(node, context));
    let keys = section.or("api_key", Keys::default(), |node| api_keys(node, context));
    let addresses = section.optional("addresses", |node| match context.host.peer_address {
        true => address::read(node),
        false => node
            .wrong("this host does not know the caller's address: let the proxy itself check it"),
    });
    let (token, keys, addresses) = (token?, keys?, addresses?.into_iter().collect());
    Some(Need { token, api_keys: keys.any_of, key_roles: keys.roles, addresses })
}

/// The API keys of a route, and the roles of which they must have one.
#[derive(Default)]
struct Keys {
    any_of: Vec<Arc<ApiKey>>,
    roles: Vec<String>,
}

/// Names of keys, or roles of which a key must have one: then any key of the policy is looked for.
fn api_keys(node: &Node<'_>, context: &Context<'_>) -> Option<Keys> {
    let keys = match node.tree() {
        Tree::Map(_) => {
            let section = node.section("{ roles: [writer] }")?;
            let roles = section.required("roles", |node| key_roles(node, context))?;
            // Without the variables' values a key is not known yet, and neither is who could come in.
            let all = context.api_keys.as_ref()?.iter().map(|(_, key)| key.clone());
            Keys { any_of: all.collect::<Option<Vec<_>>>()?, roles }
        }
        _ => {
            let name = |node: &Node<'_>| reference(node, "API key", context.api_keys.as_ref());
            Keys { any_of: node.each("[NAME]", name)?, roles: Vec::new() }
        }
    };
    let fits = |key: &ApiKey| keys.roles.is_empty() || key.has_any(&keys.roles);
    match keys.any_of.iter().any(|key| key.is_set() && fits(key)) {
        true => Some(keys),
        false => node.wrong("the variables of all these keys are unset: nobody could come in"),
    }
}

/// Roles, each of which some key has.
fn key_roles(node: &Node<'_>, context: &Context<'_>) -> Option<Vec<String>> {
    let keys = context.api_keys.as_ref();
    let known = keys.into_iter().flatten().filter_map(|(_, key)| key.as_ref());
    let known: Names = known.flat_map(|key| &key.roles).map(String::as_str).collect();
    // A key that is wrong itself may have the role.
    let all_read = keys.is_some_and(|keys| keys.iter().all(|(_, key)| key.is_some()));
    words(node, |node, word| match known.get(&word.text).is_some() || !all_read {
        true => Some(word.text.clone()),
        false => {
            let known: Vec<&str> = known.names().collect();
            let hint = did_you_mean(&word.text, &known);
            node.wrong(format!("no API key has the role {}{hint}", word.shown()))
        }
    })
}

/// What is named here; nothing, in silence, where its own section is wrong.
fn reference<T>(node: &Node<'_>, what: &str, known: Option<&Named<'_, T>>) -> Option<Arc<T>> {
    let given = node.string()?;
    let known = known?;
    match known.iter().find(|(name, _)| *name == given) {
        Some((_, meant)) => meant.clone(),
        // One of them has no readable name: this may be it.
        None if known.iter().any(|(name, _)| name.is_empty()) => None,
        None => {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let hint = did_you_mean(given, &names);
            node.wrong(format!("no {what} is named {}{hint}", quoted(given)))
        }
    }
}

fn token(node: &Node<'_>, context: &Context<'_>) -> Option<TokenNeed> {
    let section = node.section("{ issuer: … }")?;
    let issuer =
        section.required("issuer", |node| reference(node, "issuer", context.issuers.as_ref()));
    let claims = section.or("claims", Vec::new(), claims);
    let roles = section.or("roles", Vec::new(), texts);
    let cookie = section.optional("cookie", credentials::cookie);
    let optional = section.optional("optional", Node::only_true).map(|said| said.is_some());
    let asks = ["roles", "claims"].iter().any(|key| section.has(key));
    if asks && section.has("optional") {
        return section.node().wrong("roles and claims cannot be asked of somebody who brings no token: drop optional, or them");
    }
    let (claims, roles) = (claims?, roles?);
    Some(TokenNeed { issuer: issuer?, claims, roles, cookie: cookie?, optional: optional? })
}

fn claims(node: &Node<'_>) -> Option<Vec<(String, Vec<Value>)>> {
    node.each_entry("{ plan: [pro, team] }", |name, node| match name {
        "iss" | "aud" | "exp" | "nbf" | "iat" => {
            node.wrong(format!("{name} is judged by what the issuer's own section says"))
        }
        _ => values(node).map(|values| (name.to_owned(), values)),
    })
}

fn values(node: &Node<'_>) -> Option<Vec<Value>> {
    match node.tree() {
        Tree::List(_) => node.each("[pro, team]", value),
        _ => value(node).map(|value| vec![value]),
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the range is checked first")]
fn value(node: &Node<'_>) -> Option<Value> {
    /// 2⁵³, up to which a double holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match node.tree() {
        Tree::Flag(flag) => Some(Value::Flag(*flag)),
        Tree::Number(number) if number.fract() == 0.0 && number.abs() < EXACT => {
            Some(Value::Whole(*number as i64))
        }
        Tree::Number(_) => node.wrong("only whole numbers up to 2^53 can be compared"),
        Tree::Null => node.expected("a string, a whole number, true or false, or a list of them"),
        _ => crate::document::text(node).map(Value::Text),
    }
}

/// Whether a route asks for a token, by what stands there: known without the secrets too.
pub(super) fn takes_a_token(route: &Tree) -> bool {
    asks_for(route, "token")
}

/// The same for an API key.
pub(super) fn takes_a_key(route: &Tree) -> bool {
    asks_for(route, "api_key")
}

fn asks_for(route: &Tree, key: &str) -> bool {
    let in_any_of = |tree: &Tree| match tree {
        Tree::List(items) => items.iter().any(|item| item.get(key).is_some()),
        _ => false,
    };
    route.get(key).is_some() || route.get("any_of").is_some_and(in_any_of)
}
