//! Which clusters lead to the same place: by name, or by an endpoint that they share.

use std::collections::{BTreeMap, BTreeSet};

use super::Node;

/// The endpoints of every cluster that lists its own.
#[derive(Debug, Default)]
pub struct Clusters(BTreeMap<String, BTreeSet<String>>);

impl Clusters {
    /// Every map with a `load_assignment` is a cluster.
    pub(super) fn read(root: &Node<'_>) -> Self {
        let mut clusters = Self::default();
        for cluster in root.all(|node| node.field("load_assignment").is_some()) {
            let name = cluster.word("name").unwrap_or_default().to_owned();
            let endpoints = cluster.all(|node| node.key() == "address" && endpoint(node).is_some());
            clusters.0.entry(name).or_default().extend(endpoints.iter().filter_map(endpoint));
        }
        clusters
    }

    /// Whether both names lead to the same place.
    pub fn are_one(&self, one: &str, other: &str) -> bool {
        let shared = |one: &BTreeSet<String>, other: &BTreeSet<String>| !one.is_disjoint(other);
        one == other
            || self.0.get(one).zip(self.0.get(other)).is_some_and(|(one, other)| shared(one, other))
    }
}

/// An address with its port, or the path of a socket.
fn endpoint(address: &Node<'_>) -> Option<String> {
    if let Some(path) = address.at(&["pipe", "path"]) {
        return path.text().map(str::to_owned);
    }
    let socket = address.field("socket_address")?;
    Some(format!("{} {}", socket.word("address")?, socket.word("port_value").unwrap_or_default()))
}
