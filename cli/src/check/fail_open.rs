//! What Envoy does with requests while the filter cannot run.

use super::Finding;
use crate::config::{Config, Manager, Node};
use crate::policy::Manifest;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let plugins = config.policies.iter().filter_map(|policy| policy.plugin.as_ref());
    let manifests = config.policies.iter().filter_map(|policy| policy.manifest.as_ref());
    let plugins = plugins.filter_map(|plugin| of_plugin(config, plugin));
    plugins.chain(manifests.filter_map(of_manifest)).chain(optional(config)).collect()
}

fn of_manifest(manifest: &Manifest<'_>) -> Option<Finding> {
    let node = manifest.node();
    match manifest {
        Manifest::Istio(_) => match node.field("fail_strategy") {
            Some(strategy) if strategy.text() == Some("FAIL_OPEN") => {
                Some(Finding::error(&strategy, ISTIO_LETS_THROUGH))
            }
            Some(_) => None,
            None => Some(Finding::warning(node, ISTIO_STAYS_DOWN)),
        },
        Manifest::EnvoyGateway(_) => {
            Some(Finding::error(&node.switched_on("fail_open")?, GATEWAY_LETS_THROUGH))
        }
    }
}

const ISTIO_LETS_THROUGH: &str = "when the module fails, or cannot be fetched, every request passes without it: set failStrategy: FAIL_RELOAD";
const ISTIO_STAYS_DOWN: &str = "failStrategy is not set: after one failure of the module Envoy answers 503 until it is restarted. FAIL_RELOAD starts the module anew";
const GATEWAY_LETS_THROUGH: &str = "when the module fails, or cannot be fetched, every request passes without it: leave failOpen out";

fn of_plugin(config: &Config<'_>, plugin: &Node<'_>) -> Option<Finding> {
    let (old, new) = (plugin.switched_on("fail_open"), plugin.field("failure_policy"));
    match (old, new.as_ref().and_then(Node::text)) {
        (Some(old), Some(_)) => Some(Finding::error(
            &old,
            "fail_open and failure_policy exclude each other: Envoy does not start. Keep failure_policy: FAIL_RELOAD",
        )),
        (Some(old), None) => Some(Finding::error(&old, LETS_THROUGH)),
        // Envoy takes the numbers of the words too: 1 is FAIL_RELOAD, 2 FAIL_CLOSED (observed on 1.40).
        (None, Some("FAIL_OPEN" | "3")) => new.map(|new| Finding::error(&new, LETS_THROUGH)),
        (None, Some("FAIL_CLOSED" | "FAIL_RELOAD" | "1" | "2")) => None,
        // Envoy Gateway has no word for it: nothing that its user could mend.
        (None, _) if config.is_of_envoy_gateway(plugin) => {
            Some(Finding::note(plugin, STAYS_DOWN_IN_GATEWAY))
        }
        (None, _) => Some(Finding::warning(plugin, STAYS_DOWN)),
    }
}

const STAYS_DOWN: &str = "failure_policy is not set: after one failure of the module Envoy answers 503 until it is restarted. FAIL_RELOAD starts the module anew";
const STAYS_DOWN_IN_GATEWAY: &str = "Envoy Gateway sets no failure_policy: after one failure of the module Envoy answers 503 until it is restarted. An EnvoyPatchPolicy can set FAIL_RELOAD, which starts the module anew";

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
