//! `credentials`: where a module's tokens stand.

use vigile_core::policy::{CookieName, Credentials, HeaderPlace};

use super::Context;
use crate::document::{Node, Tree, header_name, quoted};

/// Reads the section; `false` switches a place off.
pub(super) fn read(node: &Node<'_>, context: &Context<'_>) -> Option<Credentials> {
    let section = node.section("{ query: token, cookie: false }")?;
    let default = Credentials::default();
    let query = section.or("query", default.query, |node| or_off(node, parameter));
    let header = section.or("header", default.header, |node| or_off(node, header_place));
    let cookie = section.or("cookie", default.cookie, |node| or_off(node, cookie));
    let subprotocol = section.or("subprotocol", default.subprotocol, |node| {
        or_off(node, |node| match context.host.passes_websockets {
            true => subprotocol(node),
            false => node.wrong("this host passes no websocket on: no token could come so"),
        })
    });
    let credentials =
        Credentials { query: query?, header: header?, cookie: cookie?, subprotocol: subprotocol? };
    match credentials {
        Credentials { query: None, header: None, cookie: None, subprotocol: None } => {
            node.wrong("every place is switched off: no token could ever come")
        }
        credentials => Some(credentials),
    }
}

fn or_off<'t, T>(node: &Node<'t>, read: impl FnOnce(&Node<'t>) -> Option<T>) -> Option<Option<T>> {
    match node.tree() {
        Tree::Flag(false) => Some(None),
        Tree::Flag(true) => {
            node.wrong("true names no place: write its name, or false to switch it off")
        }
        Tree::Null => node
            .wrong("null says nothing: write false to switch this place off, or leave the key out"),
        _ => read(node).map(Some),
    }
}

pub(super) fn header_place(node: &Node<'_>) -> Option<HeaderPlace> {
    let name = header_name(node, node.string()?)?;
    match name.as_str() {
        "cookie" => node.wrong("cookies have a place of their own: credentials.cookie"),
        "sec-websocket-protocol" => node.wrong(
            "subprotocols have a place of their own: credentials.subprotocol, and a websocket alone",
        ),
        "x-request-id" => {
            node.wrong("x-request-id is written to logs, where no credential may stand")
        }
        _ => Some(HeaderPlace { name }),
    }
}

/// The name of a query parameter that no form encoding changes.
fn parameter(node: &Node<'_>) -> Option<String> {
    let name = node.string()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    match !name.is_empty() && name.chars().all(plain) {
        true => Some(name.to_owned()),
        false => node.wrong(format!(
            "{} is no name of a parameter: it has letters, digits, -, . and _ alone",
            quoted(name)
        )),
    }
}

/// A subprotocol's name (RFC 6455 §4.1): a token of RFC 9110 §5.6.2.
fn subprotocol(node: &Node<'_>) -> Option<String> {
    let name = node.string()?;
    match is_token(name) {
        true => Some(name.to_owned()),
        false => node.wrong(format!(
            "{} is no subprotocol: its name has letters, digits, -, . and _ alone, 128 at most (RFC 6455 §4.1)",
            quoted(name)
        )),
    }
}

/// The name of a cookie (RFC 6265 §4.1.1).
pub(super) fn cookie(node: &Node<'_>) -> Option<CookieName> {
    let name = node.string()?;
    match is_token(name) {
        true => Some(CookieName::new(name.to_owned())),
        false => node.wrong(format!(
            "{} is no name of a cookie: it has letters, digits, - and _ alone, 128 at most (RFC 6265)",
            quoted(name)
        )),
    }
}

/// A token of RFC 9110 §5.6.2 of a length that somebody could mean.
fn is_token(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.len() <= 128 && name.chars().all(fits)
}
