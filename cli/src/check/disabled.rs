//! Vigile switched off: for a whole filter chain, or for some routes. Who comes in is the policy's to
//! say (`public: true`), where it is seen, logged and counted.

use super::Finding;
use crate::config::{Asked, Config, Manager, Node};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config
        .managers
        .iter()
        .flat_map(|manager| of_filter(manager).into_iter().chain(on_routes(manager)))
        .collect()
}

/// A filter that is switched off in its chain, and that nothing switches on. Envoy Gateway has all of its
/// filters so, each switched on by the routes that it is for; routes that switch none on are other ways
/// (`neighbour`).
fn of_filter(manager: &Manager<'_>) -> Vec<Finding> {
    let is_on = !manager.routes_asked(Asked::Yes).is_empty();
    let is_known = !manager.route_configs.is_empty();
    let chain = manager.filters.iter().filter(|filter| filter.is_vigile());
    let chain = chain.filter_map(|filter| match (filter.disabled()?, is_on, is_known) {
        (_, true, _) => None,
        (node, false, true) => Some(Finding::error(&node, SWITCHED_OFF)),
        (node, false, false) => Some(Finding::note(&node, BY_ROUTES_ELSEWHERE)),
    });
    let upgrades = manager.upgrades.iter().flat_map(|(_, filters)| filters);
    let upgrades = upgrades
        .filter(|filter| filter.is_vigile())
        .filter_map(|filter| Some(Finding::error(&filter.disabled()?, SWITCHED_OFF)));
    chain.chain(upgrades).collect()
}

const SWITCHED_OFF: &str =
    "Vigile is switched off here, and no route switches it on: leave disabled out";
const BY_ROUTES_ELSEWHERE: &str = "Vigile is switched off here, but for routes that switch it on, and these are not in this file: whether all of its app's routes do is not known here";

fn on_routes(manager: &Manager<'_>) -> Vec<Finding> {
    // Where the chain switches it off, a route that does so too says nothing new.
    let on = manager.filters.iter().chain(manager.upgrades.iter().flat_map(|(_, filters)| filters));
    let on = on.filter(|filter| filter.is_vigile() && filter.disabled().is_none());
    let names: Vec<&str> = on.map(|filter| filter.name).collect();
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
    // A wrapped filter takes a matcher of a route, and is found by its wrapper.
    if typed.name.ends_with(".ExtensionWithMatcherPerRoute") {
        return None;
    }
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
