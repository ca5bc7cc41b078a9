//! Which virtual host Envoy chooses for a Host header: it compares the header as it came, ports and a
//! final dot included, letter case aside.

use super::{Node, VirtualHost};

/// The virtual hosts of one route configuration.
pub struct Domains<'y> {
    hosts: Vec<(VirtualHost<'y>, Vec<String>)>,
    ignores_ports: bool,
}

impl<'y> Domains<'y> {
    /// Those of this configuration.
    pub fn of(config: &Node<'y>) -> Self {
        let domains = |host: &VirtualHost<'y>| -> Vec<String> {
            let domains = host.0.list("domains").into_iter();
            domains.filter_map(|domain| domain.text().map(str::to_ascii_lowercase)).collect()
        };
        let hosts = config.list("virtual_hosts").into_iter().map(VirtualHost);
        Self {
            hosts: hosts
                .map(|host| {
                    let all = domains(&host);
                    (host, all)
                })
                .collect(),
            ignores_ports: config.switched_on("ignore_port_in_host_matching").is_some(),
        }
    }

    /// A virtual host by its index.
    pub fn host(&self, index: usize) -> Option<&VirtualHost<'y>> {
        self.hosts.get(index).map(|(host, _)| host)
    }

    /// Every domain, in lower case.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.hosts.iter().flat_map(|(_, domains)| domains).map(String::as_str)
    }

    /// The virtual host that takes this Host header, in lower case: of several the one that names it,
    /// then the longest `*.name`, then the longest `name*`, then `*`.
    pub fn choose(&self, header: &str) -> Option<usize> {
        let header = if self.ignores_ports { without_port(header) } else { header };
        let ranks = self.hosts.iter().enumerate().flat_map(|(index, (_, domains))| {
            domains.iter().filter_map(move |domain| Some((rank(domain, header)?, index)))
        });
        ranks.max_by_key(|(rank, _)| *rank).map(|(_, index)| index)
    }
}

/// How exactly a domain names a host; `None` where it does not. A wildcard stands for one character at
/// least.
fn rank(domain: &str, host: &str) -> Option<(u8, usize)> {
    let longer = |part: &str| host.len() > part.len();
    match (domain.strip_prefix('*'), domain.strip_suffix('*')) {
        (Some(""), _) => Some((0, 0)),
        (Some(end), _) => (longer(end) && host.ends_with(end)).then_some((2, end.len())),
        (None, Some(start)) => {
            (longer(start) && host.starts_with(start)).then_some((1, start.len()))
        }
        (None, None) => (domain == host).then_some((3, 0)),
    }
}

/// A host, or a domain, without its port.
pub fn without_port(domain: &str) -> &str {
    match domain.rsplit_once(':') {
        Some((name, port)) if port == "*" || port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => domain,
    }
}

#[cfg(test)]
mod tests {
    use super::{Domains, Node};
    use crate::yaml::Yaml;

    fn chosen(more: &str, header: &str) -> Option<usize> {
        let domains = r#"virtual_hosts: [{ domains: ["*"] }, { domains: [a.example.org, "a.example.org:80"] }, { domains: ["*.example.org"] }, { domains: ["*.b.Example.org", "[::1]"] }, { domains: ["c.*", "d.example.net:*"] }]"#;
        let yaml = Yaml::parse(&format!("{domains}\n{more}")).unwrap();
        Domains::of(&Node::root(&yaml)).choose(header)
    }

    #[test]
    fn the_most_exact_domain_wins() {
        for (header, index) in [
            ("a.example.org", 1),
            ("a.example.org:80", 1),
            ("a.example.org:81", 0),
            ("a.example.org.", 0),
            ("x.example.org", 2),
            (".example.org", 0),
            ("x.b.example.org", 3),
            ("[::1]", 3),
            ("[::1]:80", 0),
            ("c.example.org", 2),
            ("c.example.org:1", 4),
            ("d.example.net:1", 4),
            ("d.example.net", 0),
        ] {
            assert_eq!(chosen("", header), Some(index), "{header}");
        }
    }

    #[test]
    fn ports_may_be_left_out() {
        let more = "ignore_port_in_host_matching: true\n";
        assert_eq!(chosen(more, "a.example.org:81"), Some(1));
        assert_eq!(chosen(more, "a.example.org.:81"), Some(0));
    }
}
