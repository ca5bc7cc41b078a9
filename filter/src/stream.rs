//! One HTTP stream: the request is decided upon, the answer gets its plan.

use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, MapType};
use vigile_policy::{Decision, Record, Reply, Request, ResponsePlan, UnixTime, Verdict, finish};

use crate::host;
use crate::load::Loaded;

/// What a stream waits for; it owns all of it.
pub(crate) struct Stream {
    loaded: Option<Rc<Loaded>>,
    /// What becomes of the answer, whoever gives it.
    response: Option<ResponsePlan>,
}

impl Stream {
    pub(crate) fn new(loaded: Option<Rc<Loaded>>) -> Self {
        Self { loaded, response: None }
    }

    fn carry_out(&mut self, decision: Decision) -> Action {
        host::apply(MapType::HttpRequestHeaders, &decision.edits);
        self.response = Some(decision.response);
        match decision.verdict {
            Verdict::Forward => Action::Continue,
            Verdict::Reply(reply) => {
                send(&reply);
                Action::Pause
            }
        }
    }

    /// Fails closed: no policy or no headers is nothing that a request could bring about.
    fn unavailable() -> Action {
        if hostcalls::send_http_response(503, vec![("cache-control", "no-store")], None).is_err() {
            log::error!("Envoy refused an answer");
        }
        Action::Pause
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let Some(loaded) = self.loaded.clone() else { return Self::unavailable() };
        let Some(headers) = host::headers(MapType::HttpRequestHeaders) else {
            return Self::unavailable();
        };
        let peer = if loaded.reads_addresses { host::source_address() } else { None };
        let request = Request { headers: &headers, peer };
        let now = host::now();
        let Some(decision) = decide(&loaded, &request, now) else { return Self::unavailable() };
        tell(&loaded, &decision.record, &request, now);
        self.carry_out(decision)
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        if let Some(plan) = &self.response {
            let upstream = match plan.reads_upstream() {
                true => host::headers(MapType::HttpResponseHeaders).unwrap_or_default(),
                false => Vec::new(),
            };
            host::apply(MapType::HttpResponseHeaders, &plan.edits(&upstream));
        }
        Action::Continue
    }
}

fn decide(loaded: &Loaded, request: &Request<'_>, now: UnixTime) -> Option<Decision> {
    let mut memory = loaded.memory.try_borrow_mut().ok()?;
    let step = loaded.state.decide(request, &memory, now);
    Some(*finish(step, loaded.state.keys(), &mut memory))
}

/// Logs, counts and leaves filter state; nothing of it holds a credential.
fn tell(loaded: &Loaded, record: &Record, request: &Request<'_>, now: UnixTime) {
    loaded.metrics.count(record);
    host::tell("vigile.module", record.module().unwrap_or("-"));
    host::tell("vigile.verdict", record.verdict());
    host::tell("vigile.reason", record.would_refuse().unwrap_or(record.reason()).code());
    if let Some(subject) = record.subject() {
        host::tell("vigile.subject", &subject);
    }
    if record.is_logged() {
        let address = request.peer.or_else(host::source_address).map(|peer| peer.ip());
        let line = record.line(request, address, now);
        match record.turns_away() {
            true => log::warn!("{line}"),
            false => log::info!("{line}"),
        }
    }
}

fn send(reply: &Reply) {
    let headers =
        reply.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let body = (!reply.body.is_empty()).then_some(reply.body.as_slice());
    if hostcalls::send_http_response(reply.status().into(), headers, body).is_err() {
        log::error!("Envoy refused an answer");
    }
}
