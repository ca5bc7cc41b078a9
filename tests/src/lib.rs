//! What the runners of the corpus share.

pub mod app;
pub mod asking;
pub mod attack;
pub mod bad;
pub mod case;
pub mod conversation;
pub mod core;
pub mod corpus_envoy;
pub mod envoy;
pub mod gate;
pub mod hostile;
mod http2;
pub mod https;
pub mod keys;
pub mod lds;
pub mod minting;
pub mod mutants;
pub mod outcome;
pub mod policies;
pub mod recorder;
pub mod sample;
pub mod sdk;
pub mod snippets;
pub mod stand;
pub mod ticker;
pub mod tools;
pub mod wire;
