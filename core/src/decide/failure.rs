//! Why one way in is closed.

use std::net::IpAddr;
use std::sync::Arc;

use super::proof::Known;
use crate::Reason;
use crate::body::Mistake;
use crate::policy::{ApiKey, HeaderPlace};

/// A reason, what its words need, and who it was that was turned away, as far as that was proven.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) reason: Reason,
    pub(crate) detail: Detail,
    pub(crate) proven: Proven,
}

/// What the words of some reasons name.
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
}

/// Who the caller is, proven: an API key that is one, a token whose signature holds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Proven {
    pub(crate) api_key: Option<Arc<ApiKey>>,
    pub(crate) token: Option<Known>,
}

impl Failure {
    pub(crate) fn new(reason: Reason, detail: Detail) -> Self {
        Self { reason, detail, proven: Proven::default() }
    }

    /// How far the caller came on this way: `any_of` reports the one that got furthest.
    pub(crate) fn depth(&self) -> u8 {
        let proven = self.proven.api_key.is_some() || self.proven.token.is_some();
        match self.reason {
            Reason::TokenMissing | Reason::ApiKeyMissing => u8::from(proven),
            Reason::TokenMalformed | Reason::TokenTooLarge | Reason::TokenCritical => 2,
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
