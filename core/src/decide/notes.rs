//! What `vigile explain` prints: each check and its outcome, in the order in which they were made.

use crate::token::message_shown;

/// A check and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What was looked at: `module`, `route`, `token`, …
    pub check: &'static str,
    /// What was found. It may name a subject; it never holds a credential.
    pub outcome: String,
}

impl Note {
    /// The check under which a token's header stands, as JSON.
    pub const TOKEN_HEADER: &str = "token header";
    /// The check under which a token's claims stand, as JSON.
    pub const TOKEN_CLAIMS: &str = "token claims";
}

/// Taken for `explain` alone: a proxy pays nothing for them.
pub(crate) enum Notes {
    Off,
    On(Vec<Note>),
}

impl Notes {
    pub(crate) fn add(&mut self, check: &'static str, outcome: impl FnOnce() -> String) {
        if let Self::On(notes) = self {
            notes.push(Note { check, outcome: outcome() });
        }
    }

    /// Adds the header and the claims of a token, believed or not; of each token once.
    pub(crate) fn add_token(&mut self, token: &[u8]) {
        let Self::On(notes) = self else { return };
        let parts = [Note::TOKEN_HEADER, Note::TOKEN_CLAIMS].into_iter().zip(message_shown(token));
        for (check, part) in parts {
            let note = part.map(|outcome| Note { check, outcome });
            notes.extend(note.filter(|note| !notes.contains(note)));
        }
    }

    pub(crate) fn are_taken(&self) -> bool {
        matches!(self, Self::On(_))
    }

    pub(crate) fn take(&mut self) -> Vec<Note> {
        match self {
            Self::Off => Vec::new(),
            Self::On(notes) => std::mem::take(notes),
        }
    }
}
