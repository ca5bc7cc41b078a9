//! What a route asks for: `public`, `status`, `logout`, `token`, `api_key`, `addresses`, `any_of`.

use std::sync::Arc;

use vigile_core::policy::{Access, ApiKey, Need, TokenNeed, Value};

use super::{Context, Named, address, credentials};
use crate::document::{Node, Section, Tree, did_you_mean, quoted, texts};

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
    let more = ["api_key", "addresses", "any_of"].iter().any(|key| route.get(key).is_some());
    route.get("public").is_some() || (optional && !more)
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
    let api_keys = section.or("api_key", Vec::new(), |node| api_keys(node, context));
    let addresses = section.optional("addresses", |node| match context.host.peer_address {
        true => address::read(node),
        false => node
            .wrong("this host does not know the caller's address: let the proxy itself check it"),
    });
    Some(Need { token: token?, api_keys: api_keys?, addresses: addresses?.into_iter().collect() })
}

fn api_keys(node: &Node<'_>, context: &Context<'_>) -> Option<Vec<Arc<ApiKey>>> {
    let keys = node.each("[NAME]", |node| reference(node, "API key", context.api_keys.as_ref()))?;
    match keys.iter().any(|key| key.is_set()) {
        true => Some(keys),
        false => node.wrong("the variables of all these keys are unset: nobody could come in"),
    }
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
    let in_any_of = |tree: &Tree| match tree {
        Tree::List(items) => items.iter().any(|item| item.get("token").is_some()),
        _ => false,
    };
    route.get("token").is_some() || route.get("any_of").is_some_and(in_any_of)
}
