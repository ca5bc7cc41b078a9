//! `capability_restriction_config`: what of the proxy-wasm ABI Envoy lets a module use. A callback that is
//! not listed is not called, so without `proxy_on_request_headers` every request passes; a call that is
//! not listed ends the module, and Envoy answers 503 (both observed on 1.40).

use std::collections::BTreeSet;

use super::Finding;
use crate::config::{Config, Node};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let plugins = config.policies.iter().filter_map(|policy| policy.plugin.as_ref());
    plugins.filter_map(of_plugin).collect()
}

fn of_plugin(plugin: &Node<'_>) -> Option<Finding> {
    let restriction = plugin.field("capability_restriction_config")?;
    let allowed = restriction.field("allowed_capabilities")?;
    let listed: BTreeSet<&str> = allowed.entries().map(|(name, _)| name).collect();
    // An empty map restricts nothing (observed on 1.40).
    let missing: Vec<&str> = NEEDED.iter().copied().filter(|name| !listed.contains(name)).collect();
    let is_open = missing.contains(&REQUESTS);
    let effect = match is_open {
        true => "Envoy asks Vigile about no request, and lets all pass",
        false => "Vigile stops where it needs one of these, and Envoy answers 503",
    };
    let problem = || {
        format!(
            "not allowed: {}. {effect}: add them, or leave capability_restriction_config out",
            missing.join(", ")
        )
    };
    (!listed.is_empty() && !missing.is_empty()).then(|| Finding::error(&allowed, problem()))
}

const REQUESTS: &str = "proxy_on_request_headers";

/// Functions of the ABI that the module needs, by the names that Envoy has for them. `tests/suites/sdk.rs` compares them
/// with what the filter uses.
pub const NEEDED: [&str; 32] = [
    "environ_get",
    "environ_sizes_get",
    "proxy_add_header_map_value",
    "proxy_close_stream",
    "proxy_define_metric",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_done",
    "proxy_on_request_body",
    REQUESTS,
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_tick",
    "proxy_on_vm_start",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_effective_context",
    "proxy_set_header_map_pairs",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
    "random_get",
];
