//! `addresses`: networks, and where the caller's address comes from.

use std::net::IpAddr;

use ipnet::IpNet;

/// Addresses and networks. IPv4-mapped IPv6 counts as IPv4 (RFC 4291 §2.5.5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

/// Whose word on the caller's address is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    /// The connection's own address.
    Peer,
    /// The one that Envoy derived from X-Forwarded-For.
    Envoy,
}

impl From<Vec<IpNet>> for Networks {
    fn from(networks: Vec<IpNet>) -> Self {
        Self(networks)
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
