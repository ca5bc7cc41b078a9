//! Readers of the small words that policies are made of.

use std::net::IpAddr;
use std::time::Duration;

use vigile_core::origin::APP_SCHEMES;
use vigile_core::policy::is_header_value;
use vigile_core::{Origin, UnixTime};

use super::variable::{Found, bytes_or_unset, is_variable, variable};
use super::{Node, Tree, all, ascii_host, quoted, span};

/// A time in UTC (RFC 3339).
pub(crate) fn time(node: &Node<'_>) -> Option<UnixTime> {
    let Tree::Text(time) = node.tree() else {
        return node.expected("a time in UTC, such as 2026-01-01T00:00:00Z");
    };
    UnixTime::parse(time).or_else(|| {
        node.wrong(format!("{} is no time in UTC, such as 2026-01-01T00:00:00Z", quoted(time)))
    })
}

/// A name that may stand in metrics, logs and filter state: letters, digits, `_` and `-`.
pub(crate) fn name(node: &Node<'_>) -> Option<String> {
    let text = node.string()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let begins = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    match begins && text.len() <= 64 && text.chars().all(fits) {
        true => Some(text.to_owned()),
        false => node.wrong(format!(
            "{} is no name: it begins with a letter or digit and has letters, digits, _ and - alone, 64 at most",
            quoted(text)
        )),
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

/// One item of a list of strings.
#[derive(Clone)]
pub(crate) struct Word {
    pub(crate) text: String,
    origin: WordOrigin,
}

/// The place of an item.
#[derive(Clone, Copy)]
enum WordOrigin {
    /// In the policy.
    Written,
    /// In a variable of its own.
    Variable,
    /// In a variable with commas between its items; its number, from 1.
    Item(usize),
}

impl Word {
    /// A single word, as if it were a list of one.
    pub(crate) fn of(node: &Node<'_>) -> Option<Self> {
        let origin = if is_variable(node) { WordOrigin::Variable } else { WordOrigin::Written };
        Some(Self { text: text(node)?, origin })
    }

    /// Tells that a message may repeat it, or what is made of it.
    pub(crate) fn may_be_shown(&self) -> bool {
        matches!(self.origin, WordOrigin::Written)
    }

    /// The item as a message may show it: what a variable holds is nobody's to see.
    pub(crate) fn shown(&self) -> String {
        match self.origin {
            WordOrigin::Written if is_address(&self.text) => format!("{:?}", self.text),
            WordOrigin::Written => quoted(&self.text),
            WordOrigin::Variable => "the value of this variable".to_owned(),
            WordOrigin::Item(number) => format!("item {number} of this variable"),
        }
    }
}

/// Tells that this is a scheme and a host and nothing else: no secret, however long. Behind the host may stand one.
fn is_address(text: &str) -> bool {
    let rest = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme));
    let in_host = |c: char| c.is_alphanumeric() || ".-_:*[]".contains(c);
    rest.is_some_and(|rest| rest.trim_end_matches('/').chars().all(in_host))
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
            let items = list.split(',').map(str::trim).enumerate();
            all(items.map(|(at, item)| {
                let number = at.saturating_add(1);
                match item {
                    "" => node.wrong(format!("item {number} of this variable is empty: take out the comma at its end, or one of two commas")),
                    item => read(node, &Word { text: item.to_owned(), origin: WordOrigin::Item(number) }),
                }
            }))
        }
        Tree::List(_) => node.each("", |node| read(node, &Word::of(node)?)),
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
    match span(text) {
        Ok(span) if (least..=most).contains(&span) => Some(span),
        Ok(_) => node.wrong(format!(
            "{text} is out of bounds: write a span of time from {} to {}",
            humantime::format_duration(least),
            humantime::format_duration(most)
        )),
        Err(problem) => node.wrong(problem),
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
    words(node, origin_of)
}

/// `https://iahome.fr`, with a port where it has one, of the web alone: a visitor is led there.
pub(crate) fn origin(node: &Node<'_>) -> Option<Origin> {
    let word = Word::of(node)?;
    match origin_of(node, &word)? {
        origin if origin.is_of_the_web() => Some(origin),
        _ => node.wrong(format!(
            "{} is no address that a browser can be led to: write https://",
            word.shown()
        )),
    }
}

/// `https://*.iahome.fr`: the origin of `iahome.fr`, below which any host is meant.
pub(crate) fn origin_below(node: &Node<'_>, word: &Word) -> Option<Origin> {
    let parent = Word { text: word.text.replacen("://*.", "://", 1), ..word.clone() };
    let origin = origin_of(node, &parent)?;
    let name = origin.host_name();
    let is_address = name.starts_with('[') || name.parse::<IpAddr>().is_ok();
    let is_domain = name.contains('.') || origin.is_local();
    match origin.is_of_the_web() && is_domain && !is_address {
        true => Some(origin),
        false => node.wrong(format!(
            "{} takes the pages of strangers in: name a domain of yours behind the *, such as https://*.iahome.fr",
            word.shown()
        )),
    }
}

/// An origin that a browser sends: `https://iahome.fr`, `chrome-extension://…`. Plain http is for localhost alone.
pub(crate) fn origin_of(node: &Node<'_>, word: &Word) -> Option<Origin> {
    match Origin::parse(word.text.as_bytes()) {
        Some(origin) if origin.is_secure() || origin.is_local() => Some(origin),
        Some(_) => node.wrong(format!(
            "{} is plain http, which is for localhost alone: write https",
            word.shown()
        )),
        None => node.wrong(format!(
            "{} is no origin such as https://iahome.fr: {}",
            word.shown(),
            no_origin(word)
        )),
    }
}

/// Names the fault of a text that is no origin.
fn no_origin(word: &Word) -> String {
    if word.text.contains('*') {
        return "name each host, without a *".to_owned();
    }
    let Some((scheme, rest)) = word.text.split_once("://") else {
        return "write https:// before the host".to_owned();
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let known = ["http", "https"].into_iter().chain(APP_SCHEMES);
    if !known.into_iter().any(|known| scheme.eq_ignore_ascii_case(known)) {
        return format!(
            "its scheme is https, or that of an extension or app: {}",
            APP_SCHEMES.join(", ")
        );
    }
    if host.len() < rest.len() {
        return "leave out what stands behind the host, also a slash".to_owned();
    }
    match ascii_host(host) {
        Some(ascii) if word.may_be_shown() => format!("browsers send {scheme}://{ascii}"),
        Some(_) => "write the host in its xn-- form, which browsers send".to_owned(),
        None => "a host has letters, digits, - and dots, and perhaps a port".to_owned(),
    }
}
