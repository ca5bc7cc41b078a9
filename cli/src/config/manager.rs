//! An HTTP connection manager: its filters, its routes, and where it listens.

use std::collections::BTreeMap;

use super::filter::{Filter, Plugins};
use super::switch::{Asked, switched};
use super::{Node, Route, VirtualHost, is_local};

/// A connection manager.
pub struct Manager<'y> {
    /// Its message.
    pub node: Node<'y>,
    /// The listener that it stands in.
    pub listener: Option<Node<'y>>,
    /// Its filters, in their order.
    pub filters: Vec<Filter<'y>>,
    /// Filters of its own for some upgrades, where these have any, in place of the others.
    pub upgrades: Vec<(Node<'y>, Vec<Filter<'y>>)>,
    /// Its route configurations, as far as they stand in this file.
    pub route_configs: Vec<Node<'y>>,
}

impl<'y> Manager<'y> {
    pub(super) fn read(
        node: Node<'y>,
        listener: Option<Node<'y>>,
        named: &RouteConfigs<'y>,
        plugins: &Plugins,
    ) -> Self {
        let filters = |node: &Node<'y>, name: &str| -> Vec<Filter<'y>> {
            node.list(name).into_iter().map(|node| Filter::read(node, plugins)).collect()
        };
        let upgrades = node.list("upgrade_configs").into_iter();
        let upgrades = upgrades.map(|upgrade| (upgrade.clone(), filters(&upgrade, "filters")));
        Self {
            listener,
            filters: filters(&node, "http_filters"),
            upgrades: upgrades.filter(|(_, filters)| !filters.is_empty()).collect(),
            route_configs: route_configs(&node, named),
            node,
        }
    }

    /// The Vigile filters and their policies' indices, those of upgrades included.
    pub fn vigile(&self) -> impl Iterator<Item = (&Filter<'y>, usize)> {
        let upgrades = self.upgrades.iter().flat_map(|(_, filters)| filters);
        let all = self.filters.iter().chain(upgrades);
        all.flat_map(|filter| filter.policies.iter().map(move |policy| (filter, *policy)))
    }

    /// Tells whether it asks Vigile about requests that are no upgrade: about all, or where a route switches
    /// the filter on.
    pub fn asks_vigile(&self) -> bool {
        self.filters.iter().any(Filter::is_vigile)
    }

    /// Its virtual hosts, as far as they are known.
    pub fn virtual_hosts(&self) -> impl Iterator<Item = VirtualHost<'y>> {
        self.route_configs.iter().flat_map(|config| config.list("virtual_hosts")).map(VirtualHost)
    }

    /// All routes, as far as they are known.
    pub fn routes(&self) -> impl Iterator<Item = Route<'y>> {
        self.virtual_hosts().flat_map(|host| host.routes())
    }

    /// The routes on which Vigile is asked like this.
    pub fn routes_asked(&self, wanted: Asked) -> Vec<(VirtualHost<'y>, Route<'y>)> {
        let asked = self
            .places()
            .filter(|(config, host, route)| self.asked(&[&route.node, &host.0, config]) == wanted);
        asked.map(|(_, host, route)| (host, route)).collect()
    }

    /// Tells whether some request that Vigile judges meets this filter: it runs in the chain, or a route that asks
    /// Vigile switches it on.
    pub fn meets(&self, filter: &Filter<'y>) -> bool {
        let by_route = || {
            self.places().any(|(config, host, route)| {
                let places = [&route.node, &host.0, &config];
                self.asked(&places) == Asked::Yes && switched(&places, filter.name) == Some(true)
            })
        };
        filter.disabled().is_none() || by_route()
    }

    /// Every route with what is around it: its route configuration and its virtual host.
    fn places(&self) -> impl Iterator<Item = (Node<'y>, VirtualHost<'y>, Route<'y>)> {
        self.route_configs.iter().flat_map(|config| {
            let hosts = config.list("virtual_hosts").into_iter().map(VirtualHost);
            hosts.flat_map(move |host| {
                let routes = host.routes().into_iter();
                routes.map(move |route| (config.clone(), host.clone(), route))
            })
        })
    }

    /// Tells whether Vigile is asked, by what these places say of its filters, the innermost first. Where a route
    /// leads to several clusters, each of them is a place too.
    fn asked(&self, places: &[&Node<'y>]) -> Asked {
        let weighted = places.first().and_then(|route| route.at(&["route", "weighted_clusters"]));
        let clusters = weighted.map(|weighted| weighted.list("clusters")).unwrap_or_default();
        let within = |cluster: &Node<'y>| {
            let inner: Vec<&Node<'y>> =
                std::iter::once(cluster).chain(places.iter().copied()).collect();
            self.asked_at(&inner)
        };
        clusters.iter().map(within).max().unwrap_or_else(|| self.asked_at(places))
    }

    fn asked_at(&self, places: &[&Node<'y>]) -> Asked {
        let filters = self.filters.iter().filter(|filter| filter.is_vigile());
        let asked = filters.map(|filter| {
            let by_chain = filter.disabled().is_none();
            match switched(places, filter.name).unwrap_or(by_chain) {
                true => Asked::Yes,
                false if by_chain => Asked::SwitchedOff,
                false => Asked::Never,
            }
        });
        asked.min().unwrap_or(Asked::Never)
    }

    /// The filter chain that it stands in.
    pub fn chain(&self) -> Option<Node<'y>> {
        let listener = self.listener.as_ref()?;
        let chains = listener.list("filter_chains").into_iter();
        let mut chains = chains.chain(listener.field("default_filter_chain"));
        let own = std::ptr::from_ref(self.node.yaml());
        chains.find(|chain| !chain.all(|node| std::ptr::eq(node.yaml(), own)).is_empty())
    }

    /// Tells whether only this machine can reach its listener: a loopback address, a Unix socket, or another
    /// listener of the same Envoy.
    pub fn is_local(&self) -> bool {
        self.listener.as_ref().is_some_and(is_local)
    }
}

/// Route configurations that stand in a file by themselves, by their names: RDS.
pub(super) type RouteConfigs<'y> = BTreeMap<&'y str, Vec<Node<'y>>>;

/// Inline, or by RDS where the resource stands in this file.
fn route_configs<'y>(manager: &Node<'y>, named: &RouteConfigs<'y>) -> Vec<Node<'y>> {
    if let Some(inline) = manager.field("route_config") {
        return vec![inline];
    }
    let Some(wanted) = manager.at(&["rds", "route_config_name"]).and_then(|name| name.text())
    else {
        let scoped = manager.field("scoped_routes");
        let inline = |scoped: Node<'y>| scoped.all(|node| node.field("virtual_hosts").is_some());
        return scoped.map(inline).unwrap_or_default();
    };
    named.get(wanted).cloned().unwrap_or_default()
}
