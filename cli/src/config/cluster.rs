//! Which clusters lead to the same place: by name, by an endpoint that they share, or by way of others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Chosen, Node, Way, internal_name};

/// The clusters of a file.
#[derive(Debug, Default)]
pub struct Clusters {
    named: BTreeMap<String, Cluster>,
    /// Where listeners lead that only this Envoy reaches, by their endpoints.
    internal: BTreeMap<String, Vec<String>>,
}

/// Clusters and what they lead to, other clusters and endpoints.
#[derive(Debug, Default)]
pub struct Places<'n> {
    names: BTreeSet<&'n str>,
    endpoints: BTreeSet<&'n str>,
}

/// Where a cluster leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// To endpoints that the file lists.
    Listed,
    /// To endpoints that the file does not tell: EDS, a cluster of another file, a kind of its own.
    Untold,
    /// To the host that a request names (`dynamic_forward_proxy`).
    Host,
    /// To the address that a request names in a header (`use_http_header`).
    Header,
}

#[derive(Debug)]
struct Cluster {
    endpoints: BTreeSet<String>,
    /// The clusters behind one that has no endpoints of its own.
    members: Vec<String>,
    reach: Reach,
}

const CLUSTER: &str = "envoy.config.cluster.v3.Cluster";
const ENDPOINTS: &str = "envoy.config.endpoint.v3.ClusterLoadAssignment";

impl Clusters {
    /// Every map with a `load_assignment` is a cluster, beside those in their usual places. Ways that ask
    /// Vigile end at it, and the others lead on.
    pub(super) fn read(root: &Node<'_>, around: &[Way<'_>]) -> Self {
        let usual = root.at(&["static_resources", "clusters"]);
        let usual = usual.iter().flat_map(Node::items).collect::<Vec<_>>();
        let is_cluster = |node: &Node<'_>| {
            node.field("load_assignment").is_some()
                || node.typed().is_some_and(|typed| typed.name == CLUSTER)
        };
        let told = Told::read(root);
        let mut clusters = Self::default();
        for node in usual.into_iter().chain(root.all(is_cluster)) {
            let name = node.word("name").unwrap_or_default().to_owned();
            clusters.named.entry(name).or_insert_with(|| Cluster::read(&node, &told));
        }
        for way in around.iter().filter(|way| way.chosen == Chosen::Named) {
            let listener = way.listener.as_ref().and_then(internal_name);
            if let Some((listener, cluster)) = listener.zip(way.node.text()) {
                let known = clusters.internal.entry(internal(listener)).or_default();
                known.push(cluster.to_owned());
            }
        }
        clusters
    }

    /// Tells whether both names lead to the same place.
    pub fn are_one<'n>(&'n self, one: &'n str, other: &'n str) -> bool {
        self.meets(&self.behind([one]), other)
    }

    /// Tells whether a name leads to one of these places.
    pub fn meets<'n>(&'n self, places: &Places<'n>, name: &'n str) -> bool {
        let own = self.behind([name]);
        !own.names.is_disjoint(&places.names) || !own.endpoints.is_disjoint(&places.endpoints)
    }

    /// Tells whether a name leads to this address.
    pub fn leads_to(&self, name: &str, address: &Node<'_>) -> bool {
        let address = endpoint(address).unwrap_or_default();
        self.behind([name]).endpoints.contains(address.as_str())
    }

    /// Tells whether a name leads to a listener that only this Envoy reaches.
    pub(super) fn leads_to_internal(&self, name: &str, listener: &str) -> bool {
        self.behind([name]).endpoints.contains(internal(listener).as_str())
    }

    /// Where a cluster leads, by way of others too.
    pub fn reach(&self, name: &str) -> Reach {
        let reach =
            |name: &&str| self.named.get(*name).map_or(Reach::Untold, |cluster| cluster.reach);
        self.behind([name]).names.iter().map(reach).max().unwrap_or(Reach::Untold)
    }

    /// These clusters, and what is behind them.
    pub fn behind<'n>(&'n self, names: impl IntoIterator<Item = &'n str>) -> Places<'n> {
        let (mut found, mut left) = (Places::default(), names.into_iter().collect::<Vec<_>>());
        while let Some(name) = left.pop() {
            if !found.names.insert(name) {
                continue;
            }
            let Some(cluster) = self.named.get(name) else { continue };
            left.extend(cluster.members.iter().map(String::as_str));
            for endpoint in &cluster.endpoints {
                found.endpoints.insert(endpoint);
                let inner = self.internal.get(endpoint).into_iter().flatten();
                left.extend(inner.map(String::as_str));
            }
        }
        found
    }
}

/// Endpoints that stand apart from their clusters: what EDS brought, as `config_dump` shows it.
struct Told(BTreeMap<String, BTreeSet<String>>);

impl Told {
    fn read(root: &Node<'_>) -> Self {
        let is_told = |node: &Node<'_>| node.typed().is_some_and(|typed| typed.name == ENDPOINTS);
        let told = root.all(is_told).into_iter().map(|node| {
            (node.word("cluster_name").unwrap_or_default().to_owned(), endpoints(&node))
        });
        Self(told.collect())
    }

