//! How Envoy comes by the module: from a file, or over the network (`code.remote`).
//!
//! In an extension config (ECDS) with a new module address or sha256, Envoy lets every request pass
//! without the filter, and says so nowhere (observed on 1.36 to 1.40, with FAIL_CLOSED and FAIL_RELOAD), unless
//! `nack_on_code_cache_miss` has it reject what it has not fetched yet.

use super::Finding;
use crate::config::{Config, Node};
use crate::yaml::Yaml;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let plugins: Vec<&Node<'_>> =
        config.policies.iter().filter_map(|policy| policy.plugin.as_ref()).collect();
    if plugins.iter().all(|plugin| remote(plugin).is_none()) {
        return Vec::new();
    }
    let pushed = pushed(config);
    let found = plugins.iter().filter_map(|plugin| {
        let remote = remote(plugin)?;
        let waits = plugin.at(&["vm_config"])?.switched_on("nack_on_code_cache_miss").is_some();
        match pushed.contains(&std::ptr::from_ref(plugin.yaml())) {
            true if waits => Some(Finding::note(&remote, REJECTED_FIRST)),
            true => Some(Finding::error(&remote, PUSHED)),
            false if config.is_of_envoy_gateway(plugin) => None,
            false => Some(Finding::warning(&remote, FETCHED)),
        }
    });
    found.collect()
}

fn remote<'y>(plugin: &Node<'y>) -> Option<Node<'y>> {
    plugin.at(&["vm_config", "code", "remote"])
}

const PUSHED: &str = "in an extension config (ECDS) whose module address or sha256 is new, Envoy lets every request pass without Vigile, and logs nothing: put the module into a file of each Envoy, and name that (code.local.filename). With nack_on_code_cache_miss: true in vm_config Envoy rejects it until it has the module";
const REJECTED_FIRST: &str = "Envoy rejects this until it has fetched the module, and takes it after that only with something else in it (a root_id, say): sent once more as it is, it changes nothing";
const FETCHED: &str = "Envoy fetches the module when it loads this: while it cannot, and where sha256 is another, it answers 503 to everybody and rejects no update. Put the module into a file of each Envoy, and name that (code.local.filename)";

/// Everything that stands in an extension config which a discovery service hands out.
fn pushed(config: &Config<'_>) -> std::collections::BTreeSet<*const Yaml> {
    let mut found = std::collections::BTreeSet::new();
    config.root.walk(&mut |node| {
        let is_pushed = node
            .typed()
            .is_some_and(|typed| typed.name == "envoy.config.core.v3.TypedExtensionConfig");
        if is_pushed {
            node.walk(&mut |inner| found.insert(std::ptr::from_ref(inner.yaml())));
        }
        !is_pushed
    });
    found
}
