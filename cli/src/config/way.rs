//! Ways to clusters that do not ask Vigile: routes, mirrored requests, proxies of connections.

use super::{Asked, Manager, Node, Route, Typed, named_clusters};

/// A way, at the word that names where it leads.
#[derive(Clone, Debug)]
pub struct Way<'y> {
    /// The name of a cluster, of a header, or of a plugin.
    pub node: Node<'y>,
    /// The one who chooses the cluster.
    pub chosen: Chosen,
    /// The listener that it begins at.
    pub listener: Option<Node<'y>>,
    /// Tells whether requests come here whatever host they name.
    pub any_host: bool,
    /// The route, where it is one.
    pub route: Option<Node<'y>>,
}

/// The one who says which cluster it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// The config, by its name.
    Named,
    /// The caller, in a header or in the name that a TLS connection asks for (SNI).
    ByCaller,
    /// A plugin.
    ByPlugin,
}

/// Every way on which Vigile is not asked. Routes that switch it off are not among them (`disabled`).
pub(super) fn around<'y>(
    managers: &[Manager<'y>],
    proxies: &[(Typed<'y>, Option<Node<'y>>)],
) -> Vec<Way<'y>> {
    let proxies = proxies.iter().flat_map(|(proxy, listener)| {
        let way = |(node, chosen)| Way {
            node,
            chosen,
            listener: listener.clone(),
            any_host: true,
            route: None,
        };
        of_proxy(proxy).into_iter().map(way).collect::<Vec<_>>()
    });
    managers.iter().flat_map(of_manager).chain(proxies).collect()
}

fn of_manager<'y>(manager: &Manager<'y>) -> Vec<Way<'y>> {
    let way = |node, chosen, route: Option<&Route<'y>>, any_host| Way {
        node,
        chosen,
        listener: manager.listener.clone(),
        any_host,
        route: route.map(|route| route.node.clone()),
    };
    let mut ways = Vec::new();
    for (host, route) in manager.routes_asked(Asked::Never) {
        let named = named(&route.action);
        ways.extend(named.map(|(node, by)| way(node, by, Some(&route), host.takes_many())));
    }
    if manager.asks_vigile() {
        return ways;
    }
    for config in &manager.route_configs {
        let mirroring = config.all(|node| node.field("request_mirror_policies").is_some());
        let mirrors = mirroring.iter().flat_map(|node| node.list("request_mirror_policies"));
        let named = mirrors.flat_map(|mirror| named(&mirror));
        ways.extend(named.map(|(node, by)| way(node, by, None, true)));
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

/// Filters of connections, of which each speaks for all that it carries.
fn of_proxy<'y>(proxy: &Typed<'y>) -> Vec<(Node<'y>, Chosen)> {
    match proxy.name.rsplit('.').next() {
        Some("TcpProxy") => named(&proxy.fields).collect(),
        Some("SniCluster") => vec![(proxy.fields.clone(), Chosen::ByCaller)],
        // Deeper in these, and nothing else in them has the name.
        _ => {
            let clusters =
                proxy.fields.all(|node| node.key() == "cluster" && node.text().is_some());
            clusters.into_iter().map(|node| (node, Chosen::Named)).collect()
        }
    }
}
