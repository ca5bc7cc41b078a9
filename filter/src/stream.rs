//! One HTTP stream: the request is decided upon, the answer gets its plan.

use std::rc::Rc;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;
use vigile_abi::{self as abi, Map, Pairs};
use vigile_policy::{
    Bound, Decision, Edit, End, Lease, Next, Question, Record, Reply, Request, ResponsePlan,
    Unread, Verdict, verify,
};

use crate::ends::{Due, Entry};
use crate::host::{self, Kind};
use crate::load::Loaded;

/// What a stream waits for; it owns all of it.
pub(crate) struct Stream {
    loaded: Option<Rc<Loaded>>,
    /// The host's number of it.
    context: u32,
    body: Body,
    /// What becomes of the answer, whoever gives it.
    response: Option<ResponsePlan>,
    /// The answer is on its way: no other one can be given.
    answering: bool,
    /// What the request holds until it is over.
    lease: Option<Lease>,
    /// Its place among the streams that end.
    end: Option<Entry>,
}

/// What becomes of the request's body.
enum Body {
    /// It goes on as it comes.
    Free,
    /// It is held until it was looked at.
    Held(Box<Unread>),
    /// It goes on to a bound; so many bytes did.
    Bounded(Bound, u64),
    /// Nothing of it goes anywhere.
    Stopped,
}

impl Stream {
    pub(crate) fn new(loaded: Option<Rc<Loaded>>, context: u32) -> Self {
        Self {
            loaded,
            context,
            body: Body::Stopped,
            response: None,
            answering: false,
            lease: None,
            end: None,
        }
    }

    /// Takes what is asked for, and waits for the body.
    fn proceed(&mut self, loaded: &Loaded, request: &Request<'_>, mut next: Next) -> Action {
        loop {
            next = match next {
                Next::Permit(unpermitted) => {
                    let lease = unpermitted.lease();
                    let permits = loaded.permits.as_ref();
                    let taken = permits.is_some_and(|permits| permits.take(lease, host::now()));
                    unpermitted.answered(taken)
                }
                Next::Body(unread) => return self.hold(loaded, unread),
                Next::Decided(decision) => return self.conclude(loaded, request, *decision),
            }
        }
    }

    /// Until the body is here, its beginning counts as a request that is under way.
    fn hold(&mut self, loaded: &Loaded, unread: Unread) -> Action {
        self.lease = unread.lease().cloned();
        if !host::apply(Map::RequestHeaders, unread.edits()) {
            return self.unavailable();
        }
        name(loaded, &unread.unfinished());
        self.body = Body::Held(Box::new(unread));
        Action::Pause
    }

    fn conclude(&mut self, loaded: &Loaded, request: &Request<'_>, decision: Decision) -> Action {
        let edited = host::apply(Map::RequestHeaders, &decision.edits);
        self.lease = decision.lease;
        // The app would see what the caller wrote, or the credential.
        if !edited && matches!(decision.verdict, Verdict::Forward { .. }) {
            return self.unavailable();
        }
        tell(loaded, &decision.record, request);
        self.response = Some(decision.response);
        self.watch(loaded, decision.end);
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

    /// Puts the stream among those that end, in the place of what was there.
    fn watch(&mut self, loaded: &Loaded, end: Option<End>) {
        let Some(ends) = &loaded.ends else { return };
        if let Some(entry) = self.end.take() {
            ends.remove(&entry);
        }
        self.end = end.map(|end| ends.add(self.context, end));
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
            _ => self.conclude(&loaded, &GONE, *unread.read(&body)),
        }
    }

