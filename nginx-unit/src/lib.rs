//! Vigile in NGINX Unit: the wasi:http host of `vigile-policy`.
//!
//! Unit runs a component as an application, so this is a reverse proxy: the core decides upon a request, and
//! it is answered here, or by the app. An instance lives for one request, and reads its policy anew.

// Elsewhere there is no host to link with.
#![cfg(target_family = "wasm")]

mod answer;
mod arrival;
mod decision;
mod exchange;
mod load;
mod pipe;

use std::io::Write;

use arrival::Arrival;
use vigile_policy::Verdict;
use wasip2::http::types::{IncomingRequest, Method, ResponseOutparam};

/// Headers as the core takes them.
type Headers = Vec<(String, Vec<u8>)>;

struct Component;

#[allow(missing_docs, reason = "the macro writes what the host calls")]
mod entry {
    use super::Component;

    wasip2::http::proxy::export!(Component);
}

impl wasip2::exports::http::incoming_handler::Guest for Component {
    /// Every way through this sets an answer: Unit aborts where none is.
    fn handle(incoming: IncomingRequest, out: ResponseOutparam) {
        let is_head = matches!(incoming.method(), Method::Head);
        let gate = match load::load() {
            Ok(gate) => gate,
            Err(mistakes) => {
                log(&mistakes.join("\n"));
                return answer::failure(out, answer::UNAVAILABLE, None, is_head);
            }
        };
        let Some(mut arrival) = Arrival::of(&gate, &incoming) else {
            log("VIGILE_ADDRESS: no address stands first in the path");
            return answer::failure(out, answer::UNAVAILABLE, None, is_head);
        };
        let Some(decision) = decision::decide(&gate.state, &mut arrival) else {
            return answer::failure(out, answer::BROKEN_OFF, None, is_head);
        };
        match decision.verdict {
            Verdict::Reply(reply) => answer::reply(out, &reply, is_head),
            // What bounds a body was held against its length, of which the host sends no byte more.
            Verdict::Forward { .. } => {
                arrival.apply(&decision.edits);
                exchange::exchange(arrival, &gate, &decision.response, out);
            }
        }
    }
}

/// A line in the log, in one piece among those of other instances. Where that fails, nobody is left to be told.
fn log(line: &str) {
    let _ = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
