//! Ways to clusters that do not ask Vigile: routes, mirrored requests, TCP proxies.

use super::{Config, Manager, Node, named_clusters};

/// A way, at the word that names where it leads.
pub struct Way<'y> {
    /// The name of a cluster, of a header, or of a plugin.
    pub node: Node<'y>,
    /// How the cluster is chosen.
    pub chosen: Chosen,
    /// The listener that it begins at.
    pub listener: Option<Node<'y>>,
    /// Whether requests come here whatever host they name.
    pub any_host: bool,
}

/// Who says which cluster it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// The config, by its name.
    Named,
    /// The caller, in a header.
    ByCaller,
    /// A plugin.
    ByPlugin,
}

impl<'y> Config<'y> {
    /// Every way on which Vigile is not asked.
    pub fn ways_around(&self) -> Vec<Way<'y>> {
        let unguarded = self.managers.iter().filter(|manager| !manager.asks_vigile());
        let tunnels = self.tunnels.iter().flat_map(|(tunnel, listener)| {
            named(tunnel).map(|(node, chosen)| Way {
                node,
                chosen,
                listener: listener.clone(),
                any_host: true,
            })
        });
        unguarded.flat_map(of_manager).chain(tunnels).collect()
    }
}

fn of_manager<'y>(manager: &Manager<'y>) -> Vec<Way<'y>> {
    let mut ways = Vec::new();
    let mut add = |any_host, named: &mut dyn Iterator<Item = (Node<'y>, Chosen)>| {
        let listener = &manager.listener;
        ways.extend(named.map(|(node, chosen)| Way {
            node,
            chosen,
            listener: listener.clone(),
            any_host,
        }));
    };
    for host in manager.virtual_hosts() {
        for route in host.routes() {
            add(host.takes_many(), &mut named(&route.action));
        }
    }
    for config in &manager.route_configs {
        let mirroring = config.all(|node| node.field("request_mirror_policies").is_some());
        let mirrors = mirroring.iter().flat_map(|node| node.list("request_mirror_policies"));
        mirrors.for_each(|mirror| add(true, &mut named(&mirror)));
    }
    ways
}

fn named<'y>(action: &Node<'y>) -> impl Iterator<Item = (Node<'y>, Chosen)> + use<'y> {
    let weighted = action.field("weighted_clusters").map(|weighted| weighted.list("clusters"));
    let all = weighted.into_iter().flatten().chain([action.clone()]);
    let headers = all.filter_map(|one| one.field("cluster_header"));
    let plugins = ["cluster_specifier_plugin", "inline_cluster_specifier_plugin"];
    let plugin = plugins.iter().find_map(|name| action.field(name));
    let clusters = named_clusters(action).into_iter().map(|node| (node, Chosen::Named));
    let headers: Vec<_> = headers.map(|node| (node, Chosen::ByCaller)).collect();
    clusters.chain(headers).chain(plugin.map(|node| (node, Chosen::ByPlugin)))
}
