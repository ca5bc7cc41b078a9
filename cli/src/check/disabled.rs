//! Vigile switched off: for a whole filter chain, or for some routes. Who comes in is the policy's to
//! say (`public: true`), where it is seen, logged and counted.

use super::Finding;
use crate::config::{Config, Manager, Node};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config
        .managers
        .iter()
        .flat_map(|manager| of_filter(manager).into_iter().chain(on_routes(manager)))
        .collect()
}

fn of_filter(manager: &Manager<'_>) -> Vec<Finding> {
    let disabled = manager.vigile().filter_map(|(filter, _)| filter.node.switched_on("disabled"));
    disabled.map(|node| Finding::error(&node, SWITCHED_OFF)).collect()
}

const SWITCHED_OFF: &str =
    "Vigile is switched off here, but for routes that switch it on again: leave disabled out";

fn on_routes(manager: &Manager<'_>) -> Vec<Finding> {
    let names: Vec<&str> = manager.vigile().map(|(filter, _)| filter.name).collect();
    let mut found = Vec::new();
    let mut look = |node: &Node<'_>| {
        let own = node.field("typed_per_filter_config").filter(|_| leads_to_an_app(node));
        for (name, config) in own.iter().flat_map(Node::entries) {
            if names.contains(&name) {
                found.extend(judge(&config));
            }
        }
        true
    };
    manager.route_configs.iter().for_each(|config| config.walk(&mut look));
    found
}

/// A redirect or a fixed answer holds nothing that a caller could want.
fn leads_to_an_app(node: &Node<'_>) -> bool {
    ["redirect", "direct_response"].iter().all(|name| node.field(name).is_none())
}

fn judge(config: &Node<'_>) -> Option<Finding> {
    let typed = config.typed()?;
    let inner = typed.fields.field("config");
    if typed.name != "envoy.config.route.v3.FilterConfig" || inner.is_some() {
        return Some(Finding::error(
            config,
            "Wasm filters take no configuration of a route: Envoy does not start",
        ));
    }
    typed.fields.switched_on("disabled").map(|disabled| {
        Finding::error(
            &disabled,
            "requests go around Vigile here: say who may come in in the policy (public: true)",
        )
    })
}
