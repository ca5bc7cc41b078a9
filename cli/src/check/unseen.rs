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
    let unrouted = config.managers.iter().flat_map(|manager| routes_elsewhere(config, manager));
    let alone = config.policies.iter().filter(|policy| is_alone(config, policy)).map(|policy| {
        Finding::note(
            &policy.node,
            "this policy is in no http_filters of this file: what goes around it is not known here",
        )
    });
    let around = super::neighbours::untold(config).into_iter().chain(listeners_elsewhere(config));
    unrouted.chain(alone).chain(around).collect()
}

/// Routes that come over RDS or VHDS. Those of a manager without Vigile count where another one has it.
fn routes_elsewhere<'y>(config: &Config<'y>, manager: &Manager<'y>) -> Vec<Finding> {
    if config.guarded().next().is_none() {
        return Vec::new();
    }
    let node = &manager.node;
    let by_name = || ["rds", "scoped_routes"].iter().find_map(|name| node.field(name));
    let all = manager.route_configs.is_empty().then(|| by_name().unwrap_or(node.clone()));
    let some = manager.route_configs.iter().filter_map(|config| config.field("vhds"));
    some.chain(all).map(|place| Finding::note(&place, ROUTES_ELSEWHERE)).collect()
}

const ROUTES_ELSEWHERE: &str =
    "the routes are not in this file: whether one of them goes around Vigile is not known here";

/// Listeners that come over LDS beside those that stand here.
fn listeners_elsewhere(config: &Config<'_>) -> Option<Finding> {
    let lds = config.root.at(&["dynamic_resources", "lds_config"])?;
    config.guarded().next()?;
    Some(Finding::note(
        &lds,
        "more listeners come from elsewhere: whether one of them leads around Vigile is not known here",
    ))
}

fn is_alone(config: &Config<'_>, policy: &Policy<'_>) -> bool {
    let around = |filter: &Node<'_>| policy.node.is_within(filter);
    let in_manager =
        |manager: &Manager<'_>| manager.vigile().any(|(filter, _)| around(&filter.node));
    !config.is_bare() && !config.managers.iter().any(in_manager)
}
