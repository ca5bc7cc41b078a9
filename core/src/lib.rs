//! Vigile's policy core: it decides who gets in, what the app learns of them, and how the answer may be
//! framed.
//!
//! Values in, values out. A host hands over a request as borrowed bytes ([`State::decide`]) and gets the next
//! [`Step`], at whose end stands a [`Decision`]. The core never calls the host, knows no clock and reads no file.
//!
//! A [`State`] is made by `vigile-policy`, which reads policies and is what hosts depend on. It is a crate of its
//! own since it runs once, and is compiled to be small; this one runs for every request, and is compiled to be
//! fast (docs/decisions/0022).

pub mod body;
mod decide;
mod lease;
mod names;
pub mod origin;
pub mod path;
pub mod policy;
mod reason;
mod record;
mod reply;
mod request;
mod response;
mod set_cookie;
pub mod token;
mod unix_time;

pub use decide::{
    Bound, Decision, Edit, End, Next, Note, Rest, Step, Unpermitted, Unread, Unverified, Verdict,
    apply, drive, finish, verify,
};
pub use lease::{LEASE_SECONDS, Lease, RENEWAL_SECONDS, renewed};
pub use names::Names;
pub use origin::Origin;
pub use policy::{Mode, Policy, State};
pub use reason::Reason;
pub use record::Record;
pub use reply::Reply;
pub use request::Request;
pub use response::ResponsePlan;
pub use token::{Algorithm, Asked, Family, KeyId, Keys, Learned, Memory, Question};
pub use unix_time::UnixTime;
