//! An Envoy config as `check` looks at it: connection managers, what leads past them, policies.
//!
//! Nothing here judges. A config may be a whole bootstrap, one resource of it, or a bare policy, which
//! has neither managers nor clusters.

mod cluster;
mod domains;
mod manager;
mod node;
mod route;
mod way;

pub use cluster::{Clusters, Reach};
pub use domains::{Domains, without_port};
pub use manager::{Filter, Manager, is_local, is_local_address};
pub use node::{Node, Typed, is_field};
pub use route::{Route, VirtualHost, named_clusters};
pub use way::{Chosen, Way};

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
    /// Every TCP proxy, with the listener that it stands in.
    pub tunnels: Vec<(Node<'y>, Option<Node<'y>>)>,
    /// Which clusters lead to the same place.
    pub clusters: Clusters,
    /// What `{ env: … }` is read from, where the values are to be judged too.
    pub environment: Option<Environment>,
    /// What the policies are loaded into.
    pub proxy: Proxy,
}

const MANAGER: &str =
    "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";
const TUNNEL: &str = "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy";

impl<'y> Config<'y> {
    /// Looks through a document: of one for another proxy than Envoy, at the policies alone.
    pub fn read(yaml: &'y Yaml, environment: Option<Environment>, proxy: Proxy) -> Self {
        let root = Node::root(yaml);
        let policies = find::policies(yaml);
        let clusters = Clusters::read(&root);
        if proxy != Proxy::Envoy {
            let policies = policies.into_iter().map(Policy::alone).collect();
            let (managers, tunnels) = (Vec::new(), Vec::new());
            return Self { root, policies, managers, tunnels, clusters, environment, proxy };
        }
        let mut seen = Seen::default();
        seen.search(&root, None);
        let read = |(fields, listener)| Manager::read(fields, listener, &root, &policies);
        let managers = seen.managers.into_iter().map(read).collect();
        Self { managers, tunnels: seen.tunnels, clusters, policies, root, environment, proxy }
    }

    /// Whether the file is a policy and nothing else.
    pub fn is_bare(&self) -> bool {
        self.policies.iter().any(|policy| policy.node.path().is_empty())
    }

    /// The policies of a manager's own filters, those of upgrades included.
    pub fn policies_of(&self, manager: &Manager<'_>) -> Vec<&Policy<'y>> {
        manager.vigile().filter_map(|(_, policy)| self.policies.get(policy)).collect()
    }

    /// The managers that ask Vigile.
    pub fn guarded(&self) -> impl Iterator<Item = &Manager<'y>> {
        self.managers.iter().filter(|manager| manager.asks_vigile())
    }

    /// The same with each of their policies.
    pub fn guards(&self) -> impl Iterator<Item = (&Manager<'y>, &Policy<'y>)> {
        self.managers.iter().flat_map(|manager| {
            self.policies_of(manager).into_iter().map(move |policy| (manager, policy))
        })
    }
}

/// A message and the listener around it.
type Placed<'y> = (Node<'y>, Option<Node<'y>>);

#[derive(Default)]
struct Seen<'y> {
    managers: Vec<Placed<'y>>,
    tunnels: Vec<Placed<'y>>,
}

impl<'y> Seen<'y> {
    fn search(&mut self, node: &Node<'y>, listener: Option<&Node<'y>>) {
        let chains = ["filter_chains", "default_filter_chain", "api_listener"];
        let is_listener = chains.iter().any(|name| node.field(name).is_some());
        let listener = if is_listener { Some(node) } else { listener };
        match node.typed() {
            Some(typed) if typed.name == MANAGER => {
                self.managers.push((typed.fields, listener.cloned()));
            }
            Some(typed) if typed.name == TUNNEL => {
                self.tunnels.push((typed.fields, listener.cloned()));
            }
            _ => {
                node.entries().for_each(|(_, inner)| self.search(&inner, listener));
                node.items().for_each(|inner| self.search(&inner, listener));
            }
        }
    }
}
