//! What `vigile explain` prints: each check and its outcome, in the order in which they were made.

/// A check and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What was looked at: `module`, `route`, `token`, …
    pub check: &'static str,
    /// What was found. It may name a subject; it never holds a credential.
    pub outcome: String,
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

    pub(crate) fn take(&mut self) -> Vec<Note> {
        match self {
            Self::Off => Vec::new(),
            Self::On(notes) => std::mem::take(notes),
        }
    }
}
