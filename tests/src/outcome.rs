//! What came of a request, whoever ran it, and how it differs from what a case expects.

use serde_json::Value;

use crate::case::{Expect, Seen};

/// What came of one request.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The code of the reason, where Vigile had one.
    pub reason: Option<String>,
    /// `allowed`, `refused`, `answered` or `observed`.
    pub verdict: Option<String>,
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// What the app saw, where it saw anything.
    pub upstream: Option<Received>,
    /// The audit line.
    pub log: Option<Value>,
    /// Envoy's own line.
    pub access: Option<Value>,
}

impl Outcome {
    /// Every reason that shows in it.
    pub fn all_reasons(&self) -> Vec<String> {
        let observed =
            (self.verdict.as_deref() == Some("observed")).then(|| "allowed.observed".to_owned());
        self.reason.iter().cloned().chain(observed).collect()
    }
}

/// The audit line of a request, where a policy logs all of them.
pub fn line(log: &str, id: &str) -> Option<Value> {
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.rfind(|line| line["request_id"] == id)
}

/// The reason and the verdict, by the audit line: for hosts without filter state.
pub fn told_by(line: Option<&Value>) -> (Option<String>, Option<String>) {
    let word = |name: &str| line.and_then(|line| line[name].as_str());
    let verdict = word("event").and_then(|event| event.strip_prefix("request."));
    (word("would_refuse").or(word("reason")).map(str::to_owned), verdict.map(str::to_owned))
}

/// A request as the app saw it.
#[derive(Clone, Debug, Default)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

/// Every difference between what was expected and what came, in words.
pub fn differences(expect: &Expect, outcome: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    let mut check =
        |what: &str, expected: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug, same: bool| {
            if !same {
                found.push(format!("{what}: expected {expected:?}, got {got:?}"));
            }
        };
    let said = [
        ("refused", &expect.refuse),
        ("allowed", &expect.allow),
        ("answered", &expect.answer),
        ("observed", &expect.observe),
    ];
    for (verdict, reason) in
        said.into_iter().filter_map(|(verdict, reason)| Some((verdict, reason.as_ref()?)))
    {
        check("reason", reason, &outcome.reason, outcome.reason.as_ref() == Some(reason));
        check("verdict", &verdict, &outcome.verdict, outcome.verdict.as_deref() == Some(verdict));
    }
    if expect.by_envoy {
        check("reason", &"none: Envoy answers", &outcome.reason, outcome.reason.is_none());
    }
    if let Some(status) = expect.status {
        check("status", &status, &outcome.status, status == outcome.status);
    }
    for (name, wanted) in &expect.headers {
        let got = values(&outcome.headers, name);
        check(&format!("header {name}"), wanted, &got, fits(wanted.as_deref(), got.as_deref()));
    }
    let body = String::from_utf8_lossy(&outcome.body);
    if let Some(json) = &expect.json {
        let got: Value = serde_json::from_slice(&outcome.body).unwrap_or(Value::Null);
        check("json", json, &got, *json == got);
    }
    for part in &expect.body {
        check("body", part, &body, body.contains(part));
    }
    for part in &expect.body_without {
        check("body", &format!("nothing like {part}"), &body, !body.contains(part));
    }
    if let Some(seen) = &expect.upstream {
        found.extend(upstream(seen, outcome.upstream.as_ref()));
    }
    for (members, line) in [(&expect.log, &outcome.log), (&expect.access, &outcome.access)] {
        for (name, wanted) in members {
            let got = line.as_ref().and_then(|line| line.get(name));
            if wanted.as_ref() != got {
                found.push(format!("log {name}: expected {wanted:?}, got {got:?} in {line:?}"));
            }
        }
    }
    found
}

fn upstream(seen: &Seen, received: Option<&Received>) -> Vec<String> {
    match (seen, received) {
        (Seen::Word(word), received) => {
            assert_eq!(word, "untouched", "upstream is `untouched` or what it saw");
            received
                .map(|received| format!("the app saw {} {}", received.method, received.path))
                .into_iter()
                .collect()
        }
        (Seen::Request { .. }, None) => vec!["the app saw nothing".into()],
        (Seen::Request { method, path, headers, body }, Some(received)) => {
            let mut found = Vec::new();
            if body.as_ref().is_some_and(|body| crate::case::bytes(body) != received.body) {
                let got = String::from_utf8_lossy(&received.body);
                found.push(format!("the app saw the body {got:?}, not {body:?}"));
            }
            if method.as_ref().is_some_and(|method| *method != received.method) {
                found.push(format!("the app saw the method {}", received.method));
            }
            if path.as_ref().is_some_and(|path| *path != received.path) {
                found.push(format!("the app saw the path {}, not {path:?}", received.path));
            }
            for (name, wanted) in headers {
                let got = values(&received.headers, name);
                if !fits(wanted.as_deref(), got.as_deref()) {
                    found.push(format!("the app saw {name}: {got:?}, not {wanted:?}"));
                }
            }
            found
        }
    }
}

/// All values of a header, joined.
pub fn values(headers: &[(String, Vec<u8>)], name: &str) -> Option<String> {
    let values: Vec<String> = headers
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, value)| {
            value.escape_ascii().to_string().replace("\\\"", "\"").replace("\\'", "'")
        })
        .collect();
    (!values.is_empty()).then(|| values.join(", "))
}

/// Equal, absent, or `~` and a part of it.
fn fits(wanted: Option<&str>, got: Option<&str>) -> bool {
    match (wanted, got) {
        (None, None) => true,
        (Some(wanted), Some(got)) => match wanted.strip_prefix('~') {
            Some(part) => got.contains(part),
            None => wanted == got,
        },
        _ => false,
    }
}
