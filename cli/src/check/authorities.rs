//! Hosts that Vigile and Envoy read differently: Vigile drops the port and a final dot of Host, Envoy
//! compares `domains` with both. `docs.example.org.` is judged as `docs.example.org`, and may be routed
//! to another virtual host, whose app the policy meant for other modules (observed on Envoy 1.40).

use std::collections::BTreeSet;

use super::Finding;
use crate::config::{Config, Domains, Manager, Node, Route, VirtualHost, without_port};
use crate::policy::Policy;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.guards().flat_map(|(manager, policy)| of_manager(config, manager, policy)).collect()
}

fn of_manager(config: &Config<'_>, manager: &Manager<'_>, policy: &Policy<'_>) -> Vec<Finding> {
    let modules = Modules::of(policy);
    let strips = Strips::of(&manager.node);
    if modules.are_of_any_host() {
        return Vec::new();
    }
    let domains = manager.route_configs.iter().map(Domains::of);
    let hosts = domains.flat_map(|domains| misrouted(config, &modules, &domains, &strips));
    hosts.chain(compared(manager, &strips)).collect()
}

/// Parts that the connection manager takes off a Host header.
struct Strips {
    dot: bool,
    port: bool,
}

impl Strips {
    fn of(manager: &Node<'_>) -> Self {
        let has = |name| manager.switched_on(name).is_some();
        Self { dot: has("strip_trailing_host_dot"), port: has("strip_any_host_port") }
    }

    /// Other headers for a host, for Vigile the same.
    fn variants(&self, host: &str) -> Vec<String> {
        let dots = if self.dot { &[""][..] } else { &["", "."] };
        // strip_matching_host_port leaves every port but the listener's own.
        let ports = if self.port { &[""][..] } else { &["", ":1"] };
        dots.iter()
            .flat_map(|dot| ports.iter().map(move |port| format!("{host}{dot}{port}")))
            .collect()
    }

    /// Says what would be right.
    fn advice(&self) -> String {
        let missing = [("strip_trailing_host_dot", self.dot), ("strip_any_host_port", self.port)];
        let missing =
            missing.iter().filter(|(_, set)| !set).map(|(name, _)| format!("{name}: true"));
        let missing = missing.collect::<Vec<_>>().join(" and ");
        format!("set {missing} in the connection manager")
    }
}

/// The hosts of each module; none where it has every host.
struct Modules<'p>(Vec<Vec<&'p str>>);

impl<'p> Modules<'p> {
    fn of(policy: &'p Policy<'_>) -> Self {
        let hosts = |module: &Node<'p>| -> Vec<&'p str> {
            let Some(hosts) = module.get("hosts") else { return Vec::new() };
            // Of hosts that a variable holds nothing is known: here they are nobody's.
            let names: Vec<&str> = hosts.items().filter_map(|host| host.text()).collect();
            if names.is_empty() { vec![""] } else { names }
        };
        Self(policy.modules().iter().map(hosts).collect())
    }

    fn are_of_any_host(&self) -> bool {
        self.0.iter().all(Vec::is_empty)
    }

    /// The modules that judge requests for a host: those that name it most exactly.
    fn judging(&self, host: &str) -> Vec<usize> {
        let exactness = |hosts: &Vec<&str>| match hosts.is_empty() {
            true => Some(0),
            false => hosts.iter().filter_map(|pattern| exactness(pattern, host)).max(),
        };
        let all: Vec<Option<usize>> = self.0.iter().map(exactness).collect();
        let most = all.iter().max().copied().flatten();
        let chosen = all.iter().enumerate().filter(|(_, one)| one.is_some() && **one == most);
        chosen.map(|(index, _)| index).collect()
    }
}

fn exactness(pattern: &str, host: &str) -> Option<usize> {
    let pattern = pattern.to_ascii_lowercase();
    match pattern.strip_prefix('*') {
        Some(end) => host.ends_with(end).then_some(end.len()),
        None => (pattern == host).then_some(usize::MAX),
    }
}

/// A host for every name in the policy and in the virtual hosts, and one that nobody names.
fn examples(modules: &Modules<'_>, domains: &Domains<'_>) -> BTreeSet<String> {
    let patterns = modules.0.iter().flatten().copied().chain(domains.all());
    let example = |pattern: &str| {
        let pattern = without_port(pattern).to_ascii_lowercase();
        match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
            (Some(end), _) => format!("any{end}"),
            (None, Some(start)) => format!("{start}any"),
            (None, None) => pattern,
        }
    };
    patterns.map(example).chain(["any.invalid".to_owned()]).collect()
}

