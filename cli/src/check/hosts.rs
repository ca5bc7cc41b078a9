//! Modules that no request can reach, since Envoy routes their hosts nowhere.

use super::Finding;
use crate::config::{Config, Manager, Node};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let mut found = Vec::new();
    for (manager, policy) in config.guards() {
        // Where routes come from elsewhere nothing can be said.
        if manager.route_configs.is_empty() {
            continue;
        }
        let modules = policy.modules();
        for hosts in modules.iter().filter_map(|module| module.get("hosts")) {
            found.extend(hosts.items().filter(|host| !is_routed(manager, host)).map(|host| {
                let name = host.text().unwrap_or_default();
                let problem = format!("no virtual host of this connection manager takes {name:?}");
                Finding::warning(&host, problem)
            }));
        }
    }
    found
}

fn is_routed(manager: &Manager<'_>, host: &Node<'_>) -> bool {
    host.text()
        .is_none_or(|host| manager.virtual_hosts().any(|virtual_host| virtual_host.takes(host)))
}
