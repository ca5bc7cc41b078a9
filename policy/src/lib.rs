//! Vigile's policies: read from a document, or refused with every mistake at once; and what follows from them.
//!
//! A host hands over a policy as bytes ([`Draft`]) and gets a [`State`] or every mistake. What the state decides
//! is the core's (`vigile-core`), whose words are said here again: a host needs this crate alone, by which no
//! policy can be made that was not read.

mod document;
mod policy;

pub use document::{
    Invalid, SchemaKey, Tree, Variable, algorithm, ascii_host, quoted, shown_variable, span,
};
pub use policy::{Draft, Host};
pub use vigile_core::path::{Pattern, Table};
pub use vigile_core::policy::OVERRIDES;
pub use vigile_core::{
    Algorithm, Asked, Bound, Decision, Edit, End, Family, KeyId, Keys, LEASE_SECONDS, Learned,
    Lease, Memory, Mode, Next, Note, Origin, Policy, Question, RENEWAL_SECONDS, Reason, Record,
    Reply, Request, ResponsePlan, Rest, State, Step, UnixTime, Unpermitted, Unread, Unverified,
    Verdict, apply, drive, finish, renewed, verify,
};
