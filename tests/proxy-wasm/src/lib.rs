//! A host of proxy-wasm 0.2.1 that is not Envoy, on wasmtime.
//!
//! It answers as nginx's `ngx_wasm_module` does, read in its source (Kong, at 3bed278): names of headers as the caller wrote
//! them, pseudo-headers by name alone, no property but the caller's address, a trap for what it does not have, and
//! no word on whether a body follows. Where other hosts answer otherwise a test says so ([`Ways`]).

pub mod corpus;
pub mod host;
mod imports;
mod memory;
pub mod ways;

pub use host::{Host, Trapped};
pub use ways::{Answer, Ways};
