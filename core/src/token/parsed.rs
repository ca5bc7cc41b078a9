//! A token that was read and is not believed yet.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Algorithm, Claims, MAX_TOKEN, json};
use crate::Reason;

/// A token's header and claims. Until a signature holds they are what the caller says.
#[derive(Clone, Debug)]
pub(crate) struct Parsed<'t> {
    pub(crate) text: &'t [u8],
    /// What was signed: the first two parts and the dot between them (RFC 7515 §5.2).
    pub(crate) message: &'t [u8],
    pub(crate) signature: Vec<u8>,
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    pub(crate) claims: Claims,
}

impl<'t> Parsed<'t> {
    /// Reads a token; `accepted` are the issuer's algorithms, `wanted` the claims that the policy names.
    /// Part by part: what the header alone refuses costs no reading of the rest.
    pub(crate) fn parse(
        text: &'t [u8],
        accepted: &[Algorithm],
        wanted: &[String],
    ) -> Result<Self, Reason> {
        if text.len() > MAX_TOKEN {
            return Err(Reason::TokenTooLarge);
        }
        let parts = Parts::of(text).ok_or(Reason::TokenMalformed)?;
        let header = decoded(parts.header).ok_or(Reason::TokenMalformed)?;
        let header = json::header(&header).ok_or(Reason::TokenMalformed)?;
        if header.critical {
            return Err(Reason::TokenCritical);
        }
        if !header.kind.as_deref().is_none_or(is_jwt) {
            return Err(Reason::TokenMalformed);
        }
        let named = header.algorithm.ok_or(Reason::TokenMalformed)?;
        let algorithm = Algorithm::from_name(&named)
            .filter(|algorithm| accepted.contains(algorithm))
            .ok_or(Reason::TokenAlgorithm)?;
        let claims = decoded(parts.claims).and_then(|claims| json::claims(&claims, wanted));
        let claims = claims.ok_or(Reason::TokenMalformed)?;
        let signature = decoded(parts.signature).filter(|signature| !signature.is_empty());
        let signature = signature.ok_or(Reason::TokenMalformed)?;
        Ok(Self { text, message: parts.message, signature, algorithm, kid: header.kid, claims })
    }
}

/// A token's three parts, as they stand.
struct Parts<'t> {
    message: &'t [u8],
    header: &'t [u8],
    claims: &'t [u8],
    signature: &'t [u8],
}

impl<'t> Parts<'t> {
    fn of(text: &'t [u8]) -> Option<Self> {
        let is_dot = |byte: &u8| *byte == b'.';
        let (message, signature) = around(text, text.iter().rposition(is_dot)?)?;
        // A fourth part leaves a dot in the claims, which is no base64url.
        let (header, claims) = around(message, message.iter().position(is_dot)?)?;
        Some(Self { message, header, claims, signature })
    }
}

/// What stands before a byte, and behind it.
fn around(text: &[u8], at: usize) -> Option<(&[u8], &[u8])> {
    let (before, rest) = text.split_at_checked(at)?;
    Some((before, rest.get(1..)?))
}

/// Strict base64url: no padding, no other alphabet, no bits behind the last byte. Not in constant time:
/// whoever sends a token knows it.
fn decoded(part: &[u8]) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).ok()
}

const APPLICATION: &str = "application/";

/// `JWT`, or a kind of it such as `at+jwt` (RFC 9068 §2.1); `application/` may stand before it (RFC 7515 §4.1.9).
fn is_jwt(kind: &str) -> bool {
    let media =
        kind.get(..APPLICATION.len()).filter(|start| start.eq_ignore_ascii_case(APPLICATION));
    let kind = media.and_then(|start| kind.get(start.len()..)).unwrap_or(kind);
    let suffix = kind.rsplit_once('+').map_or(kind, |(_, suffix)| suffix);
    suffix.eq_ignore_ascii_case("jwt")
}

/// What a token says, believed or not: to choose between two cookies.
pub(crate) fn glimpse(token: &[u8]) -> Option<Claims> {
    let parts = Parts::of(token.get(..MAX_TOKEN.min(token.len()))?)?;
    json::claims(&decoded(parts.claims)?, &[])
}