    /// More than the bound came: the app has the beginning, and the caller is told where that can be.
    fn cut(&mut self, bound: Bound) -> Action {
        self.body = Body::Stopped;
        let Some(loaded) = self.loaded.clone() else { return self.unavailable() };
        if self.answering {
            tell(&loaded, &bound.cut.record, &GONE);
            if abi::reset_request().is_err() {
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
        if abi::respond(503, &[("cache-control", "no-store")], &[]).is_err() {
            log::error!("the host refused an answer");
        }
        Action::Pause
    }
}

impl Context for Stream {
    /// The stream is over, however it ended.
    fn on_done(&mut self) -> bool {
        let Some(loaded) = self.loaded.clone() else { return true };
        self.watch(&loaded, None);
        if let (Some(permits), Some(lease)) = (&loaded.permits, self.lease.take()) {
            permits.give_back(&lease);
        }
        // Who only begins bodies leaves a trace as well.
        if let Body::Held(unread) = &self.body {
            account(&loaded, &unread.unfinished(), &GONE);
        }
        true
    }
}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, count: usize, end_of_stream: bool) -> Action {
        let Some(loaded) = self.loaded.clone() else { return self.unavailable() };
        let Some(headers) = loaded.host.headers(Map::RequestHeaders, count) else {
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
                self.read(*unread, Some(size))
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
        if !host::clear(Map::RequestTrailers) {
            return self.unavailable();
        }
        match std::mem::replace(&mut self.body, Body::Stopped) {
            Body::Held(unread) => self.read(*unread, None),
            Body::Stopped => Action::Pause,
            going => {
                self.body = going;
                Action::Continue
            }
        }
    }

    fn on_http_response_headers(&mut self, count: usize, _: bool) -> Action {
        self.answering = true;
        if let Some(entry) = &self.end {
            entry.watched.answering.set(true);
            let ended = entry.watched.response.take();
            self.response = ended.or(self.response.take());
        }
        let (Some(plan), Some(loaded)) = (&self.response, &self.loaded) else {
            return Action::Continue;
        };
        // Only Envoy is known to count what there is.
        if loaded.host == Kind::Other || !plan.is_as_given(count) {
            let map = Map::ResponseHeaders;
            let few = plan.looks_at().nth(ASKED_SINGLY).is_none();
            let upstream = match few && !plan.looks_at().any(|name| host::has(map, name)) {
                true => Pairs::new(),
                false => loaded.host.headers(map, count).unwrap_or_else(|| without(plan)),
            };
            host::apply(map, &plan.edits(&upstream));
        }
        Action::Continue
    }
}

/// Ends a stream from the timer's callback; where a policy observes it goes on, and that is told.
pub(crate) fn end(loaded: &Loaded, due: Due) {
    if abi::turn_to(due.context).is_err() {
        log::error!("the host refused to end a stream");
        return;
    }
    tell(loaded, &due.decision.record, &GONE);
    match due.decision.verdict {
        Verdict::Forward { .. } => {}
        Verdict::Reply(_) if due.watched.answering.get() => {
            if abi::reset_request().is_err() {
                log::error!("the host refused to reset a stream");
            }
        }
        Verdict::Reply(reply) => {
            due.watched.response.replace(Some(due.decision.response));
            send(&reply);
        }
    }
}

/// An answer that cannot be read loses what the plan would have looked at.
fn without(plan: &ResponsePlan) -> Pairs {
    let unread = plan.looks_at().filter(|name| !name.starts_with(':'));
    let edits: Vec<_> = unread.map(|name| Edit::Remove(name.into())).collect();
    host::apply(Map::ResponseHeaders, &edits);
    Pairs::new()
}

/// To ask for so many headers, each by its name, costs about as much as to read all those of an ordinary answer at once
/// (docs/decisions/0016).
const ASKED_SINGLY: usize = 5;

fn request<'h>(loaded: &Loaded, headers: &'h Pairs, end_of_stream: bool) -> Request<'h> {
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
    name(loaded, record);
    account(loaded, record, request);
}

/// Leaves filter state.
fn name(loaded: &Loaded, record: &Record) {
    let host = loaded.host;
    host.tell("vigile.module", record.module().unwrap_or("-"));
    host.tell("vigile.verdict", record.verdict());
    host.tell("vigile.reason", record.would_refuse().unwrap_or(record.reason()).code());
    if let Some(subject) = record.subject() {
        host.tell("vigile.subject", &subject);
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
    let headers: Vec<_> = reply.headers().collect();
    if abi::respond(reply.status().into(), &headers, &reply.body).is_err() {
        log::error!("the host refused an answer");
    }
}
