//! What Envoy does with requests while the filter cannot run.

use super::Finding;
use crate::config::{Config, Manager, Node};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let plugins = config.policies.iter().filter_map(|policy| policy.plugin.as_ref());
    plugins.filter_map(of_plugin).chain(optional(config)).collect()
}

fn of_plugin(plugin: &Node<'_>) -> Option<Finding> {
    let (old, new) = (plugin.switched_on("fail_open"), plugin.field("failure_policy"));
    match (old, new.as_ref().and_then(Node::text)) {
        (Some(old), Some(_)) => Some(Finding::error(
            &old,
            "fail_open and failure_policy exclude each other: Envoy does not start. Keep failure_policy: FAIL_RELOAD",
        )),
        (Some(old), None) => Some(Finding::error(&old, LETS_THROUGH)),
        // Envoy takes the number of a word too.
        (None, Some("FAIL_OPEN" | "2")) => new.map(|new| Finding::error(&new, LETS_THROUGH)),
        (None, Some("FAIL_CLOSED" | "FAIL_RELOAD" | "1" | "3")) => None,
        (None, _) => Some(Finding::warning(
            plugin,
            "failure_policy is not set: after one failure of the module Envoy answers 503 until it is restarted. FAIL_RELOAD starts the module anew",
        )),
    }
}

const LETS_THROUGH: &str =
    "when the module fails, Envoy lets every request through: set failure_policy: FAIL_RELOAD";

/// An Envoy without Wasm passes over a filter that is optional.
fn optional(config: &Config<'_>) -> Vec<Finding> {
    let filters = config.managers.iter().flat_map(Manager::vigile);
    let optional = filters.filter_map(|(filter, _)| filter.node.switched_on("is_optional"));
    optional.map(|node| Finding::error(&node, RUNS_WITHOUT)).collect()
}

const RUNS_WITHOUT: &str =
    "an Envoy that cannot load the filter would run without it: leave is_optional out";
