//! Virtual hosts, their routes, and the clusters that these lead to.

use super::{Node, without_port};

/// One of `virtual_hosts`.
#[derive(Clone, Debug)]
pub struct VirtualHost<'y>(pub Node<'y>);

/// Something that a virtual host does with requests.
#[derive(Clone, Debug)]
pub struct Route<'y> {
    /// The route, `match` and all.
    pub node: Node<'y>,
    /// Its `route`: where it leads. Redirects and direct responses have none.
    pub action: Node<'y>,
}

impl<'y> VirtualHost<'y> {
    /// Tells whether it may take a request for this host, of a policy: a name, or `*.` and the end of many.
    pub fn takes(&self, host: &str) -> bool {
        self.0.list("domains").iter().filter_map(Node::text).any(|domain| meets(domain, host))
    }

    /// Tells whether it takes requests for hosts that no domain of it names in full.
    pub fn takes_many(&self) -> bool {
        self.0
            .list("domains")
            .iter()
            .filter_map(Node::text)
            .any(|name| without_port(name).contains('*'))
    }

    /// Every route that leads to a cluster, wherever it stands: in `routes`, or in a matcher.
    pub fn routes(&self) -> Vec<Route<'y>> {
        let route = |node: Node<'y>| {
            let action = node.get("route").filter(|action| !action.yaml().entries().is_empty())?;
            Some(Route { node, action })
        };
        self.0.all(|node| node.get("route").is_some()).into_iter().filter_map(route).collect()
    }
}

impl<'y> Route<'y> {
    /// Tells whether one path alone leads here.
    pub fn is_one_path(&self) -> bool {
        self.node.at(&["match", "path"]).is_some()
    }

    /// Its clusters by name.
    pub fn clusters(&self) -> Vec<Node<'y>> {
        named_clusters(&self.action)
    }
}

/// The clusters that a route or a TCP proxy names.
pub fn named_clusters<'y>(action: &Node<'y>) -> Vec<Node<'y>> {
    let weighted = action.field("weighted_clusters").map(|weighted| weighted.list("clusters"));
    let weighted = weighted.into_iter().flatten().filter_map(|cluster| cluster.field("name"));
    action.field("cluster").into_iter().chain(weighted).collect()
}

/// Tells whether some host is both in an Envoy domain and in a policy's pattern.
fn meets(domain: &str, host: &str) -> bool {
    let (domain, host) = (without_port(domain).to_ascii_lowercase(), host.to_ascii_lowercase());
    let below = |name: &str| host.strip_prefix('*').map(|end| name.ends_with(end));
    match (domain.strip_prefix('*'), domain.strip_suffix('*')) {
        (Some(end), _) => host.ends_with(end) || below(end) == Some(true),
        // `sd.*` and `*.example.org` have some host in common, whatever they are.
        (None, Some(start)) => host.starts_with(start) || host.starts_with('*'),
        (None, None) => domain == host || below(&domain) == Some(true),
    }
}

#[cfg(test)]
mod tests {
    use super::meets;

    #[test]
    fn domains_and_hosts_meet_where_a_request_is_both() {
        for (domain, host) in [
            ("*", "sd.example.org"),
            ("sd.example.org", "sd.example.org"),
            ("SD.example.org:8443", "sd.Example.org"),
            ("*.example.org", "sd.example.org"),
            ("*.org", "*.example.org"),
            ("sd.example.org", "*.example.org"),
            ("*.sd.example.org", "*.example.org"),
            ("sd.*", "sd.example.org"),
            ("[::1]:80", "[::1]"),
        ] {
            assert!(meets(domain, host), "{domain} {host}");
        }
        for (domain, host) in [
            ("other.example.org", "sd.example.org"),
            ("*.example.net", "sd.example.org"),
            ("*.example.net", "*.example.org"),
            ("other.*", "sd.example.org"),
            ("example.org", "*.example.org"),
        ] {
            assert!(!meets(domain, host), "{domain} {host}");
        }
    }
}
