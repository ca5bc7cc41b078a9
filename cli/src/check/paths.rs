//! What the connection manager does to paths before Vigile reads them (docs/rules.md, rule 4).

use super::Finding;
use crate::config::{Config, Manager, Node};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.guarded().flat_map(|manager| of_manager(config, manager)).collect()
}

fn of_manager(config: &Config<'_>, manager: &Manager<'_>) -> Vec<Finding> {
    let node = &manager.node;
    let policies = config.policies_of(manager);
    let mut plugins = policies.iter().filter_map(|policy| policy.plugin.as_ref());
    // These are defaults of Envoy Gateway, which its user may not know of.
    let of_gateway = plugins.any(|plugin| config.is_of_envoy_gateway(plugin));
    let found = |node: &Node<'_>, problem: &str, [usual, of_gateways]: [&str; 2]| match of_gateway {
        true => Finding::note(node, format!("{problem}: {of_gateways}")),
        false => Finding::warning(node, format!("{problem}: {usual}")),
    };
    let merged = node.switched_on("merge_slashes");
    let merged = merged.map(|merge| found(&merge, MERGED, KEEP_SLASHES));
    let escaped = node.field("path_with_escaped_slashes_action");
    // Envoy takes the numbers of the words too.
    let unescapes = ["UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD", "3", "4"];
    let escaped =
        escaped.filter(|action| action.text().is_some_and(|text| unescapes.contains(&text)));
    let escaped = escaped.map(|action| found(&action, UNESCAPED, KEEP_ESCAPES));
    let plain = node.switched_on("normalize_path").is_none().then(|| {
        Finding::note(
            &node.field("normalize_path").unwrap_or(node.clone()),
            "normalize_path is off: Vigile judges dot segments by itself, but Envoy's own routes match them as they come",
        )
    });
    merged.into_iter().chain(escaped).chain(plain).collect()
}

const MERGED: &str = "apps that carry addresses in their paths (/proxy=https://…) break. Vigile refuses what merged slashes would change by itself";
const KEEP_SLASHES: [&str; 2] =
    ["leave it out", "a ClientTrafficPolicy with path.disableMergeSlashes: true keeps them"];
const UNESCAPED: &str = "apps that write %2F in their paths break. Vigile refuses what the slash would change by itself";
const KEEP_ESCAPES: [&str; 2] = [
    "KEEP_UNCHANGED",
    "a ClientTrafficPolicy with path.escapedSlashesAction: KeepUnchanged keeps it",
];
