//! `issuers`: who signs tokens, and what of theirs is believed.

use std::time::Duration;

use crate::token::{Algorithm, Claim, Claims, Scalar, Types};
use crate::unix_time::whole_seconds;
use crate::{Reason, UnixTime};

/// A signer of tokens. Its keys are elsewhere ([`crate::Keys`]), at the same index.
#[derive(Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Its place in the policy.
    pub index: usize,
    /// What the policy and the log call it.
    pub name: String,
    /// What it signs with.
    pub algorithms: Vec<Algorithm>,
    /// The types of tokens that are its own.
    pub types: Types,
    /// The claim in which roles stand.
    pub roles_claim: String,
    /// What `iss` must be.
    pub issuer: Option<String>,
    /// What `aud` must hold.
    pub audiences: Audiences,
    /// A token must say when it ends.
    pub require_exp: bool,
    /// How far its clock may be from the host's.
    pub leeway: Duration,
    /// The longest that a token may last.
    pub max_lifetime: Option<Duration>,
    /// Tokens that are refused before their time.
    pub revoked: Option<Revoked>,
}

/// Tokens that are refused before their time.
#[derive(Debug, PartialEq, Eq)]
pub struct Revoked {
    /// `jti` of single tokens.
    pub identifiers: Vec<String>,
    /// All that are older than this.
    pub issued_before: Option<UnixTime>,
}

/// What `aud` must hold.
#[derive(Debug, PartialEq, Eq)]
pub enum Audiences {
    /// A token that names an audience is not for us (RFC 7519 §4.1.3).
    None,
    /// Not looked at.
    Any,
    /// One of these.
    Of(Vec<String>),
}

impl std::hash::Hash for Issuer {
    /// By its place, which no other issuer has.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}

impl Revoked {
    /// By what a token is among them. One that does not say what it is judged by is.
    pub(crate) fn cause(&self, claims: &Claims) -> Option<&'static str> {
        match claims.claim("jti") {
            Some(Claim::One(Scalar::Text(id))) if self.identifiers.contains(&id) => {
                return Some("revoked.jti names the token's jti");
            }
            Some(Claim::One(Scalar::Text(_))) | None => {}
            // RFC 7519 §4.1.7.
            Some(_) => return Some("the token's jti is not a string"),
        }
        match (self.issued_before?, claims.issued) {
            (_, None) => Some("the token has no iat, which revoked.issued_before asks for"),
            (before, Some(issued)) if issued < before => {
                Some("the token was issued earlier than revoked.issued_before")
            }
            _ => None,
        }
    }
}

impl Issuer {
    /// The claims that its own section asks about, beside those that every token is read for.
    pub(crate) fn claims(&self) -> impl Iterator<Item = &str> {
        let by_id = self.revoked.as_ref().filter(|revoked| !revoked.identifiers.is_empty());
        by_id.map(|_| "jti").into_iter().chain([self.roles_claim.as_str()])
    }

    /// What can be judged before a signature is computed, the cheapest first.
    pub(crate) fn accepts(&self, claims: &Claims, now: UnixTime) -> Result<(), Reason> {
        self.accepts_times(claims, now)?;
        if self.revoked.as_ref().is_some_and(|revoked| revoked.cause(claims).is_some()) {
            return Err(Reason::TokenRevoked);
        }
        if self.issuer.is_some() && self.issuer != claims.issuer {
            return Err(Reason::TokenIssuer);
        }
        let meant_for = claims.audience.as_ref().map(|audience| audience.0.as_slice());
        let holds = match (&self.audiences, meant_for) {
            (Audiences::Any, _) | (Audiences::None, None) => true,
            (Audiences::None, Some(_)) | (Audiences::Of(_), None) => false,
            (Audiences::Of(ours), Some(theirs)) => theirs.iter().any(|one| ours.contains(one)),
        };
        if holds { Ok(()) } else { Err(Reason::TokenAudience) }
    }

    /// When a token ends; `None` for one that never does.
    pub(crate) fn ends(&self, claims: &Claims) -> Option<UnixTime> {
        claims.expires.map(|expires| expires.later(self.leeway))
    }

    /// `exp` ends a token at its very second (RFC 7519 §4.1.4: "on or after which").
    fn accepts_times(&self, claims: &Claims, now: UnixTime) -> Result<(), Reason> {
        match claims.expires {
            None if self.require_exp => return Err(Reason::TokenNoExpiry),
            _ if self.ends(claims).is_some_and(|end| now >= end) => {
                return Err(Reason::TokenExpired);
            }
            _ => {}
        }
        let soon = now.later(self.leeway);
        if claims.not_before.is_some_and(|begins| soon < begins) {
            return Err(Reason::TokenNotYetValid);
        }
        let Some(most) = self.max_lifetime else { return Ok(()) };
        // A token from the future would shorten its own count.
        if claims.issued.is_some_and(|issued| soon < issued) {
            return Err(Reason::TokenNotYetValid);
        }
        let from = claims.issued.unwrap_or(now);
        match claims.expires {
            Some(expires) if expires.since(from) <= whole_seconds(most) => Ok(()),
            _ => Err(Reason::TokenLifetime),
        }
    }
}
