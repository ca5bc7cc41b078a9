//! Answers 200, and nothing else.

// Elsewhere there is no host to link with.
#![cfg(target_family = "wasm")]

use wasip2::http::types::{Fields, IncomingRequest, OutgoingResponse, ResponseOutparam};

struct Component;

#[allow(missing_docs, reason = "the macro writes what the host calls")]
mod entry {
    use super::Component;

    wasip2::http::proxy::export!(Component);
}

impl wasip2::exports::http::incoming_handler::Guest for Component {
    fn handle(_: IncomingRequest, out: ResponseOutparam) {
        ResponseOutparam::set(out, Ok(OutgoingResponse::new(Fields::new())));
    }
}
