//! `forward`: what the app learns of the caller.

use vigile_core::policy::{Forward, ForwardValue as Value, folded, is_header_value};

use crate::document::{Found, Node, Section, Tree, header_name, header_value, text, variable};

/// Reads a `forward` section.
pub(super) fn read(node: &Node<'_>) -> Option<Vec<Forward>> {
    let forwards = node.each_entry("{ x-user-id: { claim: sub } }", entry)?;
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

fn entry(given: &str, node: &Node<'_>) -> Option<Forward> {
    let header = header_name(node, given)?;
    if header == "cookie" {
        return node.wrong("cookies are the browser's to send");
    }
    let value = match node.tree() {
        Tree::Map(_) => of_caller(&node.section("{ claim: sub }")?),
        _ => header_value(node).map(Value::Fixed),
    };
    Some(Forward { header, value: value? })
}

/// `{ claim: sub }`, `{ api_key: name }`, or `{ env: OPENAI_API_KEY, prefix: "Bearer " }`: what comes from the environment
/// is a secret.
fn of_caller(section: &Section<'_>) -> Option<Value> {
    let claim = section.optional("claim", text);
    let key = section.optional("api_key", of_key);
    let prefix = section.optional("prefix", Node::string);
    match ["claim", "api_key", "env"].map(|key| section.has(key)) {
        [true, false, false] | [false, true, false] if section.has("prefix") => {
            section.node().wrong("prefix stands before what a variable holds: leave it out here")
        }
        [true, false, false] => claim?.map(Value::Claim),
        [false, true, false] => key?,
        [false, false, true] => of_variable(section, prefix.map(Option::unwrap_or_default)),
        [false, false, false] => {
            section.take("env");
            section.lacks(
                &["claim", "api_key", "env"],
                "expected a value, { claim: NAME }, { api_key: name } or { env: NAME }",
            )
        }
        _ => {
            if section.has("env") {
                variable(section, false);
            }
            section.node().wrong("claim, api_key and env exclude each other: keep one")
        }
    }
}

fn of_key(node: &Node<'_>) -> Option<Value> {
    match node.word(&[("name", true), ("roles", false)])? {
        true => Some(Value::KeyName),
        false => Some(Value::KeyRoles),
    }
}

fn of_variable(section: &Section<'_>, prefix: Option<&str>) -> Option<Value> {
    let Found::Value(value) = variable(section, false)? else { return None };
    let prefix = prefix?;
    let value = String::from_utf8(value).ok().map(|value| format!("{prefix}{value}"));
    match value.filter(|value| is_header_value(value)) {
        Some(value) => Some(Value::Secret(value)),
        None => section.node().wrong(
            "this variable's value cannot stand in a header: printable ASCII without spaces at its ends",
        ),
    }
}
