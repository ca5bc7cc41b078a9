//! Address lists, and whose word on the caller's address they are held against (docs/rules.md, rule 11).
//!
//! Envoy's `source.address` follows X-Forwarded-For from anybody, unless the connection manager takes
//! the connection's own address or names the proxies that it trusts.

use super::Finding;
use crate::config::{Config, Manager, Node};
use crate::policy::{Policy, asks};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.guards().flat_map(|(manager, policy)| judge(manager, policy)).collect()
}

/// Whose word Envoy takes on the caller's address.
enum Word<'y> {
    /// The connection's.
    Connection,
    /// That of proxies which the config names.
    Proxies,
    /// Anybody's, and where the config says so.
    Anybody(Node<'y>),
}

fn judge(manager: &Manager<'_>, policy: &Policy<'_>) -> Vec<Finding> {
    let lists = policy.routes().iter().any(|route| !asks(route, "addresses").is_empty());
    let root = policy.root();
    let said = root.get("client_address");
    let by_envoy = said.as_ref().and_then(Node::text) == Some("envoy");
    let found = match (word(manager), by_envoy, lists) {
        (Word::Anybody(node), true, true) => Some(Finding::error(&node, LISTS_ANYBODY)),
        (Word::Anybody(node), false, true) => Some(Finding::error(&node, LISTS_UNVOUCHED)),
        (Word::Proxies, false, true) => {
            Some(Finding::error(&said.unwrap_or(first_list(policy).unwrap_or(root)), NOT_THE_PEER))
        }
        (Word::Anybody(_), true, false) => {
            Some(Finding::warning(&said.unwrap_or(root), LOGS_ANYBODY))
        }
        _ => None,
    };
    found.into_iter().chain(proxy_protocol(manager).filter(|_| lists)).collect()
}

const LISTS_ANYBODY: &str = "the policy lists addresses, and callers choose theirs by X-Forwarded-For: set use_remote_address: true, or name the proxies (original_ip_detection_extensions: xff with xff_trusted_cidrs)";
const LISTS_UNVOUCHED: &str = "the policy lists addresses, and Envoy takes the caller's from X-Forwarded-For, which Vigile then refuses (address.unvouched): set use_remote_address: true, or name the proxies and say client_address: envoy";
const NOT_THE_PEER: &str = "the connection manager takes the address from its trusted proxies, and client_address: peer refuses that (address.unvouched): say client_address: envoy";
const LOGS_ANYBODY: &str = "nothing vouches for the address here: callers choose by X-Forwarded-For what the log says of them. Set use_remote_address: true, or name the proxies";

fn word<'y>(manager: &Manager<'y>) -> Word<'y> {
    let node = &manager.node;
    let extensions = node.list("original_ip_detection_extensions");
    if has_hops(node) {
        return Word::Proxies;
    }
    if node.switched_on("use_remote_address").is_some() {
        return Word::Connection;
    }
    // Each is asked until one knows an address, so the least trustworthy of them counts.
    match extensions.iter().find_map(anybody) {
        Some(untrusted) => Word::Anybody(untrusted),
        None if extensions.is_empty() => Word::Anybody(node.clone()),
        None => Word::Proxies,
    }
}

/// Where an extension takes anybody's word; `None` where it names the proxies that it trusts.
fn anybody<'y>(extension: &Node<'y>) -> Option<Node<'y>> {
    let typed = extension.typed_config().filter(|typed| typed.name.ends_with(".XffConfig"));
    let Some(typed) = typed else { return Some(extension.clone()) };
    let cidrs = typed.fields.at(&["xff_trusted_cidrs", "cidrs"]);
    let cidrs: Vec<Node<'y>> = cidrs.map(|cidrs| cidrs.items().collect()).unwrap_or_default();
    let named = !cidrs.is_empty() || has_hops(&typed.fields);
    cidrs.into_iter().find(is_everybody).or_else(|| (!named).then(|| extension.clone()))
}

fn has_hops(node: &Node<'_>) -> bool {
    let hops = node.field("xff_num_trusted_hops").and_then(|hops| hops.number());
    hops.is_some_and(|hops| hops >= 1.0)
}

/// A network of prefix 0 holds every address; a prefix that is not set is 0.
fn is_everybody(cidr: &Node<'_>) -> bool {
    cidr.field("prefix_len").is_none_or(|prefix| prefix.number() == Some(0.0))
}

fn first_list<'p>(policy: &'p Policy<'_>) -> Option<Node<'p>> {
    policy.routes().iter().flat_map(|route| asks(route, "addresses")).next()
}

/// The PROXY protocol: the one who connects says which address he has.
fn proxy_protocol(manager: &Manager<'_>) -> Option<Finding> {
    let filters = manager.listener.as_ref().map(|listener| listener.list("listener_filters"));
    let spoken = filters.into_iter().flatten().find(|filter| {
        filter.typed_config().is_some_and(|typed| typed.name.ends_with(".ProxyProtocol"))
    });
    spoken.filter(|_| !manager.is_local()).map(|filter| {
        Finding::note(
            &filter,
            "the policy lists addresses, and whoever reaches this listener writes his own into the PROXY header: let the load balancer alone reach it",
        )
    })
}
