//! `addresses`: networks, and where the caller's address comes from.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;

/// Addresses and networks. IPv4-mapped IPv6 counts as IPv4 (RFC 4291 §2.5.5.2).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Networks(Vec<IpNet>);

/// The addresses that a route admits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Addresses {
    /// These alone; `None` is every address.
    pub allow: Option<Networks>,
    /// None of these, also where they are among those allowed.
    pub deny: Networks,
}

/// Whose word on the caller's address is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientAddress {
    /// The connection's own address.
    Peer,
    /// The one that Envoy derived from X-Forwarded-For.
    Envoy,
    /// The one that these proxies wrote into X-Forwarded-For, where the connection comes from one of them.
    Proxies(Networks),
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

impl Addresses {
    /// Tells that every network allowed is denied as well.
    pub fn admit_nobody(&self) -> bool {
        let denied = |network: &IpNet| self.deny.iter().any(|denied| denied.contains(network));
        self.allow.as_ref().is_some_and(|allowed| allowed.iter().all(denied))
    }

    pub(crate) fn admit(&self, address: IpAddr) -> bool {
        !self.deny.contain(address)
            && self.allow.as_ref().is_none_or(|networks| networks.contain(address))
    }
}

impl ClientAddress {
    /// The caller's address; `None` where nobody who is trusted says it.
    ///
    /// Envoy's `source.address` follows X-Forwarded-For from anybody while `use_remote_address` is unset. Then its port is 0,
    /// which no connection has: so an address with port 0 counts only where the policy says that Envoy vouches for it.
    pub(crate) fn of<'h>(
        &self,
        peer: SocketAddr,
        forwarded_for: impl Iterator<Item = &'h [u8]>,
    ) -> Option<IpAddr> {
        let address = peer.ip().to_canonical();
        match self {
            Self::Envoy => Some(address),
            _ if peer.port() == 0 => None,
            Self::Peer => Some(address),
            Self::Proxies(trusted) => behind(trusted, address, forwarded_for),
        }
    }
}

/// The first address from the right that is no trusted proxy's. What cannot be read ends the search: whoever wrote it may stand
/// behind a proxy, and the proxy's own address is not theirs.
fn behind<'h>(
    trusted: &Networks,
    peer: IpAddr,
    forwarded_for: impl Iterator<Item = &'h [u8]>,
) -> Option<IpAddr> {
    if !trusted.contain(peer) {
        return Some(peer);
    }
    let values: Vec<&[u8]> = forwarded_for.collect();
    let mut hops = values.iter().rev().flat_map(|value| value.rsplit(|byte| *byte == b','));
    loop {
        match hop(hops.next()?)? {
            proxy if trusted.contain(proxy) => {}
            caller => return Some(caller),
        }
    }
}

/// One address of X-Forwarded-For. Some proxies write its port behind it (Azure's gateways), or brackets around IPv6.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim_ascii();
    let is_port = |port: &str| port.parse::<u16>().is_ok() && !port.starts_with('+');
    let address = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inner, "")) => inner.parse::<Ipv6Addr>().ok()?.into(),
        Some((inner, port)) if port.strip_prefix(':').is_some_and(is_port) => {
            inner.parse::<Ipv6Addr>().ok()?.into()
        }
        Some(_) => return None,
        None => match text.parse::<IpAddr>() {
            Ok(address) => address,
            Err(_) => match text.split_once(':') {
                Some((address, port)) if is_port(port) => {
                    address.parse::<std::net::Ipv4Addr>().ok()?.into()
                }
                _ => return None,
            },
        },
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::hop;

    #[test]
    fn ports_and_brackets_are_read() {
        for (text, address) in [
            ("203.0.113.9", "203.0.113.9"),
            (" 203.0.113.9:4711\t", "203.0.113.9"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            assert_eq!(hop(text.as_bytes()), Some(address.parse().unwrap()), "{text}");
        }
        for text in [
            "",
            "unknown",
            "_hidden",
            "203.0.113.9:",
            "203.0.113.9:65536",
            "203.0.113.9:+1",
            "203.0.113",
            "[203.0.113.9]",
            "[2001:db8::1",
            "[2001:db8::1]x",
            "[2001:db8::1]:x",
            "fe80::1%eth0",
            "\"203.0.113.9\"",
            "203.0.113.9;x",
        ] {
            assert_eq!(hop(text.as_bytes()), None, "{text}");
        }
        assert_eq!(hop(b"203.0.113.9\xff"), None);
    }
}
