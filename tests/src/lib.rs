//! What the runners of the corpus share.

pub mod app;
pub mod bad;
pub mod case;
pub mod conversation;
pub mod core;
pub mod corpus_envoy;
pub mod envoy;
mod http2;
pub mod keys;
pub mod mutants;
pub mod outcome;
pub mod policies;
pub mod wire;
