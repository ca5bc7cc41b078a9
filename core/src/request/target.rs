//! What a request is for: method, scheme, host, path, query.

use super::{Request, Single};
use crate::origin::{Host, Origin};

/// The target of a request (RFC 9110 §7.1).
#[derive(Clone, Debug)]
pub(crate) struct Target<'r> {
    pub(crate) method: &'r str,
    pub(crate) host: Host,
    /// Whether the browser spoke https, to this proxy or to one before it.
    pub(crate) secure: bool,
    pub(crate) path: &'r [u8],
    pub(crate) query: Option<&'r [u8]>,
}

impl<'r> Target<'r> {
    /// Reads the target; what is missing, repeated or contradictory has none, and it is said which.
    pub(crate) fn of(request: &Request<'r>) -> Result<Self, &'static str> {
        let one = |name, problem| match request.single(name) {
            Single::Value(value) => Ok(value),
            _ => Err(problem),
        };
        let method = one(":method", "the method is missing or repeated")?;
        let method = std::str::from_utf8(method).map_err(|_| "the method is not UTF-8")?;
        let authority = one(":authority", "the host (:authority) is missing or repeated")?;
        // HTTP/2 lets both stand; they may not differ (RFC 9113 §8.3.1).
        if request.all("host").any(|host| host != authority) {
            return Err("Host says something else than :authority");
        }
        let host = Host::parse(authority)
            .ok_or("the host is neither a name of letters, digits, - and dots nor an address")?;
        let (path, query) = split(one(":path", "the path is missing or repeated")?);
        Ok(Self { method, host, secure: is_secure(request), path, query })
    }

    /// The path with its query, as it came.
    pub(crate) fn whole(&self) -> Vec<u8> {
        self.query.map_or(self.path.to_vec(), |query| [self.path, query].join(&b'?'))
    }

    /// The origin of the pages at this target.
    pub(crate) fn origin(&self) -> Origin {
        Origin::new(self.secure, self.host.clone())
    }

    /// Whether a browser that is told so should keep to https here (RFC 6797 §7.2). Not on this machine:
    /// the word would hold for whatever else listens under its name.
    pub(crate) fn takes_strict_transport(&self) -> bool {
        self.secure && !self.host.is_local()
    }

    /// Whether the method promises to change nothing (RFC 9110 §9.2.1).
    pub(crate) fn is_safe(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
    }

    /// GET, or its bodiless twin.
    pub(crate) fn is_get(&self) -> bool {
        matches!(self.method, "GET" | "HEAD")
    }
}

fn split(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mut parts = target.splitn(2, |byte| *byte == b'?');
    (parts.next().unwrap_or_default(), parts.next())
}

/// Envoy writes x-forwarded-proto itself, unless a proxy before it that it trusts has.
fn is_secure(request: &Request<'_>) -> bool {
    let scheme = match request.single("x-forwarded-proto") {
        Single::Absent => request.value(":scheme"),
        Single::Value(proto) => Some(proto),
        Single::Repeated => None,
    };
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"https"))
}
