//! Who calls, by the policy's text: the addresses that it lists, and whose word on the caller's own counts.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use serde_json::Value;

use super::model::words;

/// A list of addresses by its text: whom it lets in, everybody where that is empty, and whom it does not.
pub struct Addresses {
    allow: Vec<IpNet>,
    deny: Vec<IpNet>,
}

impl Addresses {
    pub fn of(list: &Value) -> Self {
        match list {
            Value::Object(map) if !map.contains_key("env") => {
                Self { allow: networks(&list["allow"]), deny: networks(&list["deny"]) }
            }
            list => Self { allow: networks(list), deny: Vec::new() },
        }
    }

    pub fn takes(&self, address: IpAddr) -> bool {
        (self.allow.is_empty() || is_in(&self.allow, address)) && !is_in(&self.deny, address)
    }
}

/// Whose word on the caller's address counts.
pub enum Vouched {
    Peer,
    Envoy,
    Proxies(Vec<IpNet>),
}

impl Vouched {
    pub fn of(policy: &Value) -> Self {
        match &policy["client_address"] {
            Value::String(word) if word == "envoy" => Self::Envoy,
            Value::Object(proxies) => Self::Proxies(networks(&proxies["trusted_proxies"])),
            _ => Self::Peer,
        }
    }

    /// The caller's address, where somebody who is believed tells it. `forwarded` is X-Forwarded-For, joined by commas.
    pub fn caller(&self, peer: Option<SocketAddr>, forwarded: &[u8]) -> Option<IpAddr> {
        let peer = peer.filter(|peer| peer.port() != 0 || matches!(self, Self::Envoy))?;
        let address = peer.ip().to_canonical();
        let Self::Proxies(proxies) = self else { return Some(address) };
        if !is_in(proxies, address) {
            return Some(address);
        }
        let mut hops = forwarded.rsplit(|byte| *byte == b',').map(hop);
        hops.find(|hop| hop.is_none_or(|hop| !is_in(proxies, hop))).flatten()
    }
}

/// An address of X-Forwarded-For, with a port or without.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim_ascii();
    let bare = text.parse().ok();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let with_port = || Some(text).filter(|text| !text.contains('%'))?.parse::<SocketAddr>().ok();
    let address = bare
        .or_else(|| bracketed().map(IpAddr::from))
        .or_else(|| with_port().map(|socket| socket.ip()))?;
    Some(address.to_canonical())
}

fn is_in(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

fn networks(list: &Value) -> Vec<IpNet> {
    let variable = || vec!["192.0.2.10".to_owned(), "198.51.100.0/24".to_owned()];
    let texts = if list.get("env").is_some() { variable() } else { words(list) };
    texts.iter().filter_map(|text| network(text)).collect()
}

fn network(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse().ok().map(|address: IpAddr| address.into()))
}
