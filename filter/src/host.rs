//! The host, as the core wants to know it: who it is, its clock, the caller's address, headers and body.

use std::net::{IpAddr, SocketAddr};

use vigile_abi::{self as abi, Buffer, Map, Pairs};
use vigile_policy::{Edit, Host, UnixTime};

use crate::other;

/// Which host this is. What only Envoy is known to do is asked of Envoy alone (docs/decisions/0033).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Envoy,
    Other,
}

impl Kind {
    /// Envoy knows the fields of its node, in which it names itself over any bootstrap; one that only validates a
    /// config has no name yet. Other hosts know no node, or answer whatever they are asked.
    pub(crate) fn ask() -> Self {
        let field = |name| abi::property(&["xds", "node", name]).ok().flatten();
        let name = field("user_agent_name").filter(|name| name == b"envoy" || name.is_empty());
        match (name, field("no_such_field")) {
            (Some(_), None) => Self::Envoy,
            _ => Self::Other,
        }
    }

    /// What of a policy it can honour.
    pub(crate) fn abilities(self) -> Host {
        match self {
            Self::Envoy => Host::ENVOY,
            Self::Other => Host::PROXY_WASM,
        }
    }

    /// All headers of a map, of which the host says that there are `count`. In one call: two single reads already
    /// cost more.
    pub(crate) fn headers(self, map: Map, count: usize) -> Option<Pairs> {
        let headers = abi::headers(map).ok()?;
        match self {
            Self::Envoy => Some(headers),
            Self::Other => other::completed(map, headers, count),
        }
    }

    /// Leaves a word for access logs and later filters: `%FILTER_STATE(wasm.NAME:PLAIN)%`. Only Envoy has such
    /// a place.
    pub(crate) fn tell(self, name: &str, value: &str) {
        if self == Self::Envoy && abi::set_property(&[name], value.as_bytes()).is_err() {
            log::error!("Envoy refused filter state");
        }
    }
}

/// Everything that the host was given as the plugin's configuration.
pub(crate) fn configuration() -> Vec<u8> {
    abi::buffer(Buffer::PluginConfiguration, usize::MAX).unwrap_or_default()
}

/// Whether a header is there.
pub(crate) fn has(map: Map, name: &str) -> bool {
    !matches!(abi::header(map, name), Ok(None))
}

/// Takes away all of a map; whether that was done.
pub(crate) fn clear(map: Map) -> bool {
    abi::clear(map).is_ok()
}

/// The body of the request that the host holds, up to `most` bytes.
pub(crate) fn held_body(most: usize) -> Option<Vec<u8>> {
    abi::buffer(Buffer::RequestBody, most).ok()
}

/// Applies edits in their order; whether all were made.
pub(crate) fn apply(map: Map, edits: &[Edit<'_>]) -> bool {
    let mut all = true;
    for edit in edits {
        let done = match edit {
            Edit::Set(name, value) => abi::set_header(map, name, value),
            Edit::Add(name, value) => abi::add_header(map, name, value),
            Edit::Remove(name) => abi::remove_header(map, name),
        };
        if done.is_err() {
            log::error!("the host refused an edit of a header");
            all = false;
        }
    }
    all
}

/// The address of the caller, as the host sees it; `None` on a Unix socket. Envoy writes the port behind it,
/// others have it apart.
pub(crate) fn source_address() -> Option<SocketAddr> {
    let text = |name| String::from_utf8(abi::property(&["source", name]).ok().flatten()?).ok();
    let address = text("address")?;
    address.parse().ok().or_else(|| {
        let address: IpAddr = address.parse().ok()?;
        Some(SocketAddr::new(address, text("port")?.parse().ok()?))
    })
}

/// When this was written. A clock before it is none: one host gives the nanoseconds of the second alone.
const EARLIEST: i64 = 1_767_225_600;

const NANOSECONDS: u64 = 1_000_000_000;

/// The host's clock; without one everything has ended.
pub(crate) fn now() -> UnixTime {
    let seconds = abi::now().ok().and_then(|time| i64::try_from(time / NANOSECONDS).ok());
    UnixTime(seconds.filter(|seconds| *seconds >= EARLIEST).unwrap_or(i64::MAX))
}
