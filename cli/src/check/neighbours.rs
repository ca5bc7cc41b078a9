//! Other ways to the apps: what leads to a cluster that Vigile guards elsewhere, and does not ask Vigile.

use super::{Finding, Severity};
use crate::config::{Chosen, Config, Manager, Node, Reach, Way, is_local};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let guarded = guarded(config);
    if guarded.is_empty() {
        return Vec::new();
    }
    config.ways_around().iter().filter_map(|way| judge(config, &guarded, way)).collect()
}

fn judge(config: &Config<'_>, guarded: &[&str], way: &Way<'_>) -> Option<Finding> {
    let name = way.node.text().unwrap_or_default();
    let problem = match (way.chosen, leads(config, guarded, way)) {
        (Chosen::ByCaller, _) => CHOSEN_CLUSTER.to_owned(),
        (Chosen::Named, Leads::ToGuarded) => format!(
            "{name} is guarded by Vigile elsewhere, and this way to it goes around: add the filter here, or another cluster"
        ),
        (Chosen::Named, Leads::Anywhere) => CHOSEN_ADDRESS.to_owned(),
        _ => return None,
    };
    Some(Finding::of(severity(way.listener.as_ref()), &way.node, problem))
}

const CHOSEN_CLUSTER: &str =
    "the caller chooses the cluster here, those that Vigile guards included";
const CHOSEN_ADDRESS: &str = "the caller chooses the address here, those of apps that Vigile guards included: name the hosts (domains), or add the filter";

/// What cannot be told of the ways around Vigile (`unseen`).
pub(super) fn untold(config: &Config<'_>) -> Vec<Finding> {
    let guarded = guarded(config);
    if guarded.is_empty() {
        return Vec::new();
    }
    let ways = config.ways_around();
    let untold = ways.iter().filter_map(|way| {
        let problem = match (way.chosen, leads(config, &guarded, way)) {
            (Chosen::ByPlugin, _) => "a plugin chooses the cluster here",
            (Chosen::Named, Leads::Untold) => "the addresses of this cluster are not in this file",
            (Chosen::Named, Leads::Elsewhere) if is_untold(config, &guarded) => {
                "the addresses of a cluster that Vigile guards are not in this file"
            }
            _ => return None,
        };
        let problem = format!("{problem}: whether this way leads around Vigile is not known here");
        Some(Finding::note(&way.node, problem))
    });
    untold.collect()
}

fn is_untold(config: &Config<'_>, guarded: &[&str]) -> bool {
    guarded.iter().any(|name| config.clusters.reach(name) == Reach::Untold)
}

/// Where a way around Vigile leads.
enum Leads {
    ToGuarded,
    Anywhere,
    Untold,
    Elsewhere,
}

fn leads(config: &Config<'_>, guarded: &[&str], way: &Way<'_>) -> Leads {
    let name = way.node.text().unwrap_or_default();
    if guarded.iter().any(|guarded| config.clusters.are_one(guarded, name)) {
        return Leads::ToGuarded;
    }
    match config.clusters.reach(name) {
        Reach::Header => Leads::Anywhere,
        Reach::Host if way.any_host => Leads::Anywhere,
        Reach::Untold => Leads::Untold,
        Reach::Host | Reach::Listed => Leads::Elsewhere,
    }
}

/// The clusters that requests reach by way of Vigile.
fn guarded<'y>(config: &Config<'y>) -> Vec<&'y str> {
    let managers = config.guarded();
    let clusters = managers.flat_map(Manager::routes).flat_map(|route| route.clusters());
    clusters.filter_map(|cluster| cluster.text()).collect()
}

/// A way in for this machine alone may be meant so.
fn severity(listener: Option<&Node<'_>>) -> Severity {
    if listener.is_some_and(is_local) { Severity::Warning } else { Severity::Error }
}
