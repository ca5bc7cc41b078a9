//! Ownership: which credentials of a request are this module's, and which are the app's own.
//!
//! An app may have tokens of its own, in the same places: Open WebUI sends its JWT as a Bearer token, JupyterLab has its
//! `?token=`. A token is the module's by its form: it names a module, or, where tokens are bound to none, it is signed as an
//! issuer of the module signs.

use super::{Issuer, Module};
use crate::path::decoded;
use crate::token::{MAX_TOKEN, Outline};

impl Module {
    /// Tells that a token is one of this module's kind, good or bad.
    pub(crate) fn owns_token(&self, text: &[u8]) -> bool {
        // Too long to be looked into, and what it is must not be left to the app.
        if text.len() > MAX_TOKEN {
            return text.starts_with(b"eyJ");
        }
        let Some(outline) = Outline::of(text, self.module_claim.as_deref()) else { return false };
        match &self.module_claim {
            Some(_) => outline.has_claim,
            None => self.issuers.iter().any(|issuer| signs(issuer, &outline)),
        }
    }

    /// Tells that a value in the query is such a token, as it stands or as an app would decode it.
    pub(crate) fn owns_parameter(&self, value: &[u8]) -> bool {
        let once = decoded(value);
        let twice = once.as_deref().and_then(decoded);
        let all = [Some(value), once.as_deref(), twice.as_deref()];
        all.into_iter().flatten().any(|value| self.owns_token(value))
    }
}

fn signs(issuer: &Issuer, outline: &Outline) -> bool {
    let algorithm = outline.algorithm.is_some_and(|one| issuer.algorithms.contains(&one));
    algorithm && (issuer.issuer.is_none() || issuer.issuer == outline.issuer)
}
