//! proxy-wasm 0.2.1: the calls to the host that the filter makes, each a function of bytes.
//!
//! The proxy-wasm SDK has these calls as well. It panics on a status that it does not expect, and a status
//! that its enum does not name is undefined behaviour. Hosts other than Envoy answer with both: `Unimplemented`
//! (12) for a clock, `NotFound` for filter state. Here every status but `Ok` is [`Refused`], and what a host
//! hands over is read without a panic, whatever its bytes.
//!
//! A call that a host answers with a trap ends the module's VM, and no code in it can prevent that: the filter
//! makes no call that any host is known to trap on (docs/decisions/0033).

mod calls;
mod map;
mod raw;

pub use calls::{
    Buffer, Level, Map, Refused, add_header, buffer, call, clear, define_counter, header, headers,
    increment, log, now, property, remove_header, reset_request, respond, set_header, set_property,
    set_shared, shared, tick_every, turn_to,
};
pub use map::{Pairs, Path};
