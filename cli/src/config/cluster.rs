//! Which clusters lead to the same place: by name, by an endpoint that they share, or by way of others.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Node;

/// The clusters of a file.
#[derive(Debug, Default)]
pub struct Clusters(BTreeMap<String, Cluster>);

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

impl Clusters {
    /// Every map with a `load_assignment` is a cluster, beside those in their usual places.
    pub(super) fn read(root: &Node<'_>) -> Self {
        let usual = root.at(&["static_resources", "clusters"]);
        let usual = usual.iter().flat_map(Node::items).collect::<Vec<_>>();
        let is_cluster = |node: &Node<'_>| {
            node.field("load_assignment").is_some()
                || node.typed().is_some_and(|typed| typed.name == CLUSTER)
        };
        let mut clusters = Self::default();
        for node in usual.into_iter().chain(root.all(is_cluster)) {
            let name = node.word("name").unwrap_or_default().to_owned();
            clusters.0.entry(name).or_insert_with(|| Cluster::read(&node));
        }
        clusters
    }

    /// Whether both names lead to the same place.
    pub fn are_one(&self, one: &str, other: &str) -> bool {
        let (one, other) = (self.behind(one), self.behind(other));
        let endpoints = |names: &BTreeSet<&str>| -> BTreeSet<&String> {
            names
                .iter()
                .filter_map(|name| self.0.get(*name))
                .flat_map(|one| &one.endpoints)
                .collect()
        };
        !one.is_disjoint(&other) || !endpoints(&one).is_disjoint(&endpoints(&other))
    }

    /// Where a cluster leads, by way of others too.
    pub fn reach(&self, name: &str) -> Reach {
        let reach = |name: &&str| self.0.get(*name).map_or(Reach::Untold, |cluster| cluster.reach);
        self.behind(name).iter().map(reach).max().unwrap_or(Reach::Untold)
    }

    /// This cluster and those behind it.
    fn behind<'n>(&'n self, name: &'n str) -> BTreeSet<&'n str> {
        let (mut found, mut left) = (BTreeSet::new(), vec![name]);
        while let Some(name) = left.pop() {
            if found.insert(name) {
                let members = self.0.get(name).into_iter().flat_map(|cluster| &cluster.members);
                left.extend(members.map(String::as_str));
            }
        }
        found
    }
}

impl Cluster {
    fn read(node: &Node<'_>) -> Self {
        let endpoints = node.field("load_assignment").map(|assignment| {
            assignment.all(|node| node.key() == "address" && endpoint(node).is_some())
        });
        let endpoints = endpoints.iter().flatten().filter_map(endpoint).collect();
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
        (Some("EDS" | "3"), _) => Reach::Untold,
        _ if endpoints.is_empty() => Reach::Untold,
        _ => Reach::Listed,
    }
}

/// An address with its port, or the path of a socket.
fn endpoint(address: &Node<'_>) -> Option<String> {
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
            let clusters = Clusters::read(&Node::root(&yaml));
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
        let clusters = Clusters::read(&Node::root(&yaml));
        assert!(clusters.are_one("a", "b") && !clusters.are_one("a", "c"));
        assert_eq!((clusters.reach("a"), clusters.reach("c")), (Reach::Listed, Reach::Untold));
    }
}
