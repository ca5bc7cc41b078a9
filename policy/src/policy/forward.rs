//! `forward`: what the app learns of the caller.

use crate::document::{
    Found, Node, Section, Tree, header_name, header_value, is_header_value, text, variable,
};

/// A header that the app receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Forward {
    pub(crate) header: String,
    pub(crate) value: Value,
}

/// Where its value comes from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A claim of the token that admitted the request; no header where the token lacks it.
    Claim(String),
    /// The same for everybody.
    Fixed(String),
    /// The same, and nobody's to see: an app's own key for its provider.
    Secret(String),
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Claim(name) => write!(f, "claim {name}"),
            Self::Fixed(value) => write!(f, "{value:?}"),
            Self::Secret(_) => f.write_str("(secret)"),
        }
    }
}

/// Reads a `forward` section.
pub(super) fn read(node: &Node<'_>) -> Option<Vec<Forward>> {
    let read: Vec<Option<Forward>> = node.entries()?.iter().map(entry).collect();
    let forwards = read.into_iter().collect::<Option<Vec<_>>>()?;
    let twice = forwards.iter().enumerate().find(|(at, forward)| {
        forwards.iter().take(*at).any(|earlier| folded(&earlier.header) == folded(&forward.header))
    });
    match twice {
        Some((_, forward)) => node
            .wrong(format!("{} stands twice, letter case and punctuation folded", forward.header)),
        None => Some(forwards),
    }
}

/// Whether an entry of a `forward` section has this key (`claim`, `env`): known without the variables
/// too.
pub(super) fn has(section: Option<&Tree>, key: &str) -> bool {
    match section {
        Some(Tree::Map(pairs)) => pairs.iter().any(|(_, value)| value.get(key).is_some()),
        _ => false,
    }
}

fn entry((given, node): &(&str, Node<'_>)) -> Option<Forward> {
    let header = header_name(node, given)?;
    if header == "cookie" {
        return node.wrong("cookies are the browser's to send");
    }
    let value = match node.tree() {
        Tree::Map(_) => of_caller(&node.section()?),
        _ => header_value(node).map(Value::Fixed),
    };
    Some(Forward { header, value: value? })
}

/// `{ claim: sub }`, or `{ env: OPENAI_API_KEY, prefix: "Bearer " }`: what comes from the environment
/// is a secret.
fn of_caller(section: &Section<'_>) -> Option<Value> {
    if let Some(claim) = section.take("claim") {
        return text(&claim).map(Value::Claim);
    }
    let prefix = section.or("prefix", "", Node::string);
    let Found::Value(value) = variable(section, false)? else { return None };
    let value = format!("{}{}", prefix?, String::from_utf8_lossy(&value));
    match is_header_value(&value) {
        true => Some(Value::Secret(value)),
        false => section.node().wrong(
            "this variable's value cannot stand in a header: printable ASCII without spaces at its ends",
        ),
    }
}

/// A header's name with all but letters and digits folded away: what CGI, WSGI and PHP make of
/// `X-User-Id` they also make of `X_User_Id`.
pub(crate) fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether `name` folds to `folded`, without writing it down.
pub(crate) fn is_folded(name: &str, folded: &str) -> bool {
    let kept = name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
    kept.eq(folded.bytes())
}
