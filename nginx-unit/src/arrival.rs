//! A request as it arrived: headers as the core takes them, and the body behind them.

use std::net::{IpAddr, SocketAddr};

use vigile_policy::{Edit, Request, apply};
use wasip2::http::types::{IncomingRequest, Method};

use crate::Headers;
use crate::load::Gate;
use crate::pipe::Feed;

/// A request that came in.
pub(crate) struct Arrival {
    pub(crate) headers: Headers,
    pub(crate) method: Method,
    pub(crate) peer: Option<SocketAddr>,
    /// The body, where Content-Length tells of one: Unit takes no other.
    pub(crate) body: Option<Feed>,
}

impl Arrival {
    /// `None` where the caller's address should stand in the path, and does not.
    pub(crate) fn of(gate: &Gate, incoming: &IncomingRequest) -> Option<Self> {
        let target = incoming.path_with_query().unwrap_or_default();
        let (peer, path) = match gate.address_in_path {
            true => apart(&target)?,
            false => (None, target.as_str()),
        };
        let name = incoming.authority().unwrap_or_default();
        let host = gate.port.map_or_else(|| name.clone(), |port| format!("{name}:{port}"));
        let method = incoming.method();
        let mut headers = incoming.headers().entries();
        let empty = |(_, value): &&(String, Vec<u8>)| value == b"0";
        let mut lengths = headers.iter().filter(|(name, _)| name == "content-length");
        let bodiless = lengths.all(|length| empty(&length));
        let mut edits = vec![
            set(":method", spelled(&method)),
            set(":path", path),
            set(":authority", &host),
            set(":scheme", "http"),
            set("x-forwarded-host", &host),
        ];
        // The ones that end with this hop (RFC 9110 §7.6.1), and what Unit answers for it has the whole body.
        edits.extend(["te", "trailer", "expect"].map(|name| Edit::Remove(name.into())));
        edits.extend(gate.scheme.iter().flat_map(|scheme| vouched(scheme, peer)));
        apply(&mut headers, &edits);
        let body = if bodiless { None } else { Some(Feed::of_request(incoming)?) };
        // Port 0 is how Envoy writes an address that somebody else told it.
        let peer = peer.map(|address| SocketAddr::new(address, 1));
        Some(Self { headers, method, peer, body })
    }

    /// As the core sees it.
    pub(crate) fn request(&self) -> Request<'_> {
        Request { headers: &self.headers, peer: self.peer, end_of_stream: self.body.is_none() }
    }

    /// The body, where it was held.
    pub(crate) fn held(&self) -> &[u8] {
        match &self.body {
            Some(Feed::Held(body)) => body,
            _ => &[],
        }
    }

    pub(crate) fn is_head(&self) -> bool {
        matches!(self.method, Method::Head)
    }

    pub(crate) fn apply(&mut self, edits: &[Edit<'_>]) {
        apply(&mut self.headers, edits);
    }
}

/// `/192.0.2.1/path?query`: what the route in front wrote, and what the client asked for.
fn apart(target: &str) -> Option<(Option<IpAddr>, &str)> {
    let rest = target.strip_prefix('/')?;
    let (address, path) = rest.split_at_checked(rest.find('/')?)?;
    Some((Some(address.parse().ok()?), path))
}

/// What is said of the caller is true, or is not said.
fn vouched(scheme: &str, peer: Option<IpAddr>) -> [Edit<'_>; 2] {
    let name = "x-forwarded-for".into();
    let address = match peer {
        Some(address) => Edit::Set(name, address.to_string().into_bytes().into()),
        None => Edit::Remove(name),
    };
    [set("x-forwarded-proto", scheme), address]
}

fn set<'e>(name: &'e str, value: &'e str) -> Edit<'e> {
    Edit::Set(name.into(), value.as_bytes().into())
}

fn spelled(method: &Method) -> &str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Delete => "DELETE",
        Method::Connect => "CONNECT",
        Method::Options => "OPTIONS",
        Method::Trace => "TRACE",
        Method::Patch => "PATCH",
        Method::Other(name) => name,
    }
}
