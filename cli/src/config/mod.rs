//! An Envoy config as `check` looks at it: connection managers, what leads past them, policies.
//!
//! Nothing here judges. A config may be a whole bootstrap, one resource of it, or a bare policy, which
//! has neither managers nor clusters.

mod cluster;
mod domains;
mod exposure;
mod filter;
mod listener;
mod manager;
mod node;
mod route;
mod switch;
mod way;

pub use cluster::{Clusters, Places, Reach};
pub use domains::{Domains, without_port};
pub use exposure::Exposure;
pub use filter::{Filter, is_of_kind};
pub use listener::{internal_name, is_listener, is_local, is_local_address};
pub use manager::Manager;
pub use node::{Node, Typed, is_field};
pub use route::{Route, VirtualHost, named_clusters};
pub use switch::Asked;
pub use way::{Chosen, Way};

use exposure::Exposures;
use filter::Plugins;
use manager::RouteConfigs;

use crate::find;
use crate::policy::{Environment, Policy};
use crate::proxy::Proxy;
use crate::yaml::Yaml;

/// A file, read.
pub struct Config<'y> {
    /// The document.
    pub root: Node<'y>,
    /// Every policy in it.
    pub policies: Vec<Policy<'y>>,
    /// Every HTTP connection manager.
    pub managers: Vec<Manager<'y>>,
    /// Every way on which Vigile is not asked, routes that switch it off aside.
    pub around: Vec<Way<'y>>,
    /// Which clusters lead to the same place.
    pub clusters: Clusters,
    exposures: Exposures,
    /// The variables that `{ env: … }` is read from, where the values are to be judged too.
    pub environment: Option<Environment>,
    /// The proxy that the policies are loaded into.
    pub proxy: Proxy,
}

const MANAGER: &str =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const ROUTES: &str = "envoy.config.route.v3.RouteConfiguration";

/// Filters of connections that lead to a cluster whatever its protocol is: HTTP too.
const PROXIES: [&str; 3] = [
    "envoy.extensions.filters.network.tcp_proxy.",
    "envoy.extensions.filters.network.sni_cluster.",
    "envoy.extensions.filters.network.generic_proxy.",
];

impl<'y> Config<'y> {
    /// Looks through a document: of one for another proxy than Envoy, at the policies alone.
    pub fn read(yaml: &'y Yaml, environment: Option<Environment>, proxy: Proxy) -> Self {
        let root = Node::root(yaml);
        let mut policies = find::policies(yaml);
        let mut seen = Seen::default();
        match proxy {
            Proxy::Envoy => seen.search(&root, None),
            _ => policies = policies.into_iter().map(Policy::alone).collect(),
        }
        let plugins = Plugins::of(&policies);
        let read = |(node, listener)| Manager::read(node, listener, &seen.routes, &plugins);
        let managers: Vec<Manager<'y>> = seen.managers.into_iter().map(read).collect();
        let around = way::around(&managers, &seen.proxies);
        let clusters = Clusters::read(&root, &around);
        let exposures = Exposures::of(&managers, &around, &clusters);
        Self { root, policies, managers, around, clusters, exposures, environment, proxy }
    }

    /// Tells whether the file is a policy and nothing else.
    pub fn is_bare(&self) -> bool {
        self.policies.iter().any(|policy| policy.node.path().is_empty())
    }

    /// The policies of a manager's own filters, those of upgrades included.
    pub fn policies_of(&self, manager: &Manager<'_>) -> Vec<&Policy<'y>> {
        manager.vigile().filter_map(|(_, policy)| self.policies.get(policy)).collect()
    }

    /// Tells whether Envoy Gateway made this filter: it names the VM by the policy that it comes from.
    pub fn is_of_envoy_gateway(&self, plugin: &Node<'_>) -> bool {
        let id = plugin.at(&["vm_config", "vm_id"]).and_then(|id| id.text());
        id.is_some_and(|id| id.starts_with("envoyextensionpolicy/"))
    }

    /// The managers that ask Vigile.
    pub fn guarded(&self) -> impl Iterator<Item = &Manager<'y>> {
        self.managers.iter().filter(|manager| manager.asks_vigile())
    }

    /// Tells who reaches a listener without asking Vigile; one that is not in the file is anybody's.
    pub fn exposure(&self, listener: Option<&Node<'y>>) -> Exposure {
        self.exposures.of_listener(listener)
    }

    /// The managers that ask Vigile, with each of their policies.
    pub fn guards(&self) -> impl Iterator<Item = (&Manager<'y>, &Policy<'y>)> {
        self.managers.iter().flat_map(|manager| {
            self.policies_of(manager).into_iter().map(move |policy| (manager, policy))
        })
    }
}

/// A message's fields and the listener around it.
type Placed<'y> = (Node<'y>, Option<Node<'y>>);

#[derive(Default)]
struct Seen<'y> {
    managers: Vec<Placed<'y>>,
    proxies: Vec<(Typed<'y>, Option<Node<'y>>)>,
    routes: RouteConfigs<'y>,
}

impl<'y> Seen<'y> {
    fn search(&mut self, node: &Node<'y>, listener: Option<&Node<'y>>) {
        let listener = if is_listener(node) { Some(node) } else { listener };
        match node.typed() {
            Some(typed) if typed.name == MANAGER => {
                self.managers.push((typed.fields, listener.cloned()));
            }
            Some(typed) if PROXIES.iter().any(|kind| typed.name.starts_with(kind)) => {
                self.proxies.push((typed, listener.cloned()));
            }
            Some(typed) if typed.name == ROUTES => {
                let name = typed.fields.word("name").unwrap_or_default();
                self.routes.entry(name).or_default().push(typed.fields);
            }
            _ => {
                node.entries().for_each(|(_, inner)| self.search(&inner, listener));
                node.items().for_each(|inner| self.search(&inner, listener));
            }
        }
    }
}
