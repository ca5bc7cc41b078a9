//! `issuers`: who signs tokens, and what of theirs is believed.

use std::time::Duration;

use super::key;
use crate::document::{Node, duration, name, text, texts, time};
use crate::token::{Algorithm, Claim, Claims, Key, Scalar};
use crate::unix_time::whole_seconds;
use crate::{Reason, UnixTime};

const FIVE_MINUTES: Duration = Duration::from_mins(5);
const A_MINUTE: Duration = Duration::from_mins(1);
/// As humantime counts them, 365.25 days each.
const TEN_YEARS: Duration = Duration::from_hours(87_660);

/// A signer of tokens. Its keys are elsewhere ([`crate::Keys`]), at the same index.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Issuer {
    pub(crate) index: usize,
    pub(crate) name: String,
    pub(crate) algorithms: Vec<Algorithm>,
    pub(crate) roles_claim: String,
    issuer: Option<String>,
    audiences: Audiences,
    require_exp: bool,
    leeway: Duration,
    max_lifetime: Option<Duration>,
    revoked: Option<Revoked>,
}

/// Tokens that are refused before their time.
#[derive(Debug, PartialEq, Eq)]
struct Revoked {
    /// `jti` of single tokens.
    identifiers: Vec<String>,
    issued_before: Option<UnixTime>,
}

/// What `aud` must hold.
#[derive(Debug, PartialEq, Eq)]
enum Audiences {
    /// A token that names an audience is not for us (RFC 7519 §4.1.3).
    None,
    /// Not looked at.
    Any,
    Of(Vec<String>),
}

/// Reads one issuer and its keys, each for itself: without the secrets there can be one and not the
/// other.
pub(super) fn read(node: &Node<'_>, index: usize) -> Option<(Option<Issuer>, Option<Vec<Key>>)> {
    let section = node.section("{ name: …, algorithms: […], keys: […] }")?;
    let name = section.required("name", name);
    let algorithms = section.required("algorithms", algorithms);
    let issuer = section.optional("issuer", text);
    let audiences = section.or("audiences", Audiences::None, audiences);
    let require_exp = section.or("require_exp", true, Node::flag);
    let leeway =
        section.or("leeway", Duration::ZERO, |node| duration(node, Duration::ZERO, FIVE_MINUTES));
    let max_lifetime = section.optional("max_lifetime", |node| duration(node, A_MINUTE, TEN_YEARS));
    let revoked = section.optional("revoked", revoked);
    let roles_claim = section.or("roles_claim", "roles".to_owned(), text);
    let owner = name.as_deref().unwrap_or_default();
    let accepted = algorithms.as_deref();
    let keys = section.required("keys", |node| key::read_all(node, owner, accepted));
    let issuer = || {
        Some(Issuer {
            index,
            name: name.clone()?,
            algorithms: algorithms?,
            roles_claim: roles_claim?,
            issuer: issuer?,
            audiences: audiences?,
            require_exp: require_exp?,
            leeway: leeway?,
            max_lifetime: max_lifetime?,
            revoked: revoked?,
        })
    };
    Some((issuer(), keys))
}

fn algorithms(node: &Node<'_>) -> Option<Vec<Algorithm>> {
    node.each("[HS256]", |node| match node.tree().as_text() {
        Some("none") => node.wrong("none is no signature: anybody can write such a token"),
        _ => node.word(Algorithm::ALL),
    })
}

fn audiences(node: &Node<'_>) -> Option<Audiences> {
    match node.tree().as_text() {
        Some("any") => Some(Audiences::Any),
        Some(_) => node.wrong("expected a list of audiences, or the word any"),
        None => texts(node).map(Audiences::Of),
    }
}

fn revoked(node: &Node<'_>) -> Option<Revoked> {
    let section = node.section("{ jti: […], issued_before: 2026-01-01T00:00:00Z }")?;
    let identifiers = section.or("jti", Vec::new(), texts);
    let issued_before = section.optional("issued_before", time);
    if !section.has("jti") && !section.has("issued_before") {
        return section
            .lacks(&["jti", "issued_before"], "one of these is required: jti, issued_before");
    }
    Some(Revoked { identifiers: identifiers?, issued_before: issued_before? })
}

impl Revoked {
    /// A token that does not say what it is judged by is among them.
    fn holds(&self, claims: &Claims) -> bool {
        let named = match claims.claim("jti") {
            Some(Claim::One(Scalar::Text(id))) => self.identifiers.contains(&id),
            // Not a string (RFC 7519 §4.1.7).
            Some(_) => true,
            None => false,
        };
        let early = |before: UnixTime| claims.issued.is_none_or(|issued| issued < before);
        named || self.issued_before.is_some_and(early)
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
        if self.revoked.as_ref().is_some_and(|revoked| revoked.holds(claims)) {
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

    /// `exp` ends a token at its very second (RFC 7519 §4.1.4: "on or after which").
    fn accepts_times(&self, claims: &Claims, now: UnixTime) -> Result<(), Reason> {
        match claims.expires {
            None if self.require_exp => return Err(Reason::TokenNoExpiry),
            Some(expires) if now >= expires.later(self.leeway) => return Err(Reason::TokenExpired),
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
