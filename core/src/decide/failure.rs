//! Why one way in is closed.

use std::net::IpAddr;
use std::sync::Arc;

use super::proof::Known;
use crate::body::Mistake;
use crate::policy::{ApiKey, HeaderPlace};
use crate::token::{Claims, Unread};
use crate::{Algorithm, Reason, UnixTime};

/// A reason, what its words need, and who it was that was turned away, as far as that was proven.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) reason: Reason,
    pub(crate) detail: Detail,
    pub(crate) proven: Proven,
    /// The way in that is closed, by its place among the needs of the rule.
    pub(crate) way: usize,
}

/// The evidence for some reasons: the caller is told of some of it, and the operator of all (`audit`).
#[derive(Clone, Debug, Default)]
pub(crate) enum Detail {
    #[default]
    None,
    /// The methods that are answered.
    Allow(String),
    /// Where an API key belongs.
    KeyHeader(HeaderPlace),
    /// The header that is missing.
    Header(String),
    /// The caller's own address.
    Address(IpAddr),
    /// What is wrong with the body.
    Body(Vec<Mistake>),
    /// For the operator alone, in words of ours.
    Text(&'static str),
    /// The fault of a token that could not be read. For the operator alone.
    Unread(Unread),
    /// The algorithm and key of a token, as its header names them. For the operator alone.
    Signed { algorithm: Algorithm, kid: Option<String> },
    /// The claims of a token that nobody vouches for. For the operator alone.
    Claims(Arc<Claims>),
}

/// Who the caller is, proven: an API key that is one, a token whose signature holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proven {
    pub(crate) api_key: Option<Arc<ApiKey>>,
    pub(crate) token: Option<Known>,
}

impl Proven {
    /// When the first of its proofs ends: from then on a request with it is refused.
    pub(crate) fn ends(&self) -> Option<UnixTime> {
        let token = self.token.as_ref().and_then(|token| token.issuer.ends(&token.claims));
        let api_key = self.api_key.as_ref().and_then(|key| key.not_after);
        token.into_iter().chain(api_key).min()
    }
}

impl Failure {
    pub(crate) fn new(reason: Reason, detail: Detail) -> Self {
        Self { reason, detail, proven: Proven::default(), way: 0 }
    }

    /// A failure of the signature, or of the key that would verify it.
    pub(crate) fn signed(reason: Reason, algorithm: Algorithm, kid: Option<String>) -> Self {
        Self::new(reason, Detail::Signed { algorithm, kid })
    }

    /// How far the caller came on this way: `any_of` reports the one that got furthest.
    pub(crate) fn depth(&self) -> u8 {
        let proven = self.proven.api_key.is_some() || self.proven.token.is_some();
        match self.reason {
            Reason::TokenMissing | Reason::CookieBlocked | Reason::ApiKeyMissing => {
                u8::from(proven)
            }
            Reason::TokenMalformed
            | Reason::TokenTooLarge
            | Reason::TokenType
            | Reason::TokenCritical => 2,
            // Another issuer's, as far as anybody can tell.
            Reason::TokenAlgorithm
            | Reason::TokenKeyUnknown
            | Reason::TokenSignature
            | Reason::TokenIssuer
            | Reason::ApiKeyInvalid => 3,
            Reason::TokenAudience | Reason::TokenModule => 4,
            Reason::TokenExpired
            | Reason::TokenNotYetValid
            | Reason::TokenNoExpiry
            | Reason::TokenLifetime
            | Reason::ApiKeyExpired
            | Reason::ApiKeyNotYetValid => 5,
            _ => 6,
        }
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::new(reason, Detail::None)
    }
}