/// Virtual hosts that a request reaches by way of a module that has no business there.
fn misrouted(
    config: &Config<'_>,
    modules: &Modules<'_>,
    domains: &Domains<'_>,
    strips: &Strips,
) -> Vec<Finding> {
    let examples = examples(modules, domains);
    let meant = meant(modules, domains, &examples);
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for host in &examples {
        let judging = modules.judging(host);
        for variant in strips.variants(host) {
            let Some(chosen) = domains.choose(&variant).filter(|_| !judging.is_empty()) else {
                continue;
            };
            let is_meant = meant.contains(&(judging.clone(), chosen));
            if !is_meant && leads_elsewhere(config, domains, host, chosen) && seen.insert(chosen) {
                found.extend(finding(domains, host, &variant, chosen, strips));
            }
        }
    }
    found
}

/// Modules and the virtual hosts that they lead to by the config's own word: a host as it stands, and
/// with a port where a domain names it.
fn meant(
    modules: &Modules<'_>,
    domains: &Domains<'_>,
    examples: &BTreeSet<String>,
) -> BTreeSet<(Vec<usize>, usize)> {
    let named = domains.all().filter(|domain| !domain.contains('*'));
    let hosts = examples.iter().map(String::as_str).chain(named);
    let meant =
        hosts.map(|host| Some((modules.judging(without_port(host)), domains.choose(host)?)));
    meant.flatten().collect()
}

/// Tells whether a virtual host leads to another app than the one that takes the host.
fn leads_elsewhere(config: &Config<'_>, domains: &Domains<'_>, host: &str, chosen: usize) -> bool {
    let clusters = |index: usize| {
        let routes = domains.host(index).map(VirtualHost::routes).unwrap_or_default();
        routes
            .iter()
            .map(|route| route.clusters().iter().filter_map(Node::text).collect())
            .collect()
    };
    let own: Vec<Vec<&str>> = domains.choose(host).map(clusters).unwrap_or_default();
    let is_own = |name: &&str| own.iter().flatten().any(|own| config.clusters.are_one(own, name));
    let others: Vec<Vec<&str>> = clusters(chosen);
    others.iter().any(|names| names.is_empty() || !names.iter().all(&is_own))
}

fn finding(
    domains: &Domains<'_>,
    host: &str,
    header: &str,
    chosen: usize,
    strips: &Strips,
) -> Option<Finding> {
    let node = &domains.host(chosen)?.0;
    let problem = format!(
        "a request with Host: {header} comes here, and Vigile, for which neither port nor final dot counts, judges it as one for {host}: {}",
        strips.advice()
    );
    Some(Finding::error(&node.field("domains").unwrap_or(node.clone()), problem))
}

/// Routes that compare the header by themselves, where these lead to several apps.
fn compared(manager: &Manager<'_>, strips: &Strips) -> Vec<Finding> {
    let routes: Vec<Route<'_>> = manager.routes().collect();
    let clusters = routes.iter().flat_map(Route::clusters);
    let clusters: BTreeSet<&str> = clusters.filter_map(|cluster| cluster.text()).collect();
    if (strips.dot && strips.port) || clusters.len() < 2 {
        return Vec::new();
    }
    let problem = format!(
        "Envoy compares Host here as it came, with its port and final dot, and Vigile drops both: {}",
        strips.advice()
    );
    let names = manager.route_configs.iter().flat_map(|config| compared_headers(config));
    names.filter(is_host).map(|name| Finding::warning(&name, problem.clone())).collect()
}

/// The names of headers that routes are chosen by.
fn compared_headers<'y>(config: &Node<'y>) -> Vec<Node<'y>> {
    let mut names = Vec::new();
    config.walk(&mut |node| {
        let headers = node.at(&["match", "headers"]);
        let headers = headers.iter().flat_map(Node::items);
        names.extend(headers.filter_map(|header| header.field("name")));
        let typed =
            node.typed().filter(|typed| typed.name.ends_with(".HttpRequestHeaderMatchInput"));
        names.extend(typed.and_then(|typed| typed.fields.field("header_name")));
        true
    });
    names
}

fn is_host(name: &Node<'_>) -> bool {
    let names = [":authority", "host"];
    name.text().is_some_and(|name| names.iter().any(|host| name.eq_ignore_ascii_case(host)))
}
