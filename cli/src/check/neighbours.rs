//! Other ways to the apps: what leads to a cluster that Vigile guards elsewhere, and does not ask Vigile.

use super::{Finding, Severity};
use crate::config::{Asked, Chosen, Config, Exposure, Manager, Places, Reach, Way};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let Some(guarded) = Guarded::of(config) else { return Vec::new() };
    config.around.iter().filter_map(|way| judge(config, &guarded, way)).collect()
}

fn judge(config: &Config<'_>, guarded: &Guarded<'_>, way: &Way<'_>) -> Option<Finding> {
    let name = way.node.text().unwrap_or_default();
    let problem = match (way.chosen, leads(config, guarded, way)) {
        (Chosen::ByCaller, _) => CHOSEN_CLUSTER.to_owned(),
        (Chosen::Named, Leads::ToGuarded) => format!(
            "{name} is guarded by Vigile elsewhere, and this way to it goes around: add the filter here, or another cluster"
        ),
        (Chosen::Named, Leads::Anywhere) => CHOSEN_ADDRESS.to_owned(),
        _ => return None,
    };
    let severity = match config.exposure(way.listener.as_ref()) {
        Exposure::Nobody => return None,
        // A way in for this machine alone may be meant so.
        Exposure::Machine => Severity::Warning,
        Exposure::Anybody => Severity::Error,
    };
    Some(Finding::of(severity, &way.node, problem))
}

const CHOSEN_CLUSTER: &str =
    "the caller chooses the cluster here, those that Vigile guards included";
const CHOSEN_ADDRESS: &str = "the caller chooses the address here, those of apps that Vigile guards included: name the hosts (domains), or add the filter";

/// Notes on ways around Vigile of which the file does not tell all (`unseen`).
pub(super) fn untold(config: &Config<'_>) -> Vec<Finding> {
    let Some(guarded) = Guarded::of(config) else { return Vec::new() };
    let untold = config.around.iter().filter_map(|way| {
        let problem = match (way.chosen, leads(config, &guarded, way)) {
            (Chosen::ByPlugin, _) => "a plugin chooses the cluster here",
            (Chosen::Named, Leads::Untold) => "the addresses of this cluster are not in this file",
            (Chosen::Named, Leads::Elsewhere) if guarded.has_untold => {
                "the addresses of a cluster that Vigile guards are not in this file"
            }
            _ => return None,
        };
        let problem = format!("{problem}: whether this way leads around Vigile is not known here");
        Some(Finding::note(&way.node, problem))
    });
    untold.collect()
}

/// Where a way around Vigile leads.
enum Leads {
    ToGuarded,
    Anywhere,
    Untold,
    Elsewhere,
}

fn leads(config: &Config<'_>, guarded: &Guarded<'_>, way: &Way<'_>) -> Leads {
    let name = way.node.text().unwrap_or_default();
    if config.clusters.meets(&guarded.places, name) {
        return Leads::ToGuarded;
    }
    match config.clusters.reach(name) {
        Reach::Header => Leads::Anywhere,
        Reach::Host if way.any_host => Leads::Anywhere,
        Reach::Untold => Leads::Untold,
        Reach::Host | Reach::Listed => Leads::Elsewhere,
    }
}

/// Places that requests reach by way of Vigile.
struct Guarded<'c> {
    places: Places<'c>,
    /// Tells whether the addresses of some of it are not in the file.
    has_untold: bool,
}

impl<'c> Guarded<'c> {
    fn of(config: &'c Config<'_>) -> Option<Self> {
        let managers = config.guarded();
        let routes = managers.flat_map(|manager: &Manager<'_>| manager.routes_asked(Asked::Yes));
        let clusters = routes.flat_map(|(_, route)| route.clusters());
        let names: Vec<&str> = clusters.filter_map(|cluster| cluster.text()).collect();
        let is_untold = |name: &&str| config.clusters.reach(name) == Reach::Untold;
        (!names.is_empty()).then(|| Self {
            has_untold: names.iter().any(is_untold),
            places: config.clusters.behind(names),
        })
    }
}
