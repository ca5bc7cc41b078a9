//! `api_keys`: long secrets that admit whoever sends them.

use super::HeaderPlace;
use crate::{Reason, UnixTime};

/// A key of a caller.
#[derive(PartialEq, Eq)]
pub struct ApiKey {
    /// What logs call it.
    pub name: String,
    /// What its caller may do, as routes and the app name it.
    pub roles: Vec<String>,
    /// Where callers send it.
    pub place: HeaderPlace,
    /// SHA-256 of the key; `None` while its optional variable is unset.
    pub digest: Option<[u8; 32]>,
    /// It is not valid earlier.
    pub not_before: Option<UnixTime>,
    /// Nor from this second on.
    pub not_after: Option<UnixTime>,
}

impl std::hash::Hash for ApiKey {
    /// By its name, which no other key has.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ApiKey({})", self.name)
    }
}

impl ApiKey {
    /// Whether anybody can come in by it.
    pub fn is_set(&self) -> bool {
        self.digest.is_some()
    }

    /// Tells that the key has one of these roles.
    pub fn has_any(&self, roles: &[String]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    /// Whether this is the key: two digests are compared, in constant time, and never the keys.
    pub(crate) fn is(&self, presented: &[u8]) -> bool {
        let presented = hmac_sha256::Hash::hash(presented);
        self.digest.is_some_and(|digest| ct_codecs::verify(&digest, &presented))
    }

    /// Whether it is valid now; `not_after` ends it at that very second.
    pub(crate) fn accepts(&self, now: UnixTime) -> Result<(), Reason> {
        match (self.not_before, self.not_after) {
            (Some(begins), _) if now < begins => Err(Reason::ApiKeyNotYetValid),
            (_, Some(ends)) if now >= ends => Err(Reason::ApiKeyExpired),
            _ => Ok(()),
        }
    }
}
