//! `addresses`: networks, and where the caller's address comes from.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::document::{Node, shown, texts};

/// Addresses and networks. IPv4-mapped IPv6 counts as IPv4 (RFC 4291 §2.5.5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Networks(Vec<IpNet>);

/// Whose word on the caller's address is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClientAddress {
    /// The connection's own address.
    Peer,
    /// The one that Envoy derived from X-Forwarded-For.
    Envoy,
}

pub(super) fn client_address(node: &Node<'_>) -> Option<ClientAddress> {
    node.word(&[("peer", ClientAddress::Peer), ("envoy", ClientAddress::Envoy)])
}

/// Reads a list of addresses and networks.
pub(super) fn read(node: &Node<'_>) -> Option<Networks> {
    let networks: Vec<Option<IpNet>> =
        texts(node)?.iter().map(|text| network(node, text)).collect();
    networks.into_iter().collect::<Option<Vec<_>>>().map(Networks)
}

fn network(node: &Node<'_>, text: &str) -> Option<IpNet> {
    let parsed = match text.parse::<IpNet>() {
        Ok(network) => Some(network),
        Err(_) => text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical())),
    };
    match parsed {
        None => {
            let shown = shown(node, text);
            node.wrong(format!("{shown} is neither an address nor a network such as 192.0.2.0/24"))
        }
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

impl Networks {
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &IpNet> {
        self.0.iter()
    }
}
