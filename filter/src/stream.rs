//! One HTTP stream: the request is decided upon, the answer gets its plan.

use std::rc::Rc;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::{Action, MapType};
use vigile_policy::{
    Bound, Decision, Lease, Next, Question, Record, Reply, Request, ResponsePlan, Unread, Verdict,
    verify,
};

use crate::host::{self, Headers};
use crate::load::Loaded;

/// What a stream waits for; it owns all of it.
pub(crate) struct Stream {
    loaded: Option<Rc<Loaded>>,
    body: Body,
    /// What becomes of the answer, whoever gives it.
    response: Option<ResponsePlan>,
    /// The answer is on its way: no other one can be given.
    answering: bool,
    /// What the request holds until it is over.
    lease: Option<Lease>,
}

/// What becomes of the request's body.
enum Body {
    /// It goes on as it comes.
    Free,
    /// It is held until it was looked at.
    Held(Unread),
    /// It goes on to a bound; so many bytes did.
    Bounded(Bound, u64),
    /// Nothing of it goes anywhere.
    Stopped,
}

impl Stream {
    pub(crate) fn new(loaded: Option<Rc<Loaded>>) -> Self {
        Self { loaded, body: Body::Stopped, response: None, answering: false, lease: None }
    }

    /// Takes what is asked for, or waits for it.
    fn proceed(&mut self, loaded: &Loaded, request: &Request<'_>, next: Next) -> Action {
        let decision = match next {
            Next::Body(unread) => {
                host::apply(MapType::HttpRequestHeaders, unread.edits());
                name(&unread.unfinished());
                self.body = Body::Held(unread);
                return Action::Pause;
            }
            Next::Permit(unpermitted) => {
                let lease = unpermitted.lease();
                let permits = loaded.permits.as_ref();
                let taken = permits.is_some_and(|permits| permits.take(lease, host::now()));
                unpermitted.answered(taken)
            }
            Next::Decided(decision) => decision,
        };
        self.conclude(loaded, request, *decision)
    }

    fn conclude(&mut self, loaded: &Loaded, request: &Request<'_>, decision: Decision) -> Action {
        tell(loaded, &decision.record, request);
        host::apply(MapType::HttpRequestHeaders, &decision.edits);
        self.response = Some(decision.response);
        self.lease = decision.lease;
        match decision.verdict {
            Verdict::Forward { bound } => {
                self.body = bound.map_or(Body::Free, |bound| Body::Bounded(bound, 0));
                Action::Continue
            }
            Verdict::Reply(reply) => {
                self.body = Body::Stopped;
                send(&reply);
                Action::Pause
            }
        }
    }

    /// The held body, whole.
    fn read(&mut self, unread: Unread, size: Option<usize>) -> Action {
        let most = unread.at_most();
        let body = host::held_body(most.saturating_add(1));
        let (Some(loaded), Some(body)) = (self.loaded.clone(), body) else {
            return self.unavailable();
        };
        if body.len() > most || size.is_some_and(|size| size > most) {
            return self.conclude(&loaded, &GONE, *unread.too_large());
        }
        match size {
            // What was looked at must be what goes on.
            Some(size) if size != body.len() => self.unavailable(),
            _ => self.proceed(&loaded, &GONE, unread.read(&body)),
        }
    }

    /// More than the bound came: the app has the beginning, and the caller is told where that can be.
    fn cut(&mut self, bound: Bound) -> Action {
        self.body = Body::Stopped;
        let Some(loaded) = self.loaded.clone() else { return self.unavailable() };
        if self.answering {
            tell(&loaded, &bound.cut.record, &GONE);
            if hostcalls::reset_http_request().is_err() {
                log::error!("Envoy refused to reset a stream");
            }
            return Action::Pause;
        }
        let lease = self.lease.take();
        let action = self.conclude(&loaded, &GONE, *bound.cut);
        self.lease = lease;
        action
    }

    /// Fails closed: no policy or no headers is nothing that a request could bring about.
    fn unavailable(&mut self) -> Action {
        self.body = Body::Stopped;
        if hostcalls::send_http_response(503, vec![("cache-control", "no-store")], None).is_err() {
            log::error!("Envoy refused an answer");
        }
        Action::Pause
    }
}

