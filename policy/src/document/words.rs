//! Readers of the small words that policies are made of.

use std::time::Duration;

use vigile_core::policy::is_header_value;
use vigile_core::{Origin, UnixTime};

use super::variable::{Found, bytes_or_unset, is_variable, variable};
use super::{Node, Tree, all, quoted};

/// A time in UTC (RFC 3339).
pub(crate) fn time(node: &Node<'_>) -> Option<UnixTime> {
    let Tree::Text(time) = node.tree() else {
        return node.expected("a time in UTC, such as 2026-01-01T00:00:00Z");
    };
    UnixTime::parse(time)
        .or_else(|| node.wrong("expected a time in UTC, such as 2026-01-01T00:00:00Z"))
}

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

/// The same; the inner `None`: the variable is optional and unset.
pub(crate) fn text_or_unset(node: &Node<'_>) -> Option<Option<String>> {
    match data(node, true)? {
        Some(data) => into_text(node, data).map(Some),
        None => Some(None),
    }
}

/// The bytes of a secret. The inner `None`: the variable is optional and unset.
pub(crate) fn bytes(node: &Node<'_>) -> Option<Option<Vec<u8>>> {
    data(node, true)
}

fn data(node: &Node<'_>, may_be_unset: bool) -> Option<Option<Vec<u8>>> {
    match bytes_or_unset(node, may_be_unset)? {
        Found::Unset => Some(None),
        Found::Value(data) if data.is_empty() => node.wrong("this is empty: write something in it"),
        Found::Value(data) => Some(Some(data)),
    }
}

fn into_text(node: &Node<'_>, data: Vec<u8>) -> Option<String> {
    String::from_utf8(data).ok().or_else(|| node.wrong("this is not UTF-8"))
}

/// One item of a list of strings, and whether a message may repeat it.
pub(crate) struct Word {
    pub(crate) text: String,
    from_variable: bool,
}

impl Word {
    /// The item as a message may show it: what a variable holds is nobody's to see.
    pub(crate) fn shown(&self) -> String {
        match self.from_variable {
            true => "an item of this variable".to_owned(),
            false => quoted(&self.text),
        }
    }
}

/// A list of strings, each read by `read`: written out, each of them perhaps a variable, or one variable
/// with commas.
pub(crate) fn words<'t, T>(
    node: &Node<'t>,
    read: impl Fn(&Node<'t>, &Word) -> Option<T>,
) -> Option<Vec<T>> {
    match node.tree() {
        Tree::Map(_) if is_variable(node) => {
            let Found::Value(data) = variable(&node.section("{ env: NAME }")?, false)? else {
                return None;
            };
            let list = into_text(node, data)?;
            let items: Vec<&str> = list.split(',').map(str::trim).collect();
            if items.contains(&"") {
                return node.wrong("an item between the commas of this variable is empty");
            }
            let word = |item: &str| Word { text: item.to_owned(), from_variable: true };
            all(items.into_iter().map(|item| read(node, &word(item))))
        }
        Tree::List(_) => node.each("", |node| {
            let from_variable = is_variable(node);
            read(node, &Word { text: text(node)?, from_variable })
        }),
        _ => node.expected("a list of strings, or { env: NAME } of one with commas between them"),
    }
}

/// A list of strings.
pub(crate) fn texts(node: &Node<'_>) -> Option<Vec<String>> {
    words(node, |_, word| Some(word.text.clone()))
}

/// A span of time from `least` to `most`, such as `30s`, `5m`, `24h`, `7days`.
pub(crate) fn duration(node: &Node<'_>, least: Duration, most: Duration) -> Option<Duration> {
    let Tree::Text(text) = node.tree() else {
        return node.expected("a span of time such as \"30s\", \"5m\" or \"24h\"");
    };
    if text.contains('M') {
        return node.wrong("M stands for months: write m for minutes, or the span in days");
    }
    match humantime::parse_duration(text) {
        Ok(span) if span.subsec_nanos() != 0 => {
            node.wrong("expected whole seconds, such as \"30s\"")
        }
        Ok(span) if (least..=most).contains(&span) => Some(span),
        Ok(_) => node.wrong(format!(
            "expected a span of time from {} to {}",
            humantime::format_duration(least),
            humantime::format_duration(most)
        )),
        Err(_) => node.wrong("expected a span of time such as \"30s\", \"5m\" or \"24h\""),
    }
}

/// A header's name as HTTP/2 writes it: a lower-case token (RFC 9110 §5.6.2).
pub(crate) fn header_name(node: &Node<'_>, given: &str) -> Option<String> {
    let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if given.contains(':') {
        return node.wrong("a header's name has no colon: does a space lack behind it?");
    }
    if !given.chars().all(token) || !given.contains(|c: char| c.is_ascii_alphanumeric()) {
        return node.wrong("this is no header name: letters, digits and - are (RFC 9110 §5.1)");
    }
    let name = given.to_ascii_lowercase();
    // Folded, since whoever forwards `content_length` takes Content-Length away.
    let bare: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    match OF_THE_PROXY.contains(&bare.as_str()) {
        true => node.wrong(format!(
            "{name} belongs to the proxy and to the connection: no policy sets or reads it"
        )),
        false => Some(name),
    }
}

/// Names that frame or route the message, letters and digits alone: a policy that set them would break
/// or redirect it.
const OF_THE_PROXY: [&str; 15] = [
    "connection",
    "contentencoding",
    "contentlength",
    "expect",
    "host",
    "http2settings",
    "keepalive",
    "proxyauthenticate",
    "proxyauthorization",
    "proxyconnection",
    "te",
    "trailer",
    "transferencoding",
    "upgrade",
    "xforwardedfor",
];

/// A header's value: visible ASCII with single spaces inside (RFC 9110 §5.5 without obs-text).
pub(crate) fn header_value(node: &Node<'_>) -> Option<String> {
    let value = text(node)?;
    match is_header_value(&value) {
        true => Some(value),
        false => node
            .wrong("a header's value is printable ASCII, on one line, without spaces at its ends"),
    }
}

/// Origins, written out or in one variable.
pub(crate) fn origins(node: &Node<'_>) -> Option<Vec<Origin>> {
    words(node, |node, word| origin_of(node, &word.text))
}

/// `https://iahome.fr`, with a port where it has one. Plain http is for localhost alone.
pub(crate) fn origin(node: &Node<'_>) -> Option<Origin> {
    origin_of(node, &text(node)?)
}

pub(crate) fn origin_of(node: &Node<'_>, given: &str) -> Option<Origin> {
    match Origin::parse(given.as_bytes()) {
        Some(origin) if origin.is_secure() || origin.is_local() => Some(origin),
        Some(_) => node.wrong("an origin is https; plain http is for localhost alone"),
        None => node.wrong(
            "an origin is a scheme and a host, such as \"https://iahome.fr\": no path, no wildcard, no slash at the end",
        ),
    }
}
