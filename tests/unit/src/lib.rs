//! NGINX Unit's side of `vigile-unit`, for tests: Unit itself is in no registry that they reach.
//!
//! What holds of Unit 1.35.0, and is done here as there: one instance per request with the application's
//! environment and folders, no address of the caller, the scheme always http, the authority in lower case
//! without its port, fields with a `_` discarded, what belongs to the hop taken away, chunked bodies refused
//! (411), bodies whole before they are routed (413 above `max_body_size`), and routes before the application,
//! which see path and query decoded.
//!
//! Its module for components ends the application's process, and every request in it, where it cannot make a
//! request of a head (a raw space in the target, 0x7F or what is no UTF-8 in a field), and where an answer's
//! body ends with an error. It learns nothing of a client that leaves: the call lives to its own end. The
//! router ends an answer whose application is silent for longer than `limits.timeout`. A body that ends without
//! an error and short of its Content-Length leaves the connection open, and the next bytes on it are read as the
//! rest.

pub mod app;
pub mod client;
pub mod config;
pub mod corpus;
pub mod guest;
pub mod head;
pub mod process;
pub mod router;
pub mod unit;
