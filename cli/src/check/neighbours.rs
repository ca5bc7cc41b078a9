//! Other ways to the apps: what leads to a cluster that Vigile guards elsewhere, and does not ask Vigile.

use super::{Finding, Severity};
use crate::config::{Config, Manager, Node, is_local, named_clusters};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let guarded = guarded(config);
    if guarded.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for manager in config.managers.iter().filter(|manager| !manager.asks_vigile()) {
        for route in manager.routes() {
            let severity = severity(manager.listener.as_ref());
            found.extend(judge(config, &guarded, &route.action, severity));
        }
    }
    for (tunnel, listener) in &config.tunnels {
        found.extend(judge(config, &guarded, tunnel, severity(listener.as_ref())));
    }
    found
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

fn judge(
    config: &Config<'_>,
    guarded: &[&str],
    action: &Node<'_>,
    severity: Severity,
) -> Vec<Finding> {
    let to_guarded = |cluster: &Node<'_>| {
        let name = cluster.text().unwrap_or_default();
        guarded.iter().any(|guarded| config.clusters.are_one(guarded, name))
    };
    let clusters = named_clusters(action).into_iter().filter(to_guarded).map(|cluster| {
        let name = cluster.text().unwrap_or_default();
        let problem = format!(
            "{name} is guarded by Vigile elsewhere, and this way to it goes around: add the filter here, or another cluster"
        );
        Finding::of(severity, &cluster, problem)
    });
    let chosen = action.field("cluster_header").map(|header| {
        let problem = "the caller chooses the cluster here, those that Vigile guards included";
        Finding::of(severity, &header, problem)
    });
    clusters.chain(chosen).collect()
}
