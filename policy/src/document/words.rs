//! Readers of the small words that policies are made of.

use std::time::Duration;

use super::variable::{Found, bytes_or_unset, is_variable, variable};
use super::{Node, Tree, quoted};
use crate::origin::Origin;

/// A name that may stand in metrics, logs and filter state: letters, digits, `_` and `-`.
pub(crate) fn name(node: &Node<'_>) -> Option<String> {
    let text = node.string()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    match begins && text.len() <= 64 && text.chars().all(fits) {
        true => Some(text.to_owned()),
        false => node.wrong(
            "a name begins with a letter or digit and has letters, digits, _ and - alone, 64 at most",
        ),
    }
}

/// A string, literal or from a variable, that says something.
pub(crate) fn text(node: &Node<'_>) -> Option<String> {
    match data(node, false)? {
        Some(data) => into_text(node, data),
        None => None,
    }
}

/// The bytes of a secret. The inner `None`: the variable is optional and unset.
pub(crate) fn bytes(node: &Node<'_>) -> Option<Option<Vec<u8>>> {
    data(node, true)
}

fn data(node: &Node<'_>, may_be_unset: bool) -> Option<Option<Vec<u8>>> {
    match bytes_or_unset(node, may_be_unset)? {
        Found::Unset => Some(None),
        Found::Value(data) if data.is_empty() => node.wrong("this is empty"),
        Found::Value(data) => Some(Some(data)),
    }
}

/// An item of [`texts`] as a message may repeat it: nothing of what a variable holds, which may be a
/// secret in the wrong place.
pub(crate) fn shown(node: &Node<'_>, item: &str) -> String {
    let is_variable = |tree: &Tree| tree.get("env").is_some();
    let from_variable = match node.tree() {
        Tree::List(items) => items.iter().any(is_variable),
        tree => is_variable(tree),
    };
    if from_variable { "a value of this variable".to_owned() } else { quoted(item) }
}

fn into_text(node: &Node<'_>, data: Vec<u8>) -> Option<String> {
    String::from_utf8(data).ok().or_else(|| node.wrong("this is not UTF-8"))
}

/// A list of strings: written out, each of them perhaps a variable, or one variable with commas.
pub(crate) fn texts(node: &Node<'_>) -> Option<Vec<String>> {
    match node.tree() {
        Tree::Map(_) if is_variable(node) => {
            let Found::Value(data) = variable(&node.section()?, false)? else { return None };
            let list = into_text(node, data)?;
            let items: Vec<&str> = list.split(',').map(str::trim).collect();
            match items.contains(&"") {
                true => node.wrong("an item between the commas of this variable is empty"),
                false => Some(items.into_iter().map(str::to_owned).collect()),
            }
        }
        Tree::List(_) => node.each(text),
        _ => node.expected("a list of strings, or { env: NAME } with commas between them"),
    }
}

/// A span of time from `least` to `most`, such as `30s`, `5m`, `24h`, `7days`.
pub(crate) fn duration(node: &Node<'_>, least: Duration, most: Duration) -> Option<Duration> {
    let Tree::Text(text) = node.tree() else {
        return node.expected("a span of time such as \"30s\", \"5m\" or \"24h\"");
    };
    match humantime::parse_duration(text) {
        Ok(span) if span.subsec_nanos() != 0 => node.wrong("whole seconds only"),
        Ok(span) if (least..=most).contains(&span) => Some(span),
        Ok(_) => node.wrong(format!(
            "from {} to {}",
            humantime::format_duration(least),
            humantime::format_duration(most)
        )),
        Err(_) => node.wrong("expected a span of time such as \"30s\", \"5m\" or \"24h\""),
    }
}

/// A header's name as HTTP/2 writes it: a lower-case token (RFC 9110 §5.6.2).
pub(crate) fn header_name(node: &Node<'_>, given: &str) -> Option<String> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if given.is_empty() || !given.chars().all(token) {
        return node
            .wrong("this is no header name: a token of letters, digits and - is (RFC 9110)");
    }
    let name = given.to_ascii_lowercase();
    match OF_THE_PROXY.contains(&name.as_str()) {
        true => node.wrong(format!("{name} belongs to the proxy and to the connection")),
        false => Some(name),
    }
}

/// Names that frame or route the message: a policy that set them would break or redirect it.
const OF_THE_PROXY: [&str; 12] = [
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
];

/// A header's value: visible ASCII with single spaces inside (RFC 9110 §5.5 without obs-text).
pub(crate) fn header_value(node: &Node<'_>) -> Option<String> {
    let value = text(node)?;
    match is_header_value(&value) {
        true => Some(value),
        false => node.wrong("a header's value is printable ASCII without spaces at its ends"),
    }
}

/// Whether every receiver would read this value as it was sent.
pub(crate) fn is_header_value(value: &str) -> bool {
    let printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    !value.is_empty() && value.bytes().all(printable) && value.trim() == value
}

/// `https://iahome.fr`, with a port where it has one. Plain http is for localhost alone.
pub(crate) fn origin(node: &Node<'_>) -> Option<Origin> {
    let given = text(node)?;
    match Origin::parse(given.as_bytes()) {
        Some(origin) if origin.is_secure() || origin.is_local() => Some(origin),
        Some(_) => node.wrong("an origin is https; plain http is for localhost alone"),
        None => node.wrong(
            "an origin is a scheme and a host, such as \"https://iahome.fr\": no path, no wildcard, no slash at the end",
        ),
    }
}
