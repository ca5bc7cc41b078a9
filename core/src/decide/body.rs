//! `body`, as far as the head of a request tells: what it is, how large it is, and whether it is held.

use std::sync::Arc;

use super::failure::{Detail, Failure};
use super::visit::Visit;
use crate::Reason;
use crate::body::{Mistake, mistakes};
use crate::policy::Body;
use crate::request::{Request, Single};

/// What is to become of a body.
pub(super) enum Next {
    /// It goes to the app as it comes.
    Free,
    /// The same, up to so many bytes.
    Stream { most: u64 },
    /// JSON: it is held, and looked at.
    Hold(Held),
}

/// The rule that a held body is looked at by.
pub(super) struct Held(Arc<Body>);

impl Held {
    pub(super) fn at_most(&self) -> usize {
        usize::try_from(self.0.max_bytes).unwrap_or(usize::MAX)
    }

    pub(super) fn mistakes(&self, body: &[u8]) -> Vec<Mistake> {
        mistakes(body, &self.0.json)
    }
}

/// Judges the head. What costs nothing is first; a body is read by nobody before its caller was let in.
pub(super) fn head(visit: &Visit<'_>) -> Result<Next, Failure> {
    let Some(rule) = &visit.rule.body else { return Ok(Next::Free) };
    let request = &visit.request;
    // What follows a websocket's handshake is no body that could be looked at, and an app that does not know
    // the upgrade reads it as one.
    if visit.caller.websocket {
        return Err(Reason::BodyMediaType.into());
    }
    if request.end_of_stream {
        return nothing(rule);
    }
    if request.all("content-encoding").any(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        return Err(Reason::BodyEncoding.into());
    }
    let length = length(request)?;
    if length.is_some_and(|length| length > u64::from(rule.max_bytes)) {
        return Err(Reason::BodyTooLarge.into());
    }
    let Some(kind) = media_type(request).filter(|kind| rule.takes(kind)) else {
        return Err(Reason::BodyMediaType.into());
    };
    match (Body::is_json(&kind), length) {
        (true, _) => Ok(Next::Hold(Held(rule.clone()))),
        (false, None) if !rule.cuts => Err(Reason::BodyLengthRequired.into()),
        (false, _) => Ok(Next::Stream { most: rule.max_bytes.into() }),
    }
}

/// A request without a body: enough where none of its fields is asked for.
fn nothing(rule: &Body) -> Result<Next, Failure> {
    match rule.json.asks_for_nothing() {
        true => Ok(Next::Free),
        false => Err(Failure::new(Reason::BodyInvalid, Detail::Body(vec![Mistake::no_body()]))),
    }
}

/// What Content-Length says (RFC 9110 §8.6). Envoy refuses what contradicts itself, and holds senders to it.
fn length(request: &Request<'_>) -> Result<Option<u64>, Failure> {
    let digits = |value: &[u8]| {
        let all = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        all.then(|| std::str::from_utf8(value).ok()?.parse().ok())?
    };
    match request.single("content-length") {
        Single::Absent => Ok(None),
        Single::Value(value) => {
            digits(value).map(Some).ok_or_else(|| malformed("Content-Length is no number"))
        }
        Single::Repeated => Err(malformed("Content-Length is repeated")),
    }
}

fn malformed(problem: &'static str) -> Failure {
    Failure::new(Reason::RequestMalformed, Detail::Text(problem))
}

/// The media type in lower case, without its parameters; `None` where it is missing, repeated, or said to
/// be in another charset than the one that JSON has (RFC 8259 §8.1), which a backend might believe.
fn media_type(request: &Request<'_>) -> Option<String> {
    let value = std::str::from_utf8(request.value("content-type")?).ok()?.to_ascii_lowercase();
    let (kind, parameters) = value.split_once(';').unwrap_or((&value, ""));
    let kind = kind.trim_ascii();
    let charset = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        (name.trim_ascii() == "charset").then(|| value.trim_ascii().trim_matches('"').to_owned())
    };
    let json = Body::is_json(kind);
    let utf8 = parameters.split(';').filter_map(charset).all(|charset| charset == "utf-8");
    // A comma joins two headers, of which a backend may read the second; only a boundary may hold one.
    let joined = kind.contains(',') || (json && parameters.contains(','));
    (!joined && (utf8 || !json)).then(|| kind.to_owned())
}
