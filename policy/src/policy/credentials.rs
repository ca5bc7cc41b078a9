//! `credentials`: where a module's tokens stand.

use super::Context;
use crate::document::{Node, Tree, header_name};
use crate::request::OFFERED;
use crate::token::looks_like_a_token;

/// The places where a module looks for tokens; a place that is switched off is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) query: Option<String>,
    pub(crate) header: Option<HeaderPlace>,
    pub(crate) cookie: Option<CookieName>,
    /// The word that announces a token among a websocket's subprotocols.
    pub(crate) subprotocol: Option<String>,
}

/// A header that carries a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeaderPlace {
    pub(crate) name: String,
}

/// The name of a cookie, and of its partitioned twin: after a change from one kind to the other the
/// browser sends both (docs/browsers.md), so they need two names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CookieName {
    pub(crate) plain: String,
    pub(crate) partitioned: String,
}

impl HeaderPlace {
    pub(crate) fn bearer() -> Self {
        Self { name: "authorization".to_owned() }
    }

    /// Whether the value carries a scheme in front of the credential.
    pub(crate) fn is_bearer(&self) -> bool {
        self.name == "authorization"
    }

    /// Whether the value is several that a proxy joined (RFC 9110 §5.3), as Envoy does with a repeated
    /// Authorization: no Bearer credential and no token holds a comma.
    pub(crate) fn is_joined(&self, value: &[u8]) -> bool {
        self.credential(value).is_some_and(|credential| credential.contains(&b','))
    }

    /// The credential in a header's value. In Authorization only the Bearer scheme is ours (RFC 6750
    /// §2.1, compared without case): others belong to the app.
    pub(crate) fn credential<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        let value = value.trim_ascii();
        let credential = match (self.is_bearer(), value.split_at_checked(7)) {
            (false, _) => value,
            (true, Some((scheme, rest))) if scheme.eq_ignore_ascii_case(b"bearer ") => {
                rest.trim_ascii()
            }
            (true, _) => return None,
        };
        (!credential.is_empty()).then_some(credential)
    }
}

impl HeaderPlace {
    /// The token in a header's value: behind Bearer, what is not three parts between dots is an API key.
    pub(crate) fn token<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        self.credential(value).filter(|token| !self.is_bearer() || looks_like_a_token(token))
    }
}

impl CookieName {
    fn new(plain: String) -> Self {
        Self { partitioned: format!("{plain}-p"), plain }
    }

    /// Whether a browser would hold a cookie of both under one name.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self == other || self.plain == other.partitioned || self.partitioned == other.plain
    }
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            query: Some("token".to_owned()),
            header: Some(HeaderPlace::bearer()),
            cookie: Some(CookieName::new("__Host-vigile".to_owned())),
            subprotocol: None,
        }
    }
}

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
        OFFERED => node.wrong(
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
        false => node.wrong("the name of a parameter has letters, digits, -, . and _ alone"),
    }
}

/// A subprotocol's name (RFC 6455 §4.1): a token of RFC 9110 §5.6.2.
fn subprotocol(node: &Node<'_>) -> Option<String> {
    let name = node.string()?;
    match is_token(name) {
        true => Some(name.to_owned()),
        false => node.wrong(
            "a subprotocol's name has letters, digits, -, . and _ alone, 128 at most (RFC 6455 §4.1)",
        ),
    }
}

/// The name of a cookie (RFC 6265 §4.1.1).
pub(super) fn cookie(node: &Node<'_>) -> Option<CookieName> {
    let name = node.string()?;
    match is_token(name) {
        true => Some(CookieName::new(name.to_owned())),
        false => {
            node.wrong("a cookie's name has letters, digits, - and _ alone, 128 at most (RFC 6265)")
        }
    }
}

/// A token of RFC 9110 §5.6.2 of a length that somebody could mean.
fn is_token(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.len() <= 128 && name.chars().all(fits)
}
