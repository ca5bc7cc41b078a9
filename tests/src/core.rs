//! The core as a runner: a case's request becomes a decision, natively, in microseconds.

use std::net::SocketAddr;
use std::sync::Mutex;

use std::collections::BTreeMap;

use vigile_policy::{
    Decision, Lease, Memory, Request, Rest, State, UnixTime, Verdict, apply, finish, verify,
};

use crate::conversation::Ready;
use crate::outcome::{Outcome, Received};

/// A policy at work, as a host would hold it.
pub struct Core {
    state: State,
    memory: Mutex<Memory>,
    leases: Mutex<BTreeMap<String, Vec<u8>>>,
}

/// The only worker that there is.
const HOLDER: u64 = 1;

impl Core {
    pub fn new(state: State) -> Self {
        let memory = Mutex::new(state.memory([1, 2]));
        Self { state, memory, leases: Mutex::default() }
    }

    /// Decides upon a request, and plays the app behind it.
    pub fn send(&self, ready: &Ready) -> Outcome {
        let headers = as_envoy_would(ready);
        let end_of_stream = ready.body.is_empty() && ready.chunked.is_none();
        let request = Request { headers: &headers, peer: Some(peer(ready)), end_of_stream };
        let now = UnixTime(crate::keys::now());
        let mut memory = self.memory.lock().unwrap();
        let step = self.state.decide(&request, &memory, now);
        let next = verify(step, |question| self.state.keys().verify(question), &mut memory);
        let permits = next.lease().is_none_or(|lease| self.take(lease, now));
        let decision = finish(next, Rest { body: &ready.body, permits });
        if let Some(lease) = decision.lease.as_ref().filter(|_| !ready.held) {
            self.give_back(lease);
        }
        let record = &decision.record;
        let log = record.is_logged().then(|| record.line(&request, Some(peer(ready).ip()), now));
        let mut outcome = match &decision.verdict {
            Verdict::Reply(reply) => Outcome {
                status: reply.status(),
                headers: reply
                    .headers()
                    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                    .collect(),
                body: reply.body.clone(),
                ..Outcome::default()
            },
            Verdict::Forward { .. } => forwarded(ready, &headers, &decision),
        };
        outcome.reason = Some(record.would_refuse().unwrap_or(record.reason()).code().to_owned());
        outcome.verdict = Some(record.verdict().to_owned());
        outcome.log = log.map(|line| serde_json::from_str(&line).expect("the audit line is JSON"));
        outcome
    }
}

impl Core {
    fn take(&self, lease: &Lease, now: UnixTime) -> bool {
        let mut buckets = self.leases.lock().unwrap();
        let bucket = buckets.entry(lease.bucket()).or_default();
        let taken = lease.take(bucket, HOLDER, now);
        taken.map(|new| *bucket = new).is_some()
    }

    fn give_back(&self, lease: &Lease) {
        let mut buckets = self.leases.lock().unwrap();
        let bucket = buckets.entry(lease.bucket()).or_default();
        *bucket = lease.give_back(bucket, HOLDER);
    }
}

/// The request's headers as Envoy hands them over: their names in lower case, x-forwarded-proto among them.
pub fn as_envoy_would(ready: &Ready) -> Vec<(String, Vec<u8>)> {
    let mut headers = vec![
        (":method".to_owned(), ready.method.clone().into_bytes()),
        (":path".to_owned(), ready.path.clone()),
        (":authority".to_owned(), ready.host.clone().into_bytes()),
        (":scheme".to_owned(), ready.scheme.clone().into_bytes()),
        ("x-forwarded-proto".to_owned(), ready.scheme.clone().into_bytes()),
        ("x-request-id".to_owned(), ready.id.clone().into_bytes()),
    ];
    match ready.chunked {
        Some(_) => headers.push(("transfer-encoding".to_owned(), b"chunked".to_vec())),
        None if ready.body.is_empty() => {}
        None => {
            headers.push(("content-length".to_owned(), ready.body.len().to_string().into_bytes()));
        }
    }
    let rest = ready.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone()));
    headers.extend(rest);
    if ready.http2 {
        join_crumbs(&mut headers);
    }
    headers
}

/// Cookie crumbs of HTTP/2 arrive joined (RFC 9113 §8.2.3).
fn join_crumbs(headers: &mut Vec<(String, Vec<u8>)>) {
    let is_cookie = |(name, _): &(String, Vec<u8>)| name == "cookie";
    let crumbs: Vec<Vec<u8>> =
        headers.iter().filter(|header| is_cookie(header)).map(|(_, value)| value.clone()).collect();
    if !crumbs.is_empty() {
        headers.retain(|header| !is_cookie(header));
        headers.push(("cookie".to_owned(), crumbs.join(b"; ".as_slice())));
    }
}

/// The address that the caller has.
pub fn peer(ready: &Ready) -> SocketAddr {
    match ready.from.as_deref() {
        Some(from) => SocketAddr::new(from.parse().expect("an address"), 50_000),
        None => SocketAddr::new([127, 0, 0, 1].into(), 50_000),
    }
}

fn forwarded(ready: &Ready, headers: &[(String, Vec<u8>)], decision: &Decision) -> Outcome {
    let mut received = headers.to_vec();
    apply(&mut received, &decision.edits);
    let take = |name: &str| {
        let value =
            received.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        String::from_utf8_lossy(&value.unwrap_or_default()).into_owned()
    };
    let (method, path) = (take(":method"), take(":path"));
    let (status, mut answer) = apps_answer(ready);
    let plan = &decision.response;
    let looked_at = plan.looks_at().any(|name| answer.iter().any(|(known, _)| known == name));
    let edits = plan.edits(if looked_at { &answer } else { &[] });
    apply(&mut answer, &edits);
    answer.retain(|(name, _)| name != ":status");
    Outcome {
        status,
        headers: answer,
        upstream: Some(Received { method, path, headers: received, body: ready.body.clone() }),
        ..Outcome::default()
    }
}

/// The app's answer to a request.
pub fn apps_answer(ready: &Ready) -> (u16, Vec<(String, Vec<u8>)>) {
    let status = ready.upstream.status.unwrap_or(200);
    let mut answer = vec![
        (":status".to_owned(), status.to_string().into_bytes()),
        ("content-type".to_owned(), b"text/plain".to_vec()),
    ];
    for (name, values) in &ready.upstream.headers {
        let name = name.to_ascii_lowercase();
        answer.extend(values.all().into_iter().map(|value| (name.clone(), value)));
    }
    (status, answer)
}
