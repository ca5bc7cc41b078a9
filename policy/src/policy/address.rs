//! `addresses`: networks, and where the caller's address comes from.

use std::net::IpAddr;

use ipnet::IpNet;
use vigile_core::policy::{ClientAddress, Networks};

use crate::document::{Node, Word, words};

pub(super) fn client_address(node: &Node<'_>) -> Option<ClientAddress> {
    node.word(&[("peer", ClientAddress::Peer), ("envoy", ClientAddress::Envoy)])
}

/// Reads a list of addresses and networks.
pub(super) fn read(node: &Node<'_>) -> Option<Networks> {
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
