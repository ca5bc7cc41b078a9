//! What cannot be judged from this file: said, so that silence means that all was looked at.

use std::collections::BTreeSet;

use super::Finding;
use super::writes::{Side, messages, sources};
use crate::config::{Config, Manager, is_of_kind};
use crate::policy::Policy;
use crate::proxy::Proxy;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    // Where the policies alone are judged, nothing else was to be looked at.
    if config.proxy != Proxy::Envoy {
        return Vec::new();
    }
    let unrouted = config.managers.iter().flat_map(|manager| routes_elsewhere(config, manager));
    let alone = alone(config).map(|policy| Finding::note(&policy.node, IN_NO_FILTERS));
    let around = super::neighbours::untold(config).into_iter().chain(listeners_elsewhere(config));
    let filters = config.managers.iter().flat_map(filters_elsewhere);
    let opaque = config.guarded().flat_map(opaque);
    unrouted.chain(alone).chain(around).chain(filters).chain(opaque).collect()
}

/// Vigile filters whose configuration a discovery service hands out.
fn filters_elsewhere(manager: &Manager<'_>) -> Vec<Finding> {
    let upgrades = manager.upgrades.iter().flat_map(|(_, filters)| filters);
    let filters = manager.filters.iter().chain(upgrades).filter(|filter| filter.is_vigile());
    let found = filters.filter_map(|filter| {
        let problem = match filter.policies.is_empty() {
            true => "the policy of this filter comes from elsewhere (ECDS): check that resource too",
            false => "another policy may come from elsewhere (ECDS) in the place of this one: check that resource too",
        };
        Some(Finding::note(filter.discovery.as_ref()?, problem))
    });
    found.collect()
}

/// Code beside Vigile that is not in this file, and may write what Vigile judges or tells the app.
fn opaque(manager: &Manager<'_>) -> Vec<Finding> {
    let beside = [(Side::Before, "before Vigile judges"), (Side::Behind, "behind Vigile")];
    let found = beside.iter().flat_map(|(side, place)| {
        let found = messages(manager, *side).into_iter().flat_map(|typed| {
            let kinds = ["wasm", "dynamic_modules", "golang"];
            let is_code = kinds.iter().any(|kind| is_of_kind(&typed, kind));
            let scripts = if is_of_kind(&typed, "lua") { sources(&typed.fields) } else { Vec::new() };
            let unread = scripts.into_iter().filter(|(_, text)| text.is_none());
            let unread = unread.map(|(node, _)| node);
            is_code.then_some(typed.fields).into_iter().chain(unread)
        });
        found.map(move |node| {
            let problem = format!("what this filter writes {place} is not known here: a path, a credential, a header that the policy forwards?");
            Finding::note(&node, problem)
        })
    });
    found.collect()
}

const IN_NO_FILTERS: &str =
    "this policy is in no http_filters of this file: what goes around it is not known here";

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

/// Policies that no filter of this file loads. What stands in a wrapper is another finding (`condition`).
fn alone<'c, 'y>(config: &'c Config<'y>) -> impl Iterator<Item = &'c Policy<'y>> {
    let used = config.managers.iter().flat_map(Manager::vigile).map(|(_, index)| index);
    let used: BTreeSet<usize> = used.chain(super::conditions::wrapped(config)).collect();
    let all = config.policies.iter().enumerate().filter(|_| !config.is_bare());
    all.filter(move |(index, _)| !used.contains(index)).map(|(_, policy)| policy)
}
