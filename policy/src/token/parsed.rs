//! A token that was read and is not believed yet.

use ct_codecs::{Base64UrlSafeNoPadding, Decoder};

use super::{Algorithm, Claims, MAX_TOKEN, json};
use crate::{Reason, UnixTime};

/// A token's header and claims. Until a signature holds they are what the caller says.
#[derive(Clone, Debug)]
pub(crate) struct Parsed<'t> {
    pub(crate) text: &'t str,
    /// What was signed: the first two parts and the dot between them (RFC 7515 §5.2).
    pub(crate) message: &'t str,
    pub(crate) signature: Vec<u8>,
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    pub(crate) claims: Claims,
}

impl<'t> Parsed<'t> {
    /// Reads a token; `accepted` are the issuer's algorithms, `wanted` the claims that the policy names.
    pub(crate) fn parse(
        token: &'t [u8],
        accepted: &[Algorithm],
        wanted: &[String],
    ) -> Result<Self, Reason> {
        if token.len() > MAX_TOKEN {
            return Err(Reason::TokenTooLarge);
        }
        let text = std::str::from_utf8(token).map_err(|_| Reason::TokenMalformed)?;
        let Parts { message, header, claims, signature } =
            parts(text).ok_or(Reason::TokenMalformed)?;
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
        let claims = json::claims(&claims, wanted).ok_or(Reason::TokenMalformed)?;
        Ok(Self { text, message, signature, algorithm, kid: header.kid, claims })
    }
}

/// A token's three parts, decoded.
struct Parts<'t> {
    message: &'t str,
    header: Vec<u8>,
    claims: Vec<u8>,
    signature: Vec<u8>,
}

/// Three parts of strict base64url: no padding, no other alphabet, no bits behind the last byte.
fn parts(text: &str) -> Option<Parts<'_>> {
    let decode = |part| Base64UrlSafeNoPadding::decode_to_vec(part, None).ok();
    let (message, signature) = text.rsplit_once('.')?;
    let (header, claims) = message.split_once('.')?;
    let signature = decode(signature).filter(|signature| !signature.is_empty())?;
    // A fourth part leaves a dot in the claims, which is no base64url.
    Some(Parts { message, header: decode(header)?, claims: decode(claims)?, signature })
}

/// `JWT`, or a kind of it such as `at+jwt` (RFC 9068 §2.1).
fn is_jwt(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    kind == "jwt" || kind.ends_with("+jwt")
}

/// When a token says that it ends, believed or not: to choose between two cookies.
pub(crate) fn expiry_of(token: &[u8]) -> Option<UnixTime> {
    let text = std::str::from_utf8(token.get(..MAX_TOKEN.min(token.len()))?).ok()?;
    json::claims(&parts(text)?.claims, &[])?.expires
}
