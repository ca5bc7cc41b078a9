//! An HTTP connection manager: its filters, its routes, and where it listens.

use super::{Node, Route, VirtualHost};
use crate::policy::Policy;

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

/// One of `http_filters`.
pub struct Filter<'y> {
    /// The item.
    pub node: Node<'y>,
    /// The name by which routes configure it.
    pub name: &'y str,
    /// The type of its message, empty where it has none here.
    pub message: &'y str,
    /// The index of its policy among the file's, where it is Vigile.
    pub policy: Option<usize>,
}

const ROUTES: &str = "envoy.config.route.v3.RouteConfiguration";

impl<'y> Manager<'y> {
    pub(super) fn read(
        node: Node<'y>,
        listener: Option<Node<'y>>,
        root: &Node<'y>,
        policies: &[Policy<'y>],
    ) -> Self {
        let filters = |node: &Node<'y>, name: &str| -> Vec<Filter<'y>> {
            node.list(name).into_iter().map(|node| Filter::read(node, policies)).collect()
        };
        let upgrades = node.list("upgrade_configs").into_iter();
        let upgrades = upgrades.map(|upgrade| (upgrade.clone(), filters(&upgrade, "filters")));
        Self {
            listener,
            filters: filters(&node, "http_filters"),
            upgrades: upgrades.filter(|(_, filters)| !filters.is_empty()).collect(),
            route_configs: route_configs(&node, root),
            node,
        }
    }

    /// The Vigile filters and their policies' indices, those of upgrades included.
    pub fn vigile(&self) -> impl Iterator<Item = (&Filter<'y>, usize)> {
        let upgrades = self.upgrades.iter().flat_map(|(_, filters)| filters);
        let all = self.filters.iter().chain(upgrades);
        all.filter_map(|filter| Some((filter, filter.policy?)))
    }

    /// Whether it asks Vigile about requests that are no upgrade.
    pub fn asks_vigile(&self) -> bool {
        self.filters.iter().any(|filter| filter.policy.is_some())
    }

    /// Its virtual hosts, as far as they are known.
    pub fn virtual_hosts(&self) -> impl Iterator<Item = VirtualHost<'y>> {
        self.route_configs.iter().flat_map(|config| config.list("virtual_hosts")).map(VirtualHost)
    }

    /// All routes, as far as they are known.
    pub fn routes(&self) -> impl Iterator<Item = Route<'y>> {
        self.virtual_hosts().flat_map(|host| host.routes())
    }

    /// Whether only this machine can reach its listener: a loopback address, a Unix socket, or another
    /// listener of the same Envoy.
    pub fn is_local(&self) -> bool {
        self.listener.as_ref().is_some_and(is_local)
    }
}

impl<'y> Filter<'y> {
    fn read(node: Node<'y>, policies: &[Policy<'y>]) -> Self {
        let typed = node.typed_config();
        let plugin = typed.as_ref().and_then(|typed| typed.fields.field("config"));
        let plugin = plugin.map(|plugin| plugin.path());
        let is_own = |policy: &Policy<'y>| {
            plugin.is_some() && policy.plugin.as_ref().map(Node::path) == plugin
        };
        Self {
            name: node.word("name").unwrap_or_default(),
            message: typed.map(|typed| typed.name).unwrap_or_default(),
            policy: policies.iter().position(is_own),
            node,
        }
    }
}

/// Inline, or by RDS where the resource stands in this file.
fn route_configs<'y>(manager: &Node<'y>, root: &Node<'y>) -> Vec<Node<'y>> {
    if let Some(inline) = manager.field("route_config") {
        return vec![inline];
    }
    let Some(wanted) = manager.at(&["rds", "route_config_name"]).and_then(|name| name.text())
    else {
        let scoped = manager.field("scoped_routes");
        let inline = |scoped: Node<'y>| scoped.all(|node| node.field("virtual_hosts").is_some());
        return scoped.map(inline).unwrap_or_default();
    };
    let fits = |node: &Node<'y>| node.typed().is_some_and(|typed| typed.name == ROUTES);
    let named = |node: &Node<'y>| node.word("name") == Some(wanted);
    root.all(fits).into_iter().filter(named).collect()
}

/// Whether only this machine can reach a listener.
pub fn is_local(listener: &Node<'_>) -> bool {
    if listener.field("internal_listener").is_some() {
        return true;
    }
    let more = listener.list("additional_addresses");
    let mut all = more.iter().chain([listener]).filter_map(|node| node.field("address"));
    all.all(|address| is_local_address(&address)) && listener.field("address").is_some()
}

/// Whether an address is one that only this machine can reach.
pub fn is_local_address(address: &Node<'_>) -> bool {
    let local = |word: &str| {
        word.parse::<std::net::IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
    };
    match address.at(&["socket_address", "address"]) {
        Some(address) => address.text().is_some_and(local),
        None => ["pipe", "envoy_internal_address"].iter().any(|kind| address.field(kind).is_some()),
    }
}
