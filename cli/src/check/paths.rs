//! What the connection manager does to paths before Vigile reads them (docs/rules.md, rule 4).

use super::Finding;
use crate::config::{Config, Manager};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.guarded().flat_map(of_manager).collect()
}

fn of_manager(manager: &Manager<'_>) -> Vec<Finding> {
    let node = &manager.node;
    let merged = node.switched_on("merge_slashes").map(|merge| {
        Finding::warning(
            &merge,
            "apps that carry addresses in their paths (/proxy=https://…) break. Vigile refuses what merged slashes would change by itself: leave it out",
        )
    });
    let escaped = node.field("path_with_escaped_slashes_action");
    // Envoy takes the numbers of the words too.
    let unescapes = ["UNESCAPE_AND_REDIRECT", "UNESCAPE_AND_FORWARD", "3", "4"];
    let escaped =
        escaped.filter(|action| action.text().is_some_and(|text| unescapes.contains(&text)));
    let escaped = escaped.map(|action| {
        Finding::warning(
            &action,
            "apps that write %2F in their paths break. Vigile refuses what the slash would change by itself: KEEP_UNCHANGED",
        )
    });
    let plain = node.switched_on("normalize_path").is_none().then(|| {
        Finding::note(
            &node.field("normalize_path").unwrap_or(node.clone()),
            "normalize_path is off: Vigile judges dot segments by itself, but Envoy's own routes match them as they come",
        )
    });
    merged.into_iter().chain(escaped).chain(plain).collect()
}
