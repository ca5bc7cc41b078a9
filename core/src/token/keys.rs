//! The keys of all issuers, as one immutable set.

use super::elsewhere::Asked;
use super::key::Verifier;
use super::{Algorithm, Parsed};

/// The most keys of one issuer that are tried on one token.
pub const MAX_CANDIDATES: usize = 8;

/// A key of an issuer, for one algorithm.
pub struct Key {
    /// `kid`, where it has one.
    pub kid: Option<String>,
    /// The one algorithm that it is for.
    pub algorithm: Algorithm,
    /// The key itself.
    pub verifier: Verifier,
    /// What the load line calls it: never the key itself.
    pub label: String,
}

/// Every issuer's keys. The host replaces the whole set; `generation` tells one set from the next, so
/// that nothing verified by a key outlives it.
pub struct Keys {
    generation: u32,
    issuers: Vec<Vec<Key>>,
}

/// Which key of which set verified a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId {
    pub(crate) generation: u32,
    pub(crate) issuer: usize,
    pub(crate) index: usize,
}

/// Did one of an issuer's keys make this signature over this message? Answered at once, so it borrows
/// the request.
pub struct Question<'q> {
    pub(crate) issuer: usize,
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<&'q str>,
    pub(crate) message: &'q [u8],
    pub(crate) signature: &'q [u8],
}

impl Keys {
    pub(crate) fn new(generation: u32, issuers: Vec<Vec<Key>>) -> Self {
        Self { generation, issuers }
    }

    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Verifies in software: every host that has nothing better, the command line, the tests.
    pub fn verify(&self, question: &Question<'_>) -> Option<KeyId> {
        self.verify_by(question, |_| None)
    }

    /// Verifies where the host can: what it says of a key and a signature, or `None` for what it cannot
    /// say, which is then verified in software.
    pub fn verify_by(
        &self,
        question: &Question<'_>,
        host: impl Fn(&Asked<'_>) -> Option<bool>,
    ) -> Option<KeyId> {
        let holds = |verifier: &Verifier| {
            let (message, signature) = (question.message, question.signature);
            let said = verifier.elsewhere(message, signature).and_then(|asked| host(&asked));
            said.unwrap_or_else(|| verifier.verifies(message, signature))
        };
        self.candidates(question.issuer, question.algorithm, question.kid)
            .find(|(_, key)| holds(&key.verifier))
            .map(|(index, _)| KeyId { generation: self.generation, issuer: question.issuer, index })
    }

    /// Whether any key of the issuer fits the token's header, before anything costly is done.
    pub(crate) fn knows(&self, issuer: usize, token: &Parsed<'_>) -> bool {
        self.candidates(issuer, token.algorithm, token.kid.as_deref()).next().is_some()
    }

    /// A token without `kid` may be of any key, and a key without `kid` may have signed any token: those that bear its
    /// name come first.
    fn candidates(
        &self,
        issuer: usize,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> impl Iterator<Item = (usize, &Key)> {
        let keys = self.issuers.get(issuer).map(Vec::as_slice).unwrap_or_default();
        let fitting = move |named: bool| {
            keys.iter().enumerate().filter(move |(_, key)| key.algorithm == algorithm).filter(
                move |(_, key)| match (&key.kid, kid) {
                    (Some(of_key), Some(of_token)) => named && of_key == of_token,
                    (None, Some(_)) => !named,
                    (_, None) => named,
                },
            )
        };
        fitting(true).chain(fitting(false)).take(MAX_CANDIDATES)
    }

    /// The labels of the keys that a token is tried with.
    pub(crate) fn tried(
        &self,
        issuer: usize,
        algorithm: Algorithm,
        kid: Option<&str>,
    ) -> Vec<&str> {
        self.candidates(issuer, algorithm, kid).map(|(_, key)| key.label.as_str()).collect()
    }

    /// The names of an issuer's keys for an algorithm.
    pub(crate) fn names(&self, issuer: usize, algorithm: Algorithm) -> Vec<&str> {
        let keys = self.issuers.get(issuer).map(Vec::as_slice).unwrap_or_default();
        let fitting = keys.iter().filter(|key| key.algorithm == algorithm);
        fitting.filter_map(|key| key.kid.as_deref()).collect()
    }

    /// The keys by name, for the line that the host logs at load.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.issuers.iter().flatten().map(|key| key.label.as_str())
    }
}
