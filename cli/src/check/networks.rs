//! Networks: those that an Envoy config trusts, and those that a policy lists.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::config::{Manager, Node, is_field};
use crate::policy::{Environment, Policy};

/// The networks of the proxies that a connection manager believes: by their addresses, or since its chain
/// takes no other connections.
pub(super) fn trusted(manager: &Manager<'_>) -> Vec<IpNet> {
    let extensions = manager.node.list("original_ip_detection_extensions").into_iter();
    let extensions = extensions.filter_map(|extension| extension.typed_config());
    let named = extensions.filter_map(|typed| typed.fields.at(&["xff_trusted_cidrs", "cidrs"]));
    let chain = manager.chain();
    let ranges = ["source_prefix_ranges", "direct_source_prefix_ranges"].iter();
    let ranges = ranges.filter_map(|name| chain.as_ref()?.at(&["filter_chain_match", name]));
    let lists: Vec<Node<'_>> = named.chain(ranges).collect();
    let cidrs = lists.iter().flat_map(Node::items).chain(admitted(chain.as_ref()));
    cidrs.filter_map(|cidr| network(&cidr)).collect()
}

/// The networks of connections that an `rbac` filter of the chain admits.
fn admitted<'y>(chain: Option<&Node<'y>>) -> Vec<Node<'y>> {
    let filters = chain.map(|chain| chain.list("filters")).unwrap_or_default();
    let rules = filters.iter().filter_map(|filter| {
        let typed = filter.typed_config()?;
        let is_rbac = typed.name == "envoy.extensions.filters.network.rbac.v3.RBAC";
        let rules = typed.fields.field("rules").filter(|_| is_rbac)?;
        // Envoy's own, and what it takes for the word.
        matches!(rules.word("action"), None | Some("ALLOW" | "0")).then_some(rules)
    });
    let names = ["direct_remote_ip", "remote_ip", "source_ip"];
    let of_source = |node: &Node<'y>| names.iter().any(|name| is_field(node.key(), name));
    rules.flat_map(|rules| rules.all(of_source)).collect()
}

/// A `CidrRange`; one that holds everybody names nobody.
fn network(cidr: &Node<'_>) -> Option<IpNet> {
    let address: IpAddr = cidr.word("address_prefix")?.parse().ok()?;
    let length = cidr.field("prefix_len").and_then(|length| length.text()?.parse().ok());
    IpNet::new(address, length.unwrap_or(0)).ok().filter(|network| network.prefix_len() > 0)
}

/// The networks that `addresses` of a route admits, each at its place; of a variable those that are known.
pub(super) fn listed<'p>(
    list: &Node<'p>,
    policy: &Policy<'_>,
    environment: Option<&Environment>,
) -> Vec<(Node<'p>, IpNet)> {
    let given: BTreeMap<String, String> = policy.given().collect();
    let of_variable = |node: &Node<'p>| {
        let name = node.get("env")?.text()?;
        let known = given.get(name).or_else(|| environment?.get(name))?;
        Some(known.split(',').map(|item| item.trim().to_owned()).collect::<Vec<_>>())
    };
    let list = list.get("allow").unwrap_or_else(|| list.clone());
    let items = std::iter::once(list.clone()).chain(list.items());
    let words = items.flat_map(|node| {
        let words = node.text().map(|text| vec![text.to_owned()]).or_else(|| of_variable(&node));
        words.unwrap_or_default().into_iter().map(move |word| (node.clone(), word))
    });
    let read =
        |word: &str| word.parse().ok().or_else(|| word.parse::<IpAddr>().ok().map(IpNet::from));
    words.filter_map(|(node, word)| Some((node, read(&word)?))).collect()
}

/// Tells whether two networks have an address in common.
pub(super) fn meet(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}
