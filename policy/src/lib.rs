//! Vigile's policy core: it decides who gets in, what the app learns of them, and how the answer may be
//! framed.
//!
//! Values in, values out. A host hands over a policy as bytes ([`Draft`]) and gets a [`State`] or every
//! mistake; it hands over a request as borrowed bytes ([`State::decide`]) and gets the next [`Step`], at
//! whose end stands a [`Decision`]. The core never calls the host, knows no clock and reads no file.

mod body;
mod decide;
mod document;
mod lease;
mod origin;
mod path;
mod policy;
mod reason;
mod record;
mod reply;
mod request;
mod response;
mod set_cookie;
mod token;
mod unix_time;

pub use decide::{
    Bound, Decision, Edit, Next, Note, Rest, Step, Unpermitted, Unread, Unverified, Verdict, apply,
    drive, finish, verify,
};
pub use document::{Invalid, SchemaKey, Tree, Variable};
pub use lease::{LEASE_SECONDS, Lease, RENEWAL_SECONDS, renewed};
pub use origin::Origin;
pub use policy::{Draft, Host, Mode, Policy, State};
pub use reason::Reason;
pub use record::Record;
pub use reply::Reply;
pub use request::Request;
pub use response::ResponsePlan;
pub use token::{Algorithm, Asked, Family, KeyId, Keys, Learned, Memory, Question};
pub use unix_time::UnixTime;
