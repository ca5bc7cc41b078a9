//! Names of cookies that other hosts can set: what begins with `__Host-` browsers take from the host
//! itself alone (RFC 6265bis §4.1.3.2), anything else from every sibling, by `Domain`.

use vigile_policy::Tree;

use super::Finding;
use crate::config::{Config, Node};
use crate::policy::{Policy, asks, routes};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.policies.iter().flat_map(of_policy).collect()
}

fn of_policy(policy: &Policy<'_>) -> Vec<Finding> {
    let modules = policy.modules();
    let reachable = modules.iter().filter(|module| !is_local(module));
    let names = reachable.flat_map(names).filter(|name| !name.1.starts_with("__Host-"));
    names.map(|(node, name)| Finding::warning(&node, problem(name))).collect()
}

/// The names that a module's tokens come by. `__Host-vigile` is the one that nobody writes.
fn names<'y>(module: &Node<'y>) -> Vec<(Node<'y>, &'y str)> {
    let routes = routes(module);
    let tokens: Vec<Node<'y>> = routes.iter().flat_map(|route| asks(route, "token")).collect();
    let own = module.get("credentials").filter(|_| !tokens.is_empty());
    let cookies = own.iter().chain(&tokens).filter_map(|section| section.get("cookie"));
    // `false` is a word of YAML too: no cookie.
    let named = cookies.filter(|cookie| matches!(cookie.yaml().tree(), Tree::Text(_)));
    named.filter_map(|cookie| Some((cookie.clone(), cookie.text()?))).collect()
}

fn problem(name: &str) -> String {
    let is_prefix = |(prefix, _): &(&str, &str)| {
        ["__secure", "__host"].iter().any(|known| prefix.eq_ignore_ascii_case(known))
    };
    let bare = name.split_once('-').filter(is_prefix).map_or(name, |(_, bare)| bare);
    format!(
        "any other host of this domain can set a cookie of this name, and put another session in the place of a visitor's: call it __Host-{bare}"
    )
}

/// Tells whether the module is for this machine alone: http, where browsers take no `__Host-`.
fn is_local(module: &Node<'_>) -> bool {
    let local = |host: &str| {
        let host = host.to_ascii_lowercase();
        ["localhost", "127.0.0.1", "[::1]"].contains(&host.as_str()) || host.ends_with(".localhost")
    };
    let hosts = module.get("hosts");
    let mut hosts = hosts.iter().flat_map(Node::items).peekable();
    hosts.peek().is_some() && hosts.all(|host| host.text().is_some_and(local))
}
