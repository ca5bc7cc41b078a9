//! What cannot be judged from this file: said, so that silence means that all was looked at.

use super::Finding;
use crate::config::{Config, Manager, Node};
use crate::policy::Policy;
use crate::proxy::Proxy;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    // Where the policies alone are judged, nothing else was to be looked at.
    if config.proxy != Proxy::Envoy {
        return Vec::new();
    }
    let guarded = config.guarded();
    let unrouted = guarded.filter(|manager| manager.route_configs.is_empty()).map(|manager| {
        let place = ["rds", "scoped_routes"].iter().find_map(|name| manager.node.field(name));
        Finding::note(
            &place.unwrap_or(manager.node.clone()),
            "the routes are not in this file: whether one of them goes around Vigile is not known here",
        )
    });
    let alone = config.policies.iter().filter(|policy| is_alone(config, policy)).map(|policy| {
        Finding::note(
            &policy.node,
            "this policy is in no http_filters of this file: what goes around it is not known here",
        )
    });
    unrouted.chain(alone).collect()
}

fn is_alone(config: &Config<'_>, policy: &Policy<'_>) -> bool {
    let around = |filter: &Node<'_>| policy.node.is_within(filter);
    let in_manager =
        |manager: &Manager<'_>| manager.vigile().any(|(filter, _)| around(&filter.node));
    !config.is_bare() && !config.managers.iter().any(in_manager)
}
