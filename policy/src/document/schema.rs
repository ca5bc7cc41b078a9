//! The keys of the schema, as the readers themselves ask for them: nobody keeps a second list.

/// A key of the schema, and whether a policy gave it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// `modules[].routes[].token.issuer`: `[]` stands for any item, `*` for a name of the author's own.
    pub path: String,
    /// Whether its section must have it.
    pub required: bool,
    /// Whether it was there.
    pub given: bool,
}

/// `{ env: NAME, … }` may stand in many places; its keys are counted once.
pub(super) const VARIABLE: &str = "{}";

/// The keys that are a variable's alone.
pub(super) const OF_A_VARIABLE: [&str; 3] = ["env", "encoding", "optional"];
