//! NGINX Unit's side of `vigile-unit`, for tests: Unit itself is in no registry that they reach.
//!
//! What holds of Unit 1.35.0, and is done here as there: one instance per request with the application's
//! environment and folders, no address of the caller, the scheme always http, the authority in lower case
//! without its port, fields with a `_` discarded, what belongs to the hop taken away, chunked bodies refused
//! (411), bodies whole before they are routed (413 above `max_body_size`), and routes before the application.

pub mod app;
pub mod client;
pub mod config;
pub mod corpus;
pub mod guest;
pub mod router;
pub mod unit;
