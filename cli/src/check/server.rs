//! The `server` header, of which a policy says something and Envoy has the last word: it writes its own
//! after all filters (observed on 1.36 to 1.40).

use super::Finding;
use crate::config::{Config, Manager};
use crate::policy::Policy;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.guards().flat_map(|(manager, policy)| of_manager(manager, policy)).collect()
}

fn of_manager(manager: &Manager<'_>, policy: &Policy<'_>) -> Vec<Finding> {
    let kept = manager.node.field("server_header_transformation").and_then(|kept| kept.text());
    let modules = policy.modules();
    let headers = modules.iter().filter_map(|module| module.get("headers"));
    let servers = headers.flat_map(|headers| headers.entries().collect::<Vec<_>>());
    let servers = servers.filter(|(name, _)| name.eq_ignore_ascii_case("server"));
    let lost = servers.filter(|(_, value)| match kept {
        // Envoy takes the numbers of the words too.
        Some("PASS_THROUGH" | "2") => false,
        Some("APPEND_IF_ABSENT" | "1") => value.text() == Some("false"),
        _ => true,
    });
    lost.map(|(_, value)| Finding::warning(&value, OVERWRITTEN)).collect()
}

const OVERWRITTEN: &str = "Envoy writes its own server header over this: set server_header_transformation: PASS_THROUGH in the connection manager";
