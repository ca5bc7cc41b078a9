//! `{ env: NAME }`: a value that the environment of the proxy's VM holds.

use super::hints::shown_variable;
use super::{Node, Section, Tree};

/// An environment variable that the policy names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Whether the policy still holds without it.
    pub optional: bool,
    /// Where the policy names it.
    pub path: String,
}

/// What became of a `{ env: … }`.
pub(crate) enum Found {
    Value(Vec<u8>),
    /// Said to be `optional`, and not set, or empty.
    Unset,
}

/// Whether this node is a `{ env: … }`.
pub(crate) fn is_variable(node: &Node<'_>) -> bool {
    node.tree().get("env").is_some()
}

/// Reads `env: NAME, encoding: base64, optional: true` in a section; `optional` only where
/// `may_be_unset`.
///
/// `None` without a mistake where the environment is not known yet.
pub(crate) fn variable(section: &Section<'_>, may_be_unset: bool) -> Option<Found> {
    let name = section.required("env", variable_name);
    let base64 = section.or("encoding", false, |node| node.word(&[("base64", true)]));
    let optional = section.or("optional", false, |node| match may_be_unset {
        true => node.flag(),
        false => node.wrong("only a key in a list of keys may be unset: leave optional out"),
    });
    let (name, base64, optional) = (name?, base64?, optional?);
    look_up(section.node(), name, base64, optional)
}

fn variable_name<'t>(node: &Node<'t>) -> Option<&'t str> {
    let name = node.string()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match !name.is_empty()
        && name.chars().all(fits)
        && !name.starts_with(|c: char| c.is_ascii_digit())
    {
        true => Some(name),
        false => node.wrong("the name of a variable has letters, digits and _ alone, and does not begin with a digit"),
    }
}

fn look_up(node: &Node<'_>, name: &str, base64: bool, optional: bool) -> Option<Found> {
    let (reading, shown) = (node.reading(), shown_variable(name));
    reading.saw(Variable { name: name.to_owned(), optional, path: node.path() });
    let value = match reading.environment()?.get(name) {
        // Compose passes a variable that is unset on as an empty one: `${NAME_NEXT:-}`.
        None if optional => return Some(Found::Unset),
        Some(value) if optional && value.is_empty() => return Some(Found::Unset),
        Some(value) => value,
        None => {
            return node.wrong(format!(
                "the variable {shown} is not set (in Envoy: name it in vm_config.environment_variables.host_env_keys, and set it where Envoy starts)"
            ));
        }
    };
    if value.is_empty() {
        return node.wrong(format!("the variable {shown} is set, but empty"));
    }
    if value.ends_with(['\n', '\r']) {
        return node.wrong(format!(
            "the variable {shown} ends with a newline, as when a file is read into it: cut it off"
        ));
    }
    match base64.then(|| from_base64(value)) {
        None => Some(Found::Value(value.clone().into_bytes())),
        Some(None) => node.wrong(format!("the variable {shown} is not base64 (RFC 4648)")),
        Some(Some(data)) if is_a_line(&data) => node.wrong(format!(
            "the variable {shown} is the base64 of a line with its newline, as echo writes it: encode it without (printf %s)"
        )),
        Some(Some(data)) => Some(Found::Value(data)),
    }
}

/// Printable text with a newline behind it. Random bytes of 32 are one once in 10¹³ times.
fn is_a_line(data: &[u8]) -> bool {
    let printable = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    data.trim_ascii_end().iter().all(printable) && data.ends_with(b"\n")
}

/// Base64 of either alphabet, with or without padding (RFC 4648 §4 and §5).
pub(crate) fn from_base64(value: &str) -> Option<Vec<u8>> {
    use ct_codecs::{Base64, Base64NoPadding, Base64UrlSafe, Base64UrlSafeNoPadding, Decoder};
    Base64::decode_to_vec(value, None)
        .or_else(|_| Base64NoPadding::decode_to_vec(value, None))
        .or_else(|_| Base64UrlSafe::decode_to_vec(value, None))
        .or_else(|_| Base64UrlSafeNoPadding::decode_to_vec(value, None))
        .ok()
}

/// Literal or variable: the bytes of a string.
pub(crate) fn bytes_or_unset(node: &Node<'_>, may_be_unset: bool) -> Option<Found> {
    match node.tree() {
        Tree::Map(_) if is_variable(node) => {
            variable(&node.section("{ env: NAME }")?, may_be_unset)
        }
        Tree::Map(_) | Tree::List(_) | Tree::Null => node.expected("a string or { env: NAME }"),
        _ => node.string().map(|text| Found::Value(text.as_bytes().to_vec())),
    }
}
