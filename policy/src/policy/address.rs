//! `addresses`: networks, and where the caller's address comes from.

use std::net::IpAddr;

use ipnet::IpNet;
use vigile_core::policy::{Addresses, ClientAddress, Networks};

use crate::document::{Node, Tree, Word, words};

pub(super) fn client_address(node: &Node<'_>) -> Option<ClientAddress> {
    match node.tree() {
        Tree::Map(_) => {
            let section = node.section("{ trusted_proxies: [192.0.2.0/24] }")?;
            section.required("trusted_proxies", networks).map(ClientAddress::Proxies)
        }
        Tree::Text(_) => match node.word(&[("peer", true), ("envoy", false)])? {
            true => Some(ClientAddress::Peer),
            false => Some(ClientAddress::Envoy),
        },
        _ => node.expected("peer, envoy or { trusted_proxies: [192.0.2.0/24] }"),
    }
}

/// Reads a list of addresses and networks, or `allow` and `deny`.
pub(super) fn read(node: &Node<'_>) -> Option<Addresses> {
    if !has_lists(node.tree()) {
        let allow = networks(node)?;
        return Some(Addresses { allow: Some(allow), deny: Networks::default() });
    }
    let section = node.section("{ allow: [192.0.2.0/24], deny: [192.0.2.66] }")?;
    let allow = section.optional("allow", networks);
    let deny = section.or("deny", Networks::default(), networks);
    if !section.has("allow") && !section.has("deny") {
        return section.lacks(&["allow", "deny"], "one of these is required: allow, deny");
    }
    let addresses = Addresses { allow: allow?, deny: deny? };
    match addresses.admit_nobody() {
        true => {
            node.wrong("every address that allow names is in deny as well: nobody could come in")
        }
        false => Some(addresses),
    }
}

/// Tells that `addresses` is written with `allow` or `deny`, and not as a list or a variable.
fn has_lists(addresses: &Tree) -> bool {
    matches!(addresses, Tree::Map(_)) && addresses.get("env").is_none()
}

/// Tells that `addresses` names those that may not come alone: everybody else may.
pub(super) fn denies_alone(addresses: &Tree) -> bool {
    has_lists(addresses) && addresses.get("allow").is_none()
}

fn networks(node: &Node<'_>) -> Option<Networks> {
    words(node, network).map(Networks::from)
}

fn network(node: &Node<'_>, word: &Word) -> Option<IpNet> {
    let text = word.text.as_str();
    let parsed = match text.parse::<IpNet>() {
        Ok(network) => Some(network),
        Err(_) => text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical())),
    };
    match parsed {
        None => node.wrong(format!(
            "{} is neither an address nor a network such as 192.0.2.0/24",
            word.shown()
        )),
        Some(network) if network.prefix_len() == 0 => {
            node.wrong(format!("{network} is everybody: if that is meant, leave addresses out"))
        }
        Some(IpNet::V6(mapped)) if mapped.addr().to_ipv4_mapped().is_some() => node.wrong(format!(
            "{mapped} is IPv4 in IPv6's clothes: write it as IPv4, which covers both"
        )),
        Some(network) if network != network.trunc() => node.wrong(format!(
            "{network} has bits behind its prefix: did you mean {}?",
            network.trunc()
        )),
        Some(network) => Some(network),
    }
}
