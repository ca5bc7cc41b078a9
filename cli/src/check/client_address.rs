//! Address lists, and whose word on the caller's address they are held against (docs/rules.md, rule 11).
//!
//! Envoy's `source.address` follows X-Forwarded-For from anybody, unless the connection manager takes
//! the connection's own address or names the proxies that it trusts.

use super::{Finding, networks};
use crate::config::{Config, Manager, Node};
use crate::policy::{Policy, asks};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.guards().flat_map(|(manager, policy)| judge(config, manager, policy)).collect()
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

fn judge(config: &Config<'_>, manager: &Manager<'_>, policy: &Policy<'_>) -> Vec<Finding> {
    let lists = policy.routes().iter().any(|route| !asks(route, "addresses").is_empty());
    let root = policy.root();
    let said = root.get("client_address");
    let by = By::of(said.as_ref());
    let place = || said.clone().or_else(|| first_list(policy)).unwrap_or_else(|| root.clone());
    let found = match (word(manager), by, lists) {
        (Word::Anybody(node), By::Envoy, true) => Some(Finding::error(&node, LISTS_ANYBODY)),
        (Word::Anybody(node), By::Peer, true) => Some(Finding::error(&node, LISTS_UNVOUCHED)),
        (Word::Proxies, By::Peer, true) => Some(Finding::error(&place(), NOT_THE_PEER)),
        (Word::Anybody(_) | Word::Proxies, By::Vigile, true) => {
            Some(Finding::error(&place(), NOT_THE_CONNECTION))
        }
        (Word::Anybody(_), By::Envoy, false) => Some(Finding::warning(&place(), LOGS_ANYBODY)),
        _ => None,
    };
    let proxies = match by {
        By::Envoy => listed_proxies(config, manager, policy),
        By::Peer | By::Vigile => Vec::new(),
    };
    let spoken = proxy_protocol(manager).filter(|_| lists);
    found.into_iter().chain(proxies).chain(spoken).collect()
}

/// The one who says where a request comes from, by the policy (`client_address`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// The connection: `peer`.
    Peer,
    /// Envoy, by its trusted proxies: `envoy`.
    Envoy,
    /// The proxies that the policy names, whose header Vigile reads: `trusted_proxies`.
    Vigile,
}

impl By {
    fn of(said: Option<&Node<'_>>) -> Self {
        match said {
            Some(said) if said.text() == Some("envoy") => Self::Envoy,
            Some(said) if said.get("trusted_proxies").is_some() => Self::Vigile,
            _ => Self::Peer,
        }
    }
}

const LISTS_ANYBODY: &str = "the policy lists addresses, and callers choose theirs by X-Forwarded-For: set use_remote_address: true, or name the proxies (original_ip_detection_extensions: xff with xff_trusted_cidrs)";
const LISTS_UNVOUCHED: &str = "the policy lists addresses, and Envoy takes the caller's from X-Forwarded-For, which Vigile then refuses (address.unvouched): set use_remote_address: true, or name the proxies and say client_address: envoy";
const NOT_THE_PEER: &str = "the connection manager takes the address from its trusted proxies, and client_address: peer refuses that (address.unvouched): say client_address: envoy";
const NOT_THE_CONNECTION: &str = "with trusted_proxies Vigile reads X-Forwarded-For itself, and refuses an address that Envoy took from there (address.unvouched): set use_remote_address: true, and leave xff_num_trusted_hops and original_ip_detection_extensions out";
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

/// Address lists that hold trusted proxies: where Envoy cannot read X-Forwarded-For (a port behind the
/// address, a text), it takes the proxy's own address for the caller's (observed on 1.40).
fn listed_proxies(config: &Config<'_>, manager: &Manager<'_>, policy: &Policy<'_>) -> Vec<Finding> {
    let proxies = networks::trusted(manager);
    if proxies.is_empty() {
        return Vec::new();
    }
    let lists =
        policy.routes().iter().flat_map(|route| asks(route, "addresses")).collect::<Vec<_>>();
    let items =
        lists.iter().flat_map(|list| networks::listed(list, policy, config.environment.as_ref()));
    let found = items.filter_map(|(node, listed)| {
        let proxy = proxies.iter().find(|proxy| networks::meet(proxy, &listed))?;
        let problem = format!(
            "this list holds addresses of a trusted proxy ({proxy}): a caller whose X-Forwarded-For Envoy cannot read, such as 203.0.113.9:4711, counts as the proxy and comes in. Take the proxies out of the list, or let Vigile read the header: client_address: {{ trusted_proxies: [{proxy}] }}"
        );
        Some(Finding::error(&node, problem))
    });
    found.collect()
}

/// The PROXY protocol: the one who connects says which address he has.
fn proxy_protocol(manager: &Manager<'_>) -> Option<Finding> {
    let listener = manager.listener.as_ref().filter(|_| !manager.is_local())?;
    let filters = listener.list("listener_filters").into_iter();
    let mut spoken = filters.filter_map(|filter| {
        let typed = filter.typed_config()?;
        typed.name.ends_with(".ProxyProtocol").then_some((filter, typed.fields))
    });
    let (filter, fields) = spoken.next()?;
    // Where the chain takes connections of the load balancer alone, nobody else is heard.
    let path = ["filter_chain_match", "direct_source_prefix_ranges"];
    let range = manager.chain().and_then(|chain| chain.at(&path));
    if range.is_some_and(|range| range.items().next().is_some()) {
        return None;
    }
    Some(match fields.switched_on("allow_requests_without_proxy_protocol") {
        Some(allowed) => Finding::warning(&allowed, WITH_AND_WITHOUT),
        None => Finding::note(&filter, WRITES_OWN),
    })
}

const WRITES_OWN: &str = "the policy lists addresses, and whoever reaches this listener writes his own into the PROXY header: let the load balancer alone reach it (filter_chain_match.direct_source_prefix_ranges)";
const WITH_AND_WITHOUT: &str = "the policy lists addresses, and this listener hears callers who come without the load balancer: they write any address into a PROXY header. Give them a listener of their own, and name the load balancer here (filter_chain_match.direct_source_prefix_ranges)";
