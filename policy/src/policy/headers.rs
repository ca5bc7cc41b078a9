//! `headers` and `csp`: what every answer of a module carries.

use vigile_core::policy::Headers;

use super::security_headers::Preset;
use crate::document::{Node, Section, Tree, header_name, header_value, text};

/// Reads `headers`: a value sets a header, `false` takes it away.
pub(super) fn read(node: &Node<'_>) -> Option<Headers> {
    let entries = node.each_entry("{ x-content-type-options: nosniff }", entry)?;
    let mut headers = Headers::default();
    for (name, value) in entries {
        if headers.names(&name) {
            return node.wrong(format!("{name} stands twice, letter case folded"));
        }
        match value {
            Some(value) => headers.set.push((name, value)),
            None => headers.remove.push(name),
        }
    }
    Some(headers)
}

fn entry(given: &str, node: &Node<'_>) -> Option<(String, Option<String>)> {
    let name = header_name(node, given)?;
    match name.as_str() {
        "content-security-policy" => {
            return node.wrong("write it as csp; frame-ancestors is written by embed");
        }
        "set-cookie" | "location" | "vigile-reason" => {
            return node.wrong(format!("{name} is not the policy's to set"));
        }
        _ => {}
    }
    match node.tree() {
        Tree::Flag(false) => Some((name, None)),
        Tree::Flag(true) => {
            node.wrong("true is no value: write one, or false to take the header away")
        }
        Tree::Null => node.wrong(
            "null says nothing: write a value, false to take the header away, or leave the key out",
        ),
        _ => header_value(node).map(|value| (name, Some(value))),
    }
}

/// Whether `headers` leaves alone what caches are told of a page that is one caller's, unless the module
/// shares them.
pub(super) fn cached(section: &Section<'_>, headers: &Headers) -> Option<()> {
    let shared = |name: &&String| is_for_caches(name);
    let alone =
        |value: &str| value.split(',').any(|one| matches!(one.trim(), "private" | "no-store"));
    let set = headers.set.iter().filter(|(name, value)| name != CACHE_CONTROL || !alone(value));
    let named = set.map(|(name, _)| name).chain(&headers.remove).find(shared);
    match named {
        Some(name) if section.peek("shared_cache") != Some(&Tree::Flag(true)) => {
            section.node().wrong(format!(
                "headers says of {name} what would let caches keep one caller's page for others: write shared_cache: true if it may, or private or no-store as its value"
            ))
        }
        _ => Some(()),
    }
}

const CACHE_CONTROL: &str = "cache-control";

/// `cache-control`, those for some caches alone (RFC 9213 §2.1), and their forerunner.
fn is_for_caches(name: &str) -> bool {
    name.ends_with(CACHE_CONTROL) || name == "surrogate-control"
}

/// Reads `csp`; `false` takes the preset's away. A preset that could not be read might have had one.
pub(super) fn csp(node: &Node<'_>, preset: Option<Option<Preset>>) -> Option<Option<String>> {
    match (node.tree(), preset) {
        (Tree::Flag(false), Some(preset)) if preset.and_then(Preset::csp).is_none() => {
            node.wrong("false takes away what security_headers brings, and it brings no csp here")
        }
        (Tree::Flag(false), _) => Some(None),
        _ => content_policy(node).map(Some),
    }
}

/// One policy (CSP Level 3 §2.2), without what `embed` writes.
fn content_policy(node: &Node<'_>) -> Option<String> {
    let policy = text(node)?;
    let directives = policy.split(';').map(|directive| directive.trim().to_ascii_lowercase());
    let mut names =
        directives.filter_map(|directive| directive.split(' ').next().map(str::to_owned));
    if !policy.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) || policy.contains(',') {
        return node.wrong(
            "a policy is printable ASCII on one line without commas: a comma would begin another policy",
        );
    }
    if policy.split(';').all(|directive| directive.trim().is_empty()) {
        return node.wrong("there is no directive in it");
    }
    match names.any(|name| name == "frame-ancestors") {
        true => node.wrong("frame-ancestors is written by embed.ancestors: leave it out here"),
        false => Some(policy.trim().trim_end_matches(';').to_owned()),
    }
}
