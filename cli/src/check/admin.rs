//! The admin interface: it shows the config and stops Envoy, for whoever reaches it, by its own address or
//! by way of a cluster.

use super::{Finding, Severity};
use crate::config::{Chosen, Config, Exposure, Node, Way, is_local_address};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    addresses(&config.root).iter().flat_map(|address| of_address(config, address)).collect()
}

/// Addresses of the interface: of a bootstrap, and of those that a `config_dump` shows.
fn addresses<'y>(root: &Node<'y>) -> Vec<Node<'y>> {
    let dumped = root.all(|node| node.key() == "bootstrap");
    let bootstraps = dumped.iter().chain([root]);
    bootstraps.filter_map(|bootstrap| bootstrap.at(&["admin", "address"])).collect()
}

fn of_address(config: &Config<'_>, address: &Node<'_>) -> Vec<Finding> {
    let own = (!is_local_address(address)).then(|| {
        let place = address.at(&["socket_address", "address"]);
        Finding::error(place.as_ref().unwrap_or(address), OPEN)
    });
    let ways = config.around.iter().filter_map(|way| led_to(config, way, address));
    own.into_iter().chain(ways).collect()
}

const OPEN: &str =
    "whoever reaches the admin interface reads the config and stops Envoy: 127.0.0.1, or a pipe";

/// A way that does not ask Vigile.
fn led_to(config: &Config<'_>, way: &Way<'_>, admin: &Node<'_>) -> Option<Finding> {
    let name = way.node.text().filter(|_| way.chosen == Chosen::Named)?;
    let exposure = config.exposure(way.listener.as_ref());
    let is_open = config.clusters.leads_to(name, admin) && !is_for_reading(way);
    match exposure {
        Exposure::Anybody if is_open => Some(Finding::of(Severity::Error, &way.node, LED_TO)),
        // This machine reaches the interface's own address as well.
        _ => None,
    }
}

const LED_TO: &str = "this leads to the admin interface, where whoever comes reads the config and stops Envoy: let the route match path: /stats/prometheus alone, or ask Vigile who comes";

/// Tells whether nothing but statistics is reached.
fn is_for_reading(way: &Way<'_>) -> bool {
    let Some(route) = &way.route else { return false };
    let matched = |name| route.at(&["match", name]).and_then(|word| word.text());
    let is_page = |word: &str| ["/stats", "/stats/prometheus", "/ready"].contains(&word);
    let rewrites = ["prefix_rewrite", "regex_rewrite", "path_rewrite_policy", "path_rewrite"];
    let rewritten = rewrites.iter().find_map(|name| route.at(&["route", name]));
    match rewritten {
        // One path becomes one other.
        Some(to) => matched("path").is_some() && to.text().is_some_and(is_page),
        None => ["path", "prefix", "path_separated_prefix"]
            .iter()
            .any(|name| matched(name).is_some_and(is_page)),
    }
}
