//! A token that was read and is not believed yet.

use ct_codecs::{Base64UrlSafeNoPadding, Decoder};

use super::{Algorithm, Claims, MAX_TOKEN, json};
use crate::{Reason, UnixTime};

/// A token's header and claims. Until a signature holds they are what the caller says.
#[derive(Clone, Debug)]
pub(crate) struct Parsed<'t> {
    pub(crate) text: &'t str,
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
        let (header, claims) = parts(text).ok_or(Reason::TokenMalformed)?;
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
        Ok(Self { text, algorithm, kid: header.kid, claims })
    }
}

/// The decoded header and claims of three parts of strict base64url: no padding, no other alphabet, no
/// bits behind the last byte. The signature is decoded too, so that garbage costs nothing further.
fn parts(text: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut parts = text.split('.');
    let mut next = || Base64UrlSafeNoPadding::decode_to_vec(parts.next()?, None).ok();
    let (header, claims, signature) = (next()?, next()?, next()?);
    (parts.next().is_none() && !signature.is_empty()).then_some((header, claims))
}

/// `JWT`, or a kind of it such as `at+jwt` (RFC 9068 §2.1).
fn is_jwt(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    kind == "jwt" || kind.ends_with("+jwt")
}

/// When a token says that it ends, believed or not: to choose between two cookies.
pub(crate) fn expiry_of(token: &[u8]) -> Option<UnixTime> {
    let text = std::str::from_utf8(token.get(..MAX_TOKEN.min(token.len()))?).ok()?;
    json::claims(&parts(text)?.1, &[])?.expires
}