    /// Those of a cluster, by the name under which it asks for them.
    fn of(&self, cluster: &Node<'_>) -> BTreeSet<String> {
        let service = cluster.at(&["eds_cluster_config", "service_name"]);
        let service = service.and_then(|name| name.text()).filter(|name| !name.is_empty());
        let name = service.or_else(|| cluster.word("name")).unwrap_or_default();
        self.0.get(name).cloned().unwrap_or_default()
    }
}

impl Cluster {
    fn read(node: &Node<'_>, told: &Told) -> Self {
        let endpoints = match node.field("load_assignment") {
            Some(assignment) => endpoints(&assignment),
            None => told.of(node),
        };
        let members = members(node);
        let reach = if members.is_empty() { reach(node, &endpoints) } else { Reach::Listed };
        Self { endpoints, members, reach }
    }
}

/// The members of an aggregate or a composite cluster.
fn members(cluster: &Node<'_>) -> Vec<String> {
    let kind = cluster.field("cluster_type").and_then(|kind| kind.typed_config());
    let members = kind.map(|kind| kind.fields.list("clusters")).unwrap_or_default();
    let name = |member: &Node<'_>| Some(member.text().or_else(|| member.word("name"))?.to_owned());
    members.iter().filter_map(name).collect()
}

fn reach(cluster: &Node<'_>, endpoints: &BTreeSet<String>) -> Reach {
    let kind = cluster.field("cluster_type").and_then(|kind| kind.typed_config());
    let original = cluster.field("original_dst_lb_config");
    // Envoy takes the numbers of the words too.
    match (cluster.word("type"), kind) {
        (_, Some(kind)) if kind.name.contains(".dynamic_forward_proxy.") => Reach::Host,
        (Some("ORIGINAL_DST" | "4"), _) => {
            let header = original.and_then(|config| config.switched_on("use_http_header"));
            if header.is_some() { Reach::Header } else { Reach::Untold }
        }
        _ if endpoints.is_empty() => Reach::Untold,
        _ => Reach::Listed,
    }
}

fn endpoints(assignment: &Node<'_>) -> BTreeSet<String> {
    let addresses = assignment.all(|node| node.key() == "address" && endpoint(node).is_some());
    addresses.iter().filter_map(endpoint).collect()
}

/// A listener as an endpoint.
fn internal(listener: &str) -> String {
    format!("internal {listener}")
}

/// An address with its port, the path of a socket, or a listener of this Envoy.
fn endpoint(address: &Node<'_>) -> Option<String> {
    if let Some(listener) = address.at(&["envoy_internal_address", "server_listener_name"]) {
        return listener.text().map(internal);
    }
    if let Some(path) = address.at(&["pipe", "path"]) {
        return path.text().map(str::to_owned);
    }
    let socket = address.field("socket_address")?;
    let host = host(socket.word("address")?);
    Some(format!("{host} {}", socket.word("port_value").unwrap_or_default()))
}

/// One spelling of a host; this machine has many.
fn host(address: &str) -> String {
    let name = address.strip_suffix('.').unwrap_or(address).to_ascii_lowercase();
    let is_here = |address: &IpAddr| {
        let usual = [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)];
        address.is_unspecified() || usual.contains(address)
    };
    match name.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(address) if is_here(&address) => "localhost".to_owned(),
        Ok(address) => address.to_string(),
        Err(_) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::{Clusters, Node, Reach};
    use crate::yaml::Yaml;

    fn at(address: &str) -> String {
        format!("address: {{ socket_address: {{ address: \"{address}\", port_value: 80 }} }}")
    }

    #[test]
    fn this_machine_has_many_names() {
        for (one, other, same) in [
            ("127.0.0.1", "localhost", true),
            ("::1", "LOCALHOST.", true),
            ("::ffff:127.0.0.1", "0.0.0.0", true),
            ("2001:db8::1", "2001:0db8:0::1", true),
            ("App.internal", "app.internal.", true),
            ("127.0.0.2", "127.0.0.1", false),
            ("app.internal", "localhost", false),
        ] {
            let text = format!(
                "[{{ name: a, load_assignment: {{ {} }} }}, {{ name: b, load_assignment: {{ {} }} }}]",
                at(one),
                at(other)
            );
            let yaml = Yaml::parse(&text).unwrap();
            let clusters = Clusters::read(&Node::root(&yaml), &[]);
            assert_eq!(clusters.are_one("a", "b"), same, "{one} {other}");
        }
    }

    #[test]
    fn clusters_of_each_other_come_to_an_end() {
        let kind = |member| {
            format!(
                "cluster_type: {{ name: x, typed_config: {{ '@type': x/Any, clusters: [{member}] }} }}"
            )
        };
        let text = format!(
            "static_resources: {{ clusters: [{{ name: a, {} }}, {{ name: b, {} }}] }}",
            kind("b"),
            kind("a")
        );
        let yaml = Yaml::parse(&text).unwrap();
        let clusters = Clusters::read(&Node::root(&yaml), &[]);
        assert!(clusters.are_one("a", "b") && !clusters.are_one("a", "c"));
        assert_eq!((clusters.reach("a"), clusters.reach("c")), (Reach::Listed, Reach::Untold));
    }
}
