//! A token that was read and is not believed yet.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::malformed::{Malformed, Part};
use super::{Algorithm, Claims, MAX_TOKEN, Types, json};
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

/// The fault by which a token is not judged by its claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    TooLarge,
    Malformed(Malformed),
    Critical,
    /// The token's `typ`.
    Type,
    /// The token's algorithm, where it is one that some issuer may list.
    Algorithm(Option<Algorithm>),
}

impl Unread {
    pub(crate) fn reason(self) -> Reason {
        match self {
            Self::TooLarge => Reason::TokenTooLarge,
            Self::Malformed(_) => Reason::TokenMalformed,
            Self::Critical => Reason::TokenCritical,
            Self::Type => Reason::TokenType,
            Self::Algorithm(_) => Reason::TokenAlgorithm,
        }
    }
}

impl From<Malformed> for Unread {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl<'t> Parsed<'t> {
    /// Reads a token; `accepted` and `types` are the issuer's, `wanted` the claims that the policy names.
    /// Part by part: what the header alone refuses costs no reading of the rest.
    pub(crate) fn parse(
        text: &'t [u8],
        accepted: &[Algorithm],
        types: &Types,
        wanted: &[String],
    ) -> Result<Self, Unread> {
        if text.len() > MAX_TOKEN {
            return Err(Unread::TooLarge);
        }
        let parts = Parts::of(text).ok_or_else(|| Malformed::of_parts(text))?;
        let header =
            decoded(parts.header).ok_or_else(|| Malformed::encoding(Part::Header, parts.header))?;
        let header = json::header(&header).map_err(|fault| Malformed::Json(Part::Header, fault))?;
        if header.critical {
            return Err(Unread::Critical);
        }
        if !types.take(header.kind.as_deref()) {
            return Err(Unread::Type);
        }
        let named = header.algorithm.ok_or(Malformed::NoAlgorithm)?;
        let known = Algorithm::from_name(&named);
        let algorithm = known.filter(|algorithm| accepted.contains(algorithm));
        let algorithm = algorithm.ok_or(Unread::Algorithm(known))?;
        let claims =
            decoded(parts.claims).ok_or_else(|| Malformed::of_claims(text, parts.claims))?;
        let claims = json::claims(&claims, wanted);
        let claims = claims.map_err(|fault| Malformed::Json(Part::Claims, fault))?;
        let signature = decoded(parts.signature).filter(|signature| !signature.is_empty());
        let signature =
            signature.ok_or_else(|| Malformed::encoding(Part::Signature, parts.signature))?;
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

/// The JSON of a token's header and of its claims as text, where they can be decoded.
pub(crate) fn message_shown(token: &[u8]) -> [Option<String>; 2] {
    let parts = token.get(..MAX_TOKEN.min(token.len())).and_then(Parts::of);
    let text = |part| decoded(part).map(|json| String::from_utf8_lossy(&json).into_owned());
    match parts {
        Some(parts) => [text(parts.header), text(parts.claims)],
        None => [None, None],
    }
}

/// The form of a token, believed or not: to tell a module's tokens from an app's.
pub(crate) struct Outline {
    pub(crate) algorithm: Option<Algorithm>,
    pub(crate) issuer: Option<String>,
    /// The claim that was asked for is there.
    pub(crate) has_claim: bool,
}

impl Outline {
    /// Reads a token's form; `None` for a text that is no token.
    pub(crate) fn of(text: &[u8], claim: Option<&str>) -> Option<Self> {
        let parts = Parts::of(text)?;
        let wanted: Vec<String> = claim.map(str::to_owned).into_iter().collect();
        let claims = json::claims(&decoded(parts.claims)?, &wanted).ok()?;
        let header = decoded(parts.header)?;
        let header = json::header(&header).ok()?;
        let algorithm = header.algorithm.and_then(|name| Algorithm::from_name(&name));
        let has_claim = claim.is_some_and(|name| claims.claim(name).is_some());
        Some(Self { algorithm, issuer: claims.issuer, has_claim })
    }
}

/// What a token says, believed or not: to choose between two cookies.
pub(crate) fn glimpse(token: &[u8]) -> Option<Claims> {
    let parts = Parts::of(token.get(..MAX_TOKEN.min(token.len()))?)?;
    json::claims(&decoded(parts.claims)?, &[]).ok()
}