impl Context for Stream {
    /// The stream is over, however it ended.
    fn on_done(&mut self) -> bool {
        let Some(loaded) = &self.loaded else { return true };
        if let (Some(permits), Some(lease)) = (&loaded.permits, self.lease.take()) {
            permits.give_back(&lease);
        }
        // Who only begins bodies leaves a trace as well.
        if let Body::Held(unread) = &self.body {
            account(loaded, &unread.unfinished(), &GONE);
        }
        true
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, _: usize, end_of_stream: bool) -> Action {
        let Some(loaded) = self.loaded.clone() else { return self.unavailable() };
        let Some(headers) = host::headers(MapType::HttpRequestHeaders) else {
            return self.unavailable();
        };
        #[cfg(feature = "crash")]
        if headers.iter().any(|(name, _)| name == "x-crash") {
            std::process::abort();
        }
        let request = request(&loaded, &headers, end_of_stream);
        match decide(&loaded, &request) {
            Some(next) => self.proceed(&loaded, &request, next),
            None => self.unavailable(),
        }
    }

    fn on_http_request_body(&mut self, size: usize, end_of_stream: bool) -> Action {
        match std::mem::replace(&mut self.body, Body::Stopped) {
            Body::Free => {
                self.body = Body::Free;
                Action::Continue
            }
            Body::Held(unread) if end_of_stream || size > unread.at_most() => {
                self.read(unread, Some(size))
            }
            Body::Bounded(bound, sent) => {
                let sent = sent.saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
                match sent > bound.bytes {
                    true => self.cut(bound),
                    false => {
                        self.body = Body::Bounded(bound, sent);
                        Action::Continue
                    }
                }
            }
            waiting => {
                self.body = waiting;
                Action::Pause
            }
        }
    }

    /// Trailers end a body as well (RFC 9112 §7.1.2): to continue would let go of what is held. None goes on: an
    /// app that takes them for headers (RFC 9110 §6.5.1) would take a caller's word for its identity.
    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        if !host::clear(MapType::HttpRequestTrailers) {
            return self.unavailable();
        }
        match std::mem::replace(&mut self.body, Body::Stopped) {
            Body::Held(unread) => self.read(unread, None),
            Body::Stopped => Action::Pause,
            going => {
                self.body = going;
                Action::Continue
            }
        }
    }

    fn on_http_response_headers(&mut self, count: usize, _: bool) -> Action {
        self.answering = true;
        if let Some(plan) = self.response.as_ref().filter(|plan| !plan.is_as_given(count)) {
            let map = MapType::HttpResponseHeaders;
            let upstream = match plan.looks_at().any(|name| host::has(map, name)) {
                true => host::headers(map).unwrap_or_default(),
                false => Vec::new(),
            };
            host::apply(map, &plan.edits(&upstream));
        }
        Action::Continue
    }
}

fn request<'h>(loaded: &Loaded, headers: &'h Headers, end_of_stream: bool) -> Request<'h> {
    let peer = if loaded.reads_addresses { host::source_address() } else { None };
    Request { headers, peer, end_of_stream }
}

fn decide(loaded: &Loaded, request: &Request<'_>) -> Option<Next> {
    let mut memory = loaded.memory.try_borrow_mut().ok()?;
    let step = loaded.state.decide(request, &memory, host::now());
    let keys = loaded.state.keys();
    let answer =
        |question: &Question<'_>| keys.verify_by(question, |asked| loaded.signatures.holds(asked));
    Some(verify(step, answer, &mut memory))
}

/// A request whose head has gone on, or was given back edited: its record has kept what is told of it.
const GONE: Request<'static> = Request { headers: &[], peer: None, end_of_stream: false };

/// Logs, counts and leaves filter state; nothing of it holds a credential.
fn tell(loaded: &Loaded, record: &Record, request: &Request<'_>) {
    name(record);
    account(loaded, record, request);
}

/// Leaves filter state.
fn name(record: &Record) {
    host::tell("vigile.module", record.module().unwrap_or("-"));
    host::tell("vigile.verdict", record.verdict());
    host::tell("vigile.reason", record.would_refuse().unwrap_or(record.reason()).code());
    if let Some(subject) = record.subject() {
        host::tell("vigile.subject", &subject);
    }
}

/// Logs and counts.
fn account(loaded: &Loaded, record: &Record, request: &Request<'_>) {
    loaded.metrics.count(record);
    if record.is_logged() {
        let address = request.peer.or_else(host::source_address).map(|peer| peer.ip());
        let line = record.line(request, address, host::now());
        match record.turns_away() {
            true => log::warn!("{line}"),
            false => log::info!("{line}"),
        }
    }
}

fn send(reply: &Reply) {
    let headers = reply.headers().collect();
    let body = (!reply.body.is_empty()).then_some(reply.body.as_slice());
    if hostcalls::send_http_response(reply.status().into(), headers, body).is_err() {
        log::error!("Envoy refused an answer");
    }
}
