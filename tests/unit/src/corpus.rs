//! The Unit host as a runner of the corpus: an application for each policy.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use vigile_policy::{Draft, Host, Invalid};
use vigile_tests::app::App;
use vigile_tests::conversation::Ready;
use vigile_tests::outcome::Outcome;
use vigile_tests::policies::{Policy, project};
use vigile_tests::wire;

use crate::guest::Guest;
use crate::router::Routes;
use crate::unit::{Application, Unit};

/// The component under test.
pub fn component() -> PathBuf {
    std::env::var_os("VIGILE_UNIT_WASM")
        .map_or_else(|| project().join("dist/vigile-unit.wasm"), PathBuf::from)
}

/// Every policy that Unit can honour, and the app behind it.
pub struct Corpus {
    units: BTreeMap<String, Unit>,
    app: App,
}

/// How requests reach the component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hops {
    /// Straight, and the caller's address stays unknown.
    One,
    /// By a route that writes the caller's address into the path.
    Two,
}

impl Corpus {
    pub fn start(
        guest: &Guest,
        policies: &BTreeMap<String, Policy>,
        environment: &BTreeMap<String, String>,
        hops: Hops,
    ) -> Self {
        let (app, upstream) = App::start();
        let upstream = format!("http://{upstream}");
        let started = policies.iter().filter_map(|(name, policy)| {
            let policy_json = honoured(policy, environment, hops)?;
            let mut application = application(&policy_json, environment, &upstream);
            // Whatever proxy is in front of Unit tells the scheme; callers choose it in the corpus.
            application.environment.insert("VIGILE_SCHEME".into(), "forwarded".into());
            if hops == Hops::Two {
                application.address_in_path = true;
                application.environment.insert("VIGILE_ADDRESS".into(), "path".into());
            }
            application.trusts_forwarded_for = policy.listener.trusted;
            Some((name.clone(), Unit::start(guest, application)))
        });
        Self { units: started.collect(), app }
    }

    /// Whether Unit can honour this policy.
    pub fn takes(&self, policy: &str) -> bool {
        self.units.contains_key(policy)
    }

    /// Sends a request to the application of a policy, and gathers what came of it from the answer, the app
    /// and the log.
    pub fn send(&self, policy: &str, ready: &Ready) -> Outcome {
        self.app.answers(&ready.id, &ready.upstream);
        let unit = &self.units[policy];
        let answer = wire::exchange(unit.address(), ready);
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", ready.id));
        let log = line(&unit.log(), &ready.id);
        let word = |name: &str| log.as_ref().and_then(|line| line[name].as_str());
        let reason = word("would_refuse").or(word("reason")).map(str::to_owned);
        let verdict = word("event").and_then(|event| event.strip_prefix("request."));
        Outcome {
            reason,
            verdict: verdict.map(str::to_owned),
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
            upstream: self.app.saw(&ready.id),
            log,
            access: None,
        }
    }
}

/// An application with this policy before one app.
pub fn application(
    policy: &Value,
    environment: &BTreeMap<String, String>,
    upstream: &str,
) -> Application {
    let mut environment = environment.clone();
    environment.insert("VIGILE_POLICY".into(), "@folder@/policy.json".into());
    environment.insert("VIGILE_UPSTREAM".into(), upstream.into());
    Application {
        environment,
        files: [("policy.json".to_owned(), policy.to_string())].into(),
        routes: Routes::default(),
        max_body_size: 8 * 1024 * 1024,
        address_in_path: false,
        trusts_forwarded_for: false,
        tls: None,
    }
}

/// The policy without websockets and without what counts requests: neither is Unit's, and the cases of both
/// say so. `None` where it lists addresses that nobody knows.
fn honoured(policy: &Policy, environment: &BTreeMap<String, String>, hops: Hops) -> Option<Value> {
    let host = Host { peer_address: hops == Hops::Two, ..Host::UNIT };
    let mut json = logging_all(policy);
    loop {
        let draft = Draft::read(json.to_string().as_bytes()).unwrap();
        let mistakes = draft.resolve(environment, host).err().unwrap_or_default();
        let Some(Invalid { path, problem }) = mistakes.first() else { return Some(json) };
        match path.rsplit('.').next() {
            Some("addresses") => return None,
            Some("subprotocol" | "concurrency") => remove(&mut json, path),
            // No other place was left to a module of websockets.
            Some("credentials") => remove(&mut json, path.trim_end_matches(".credentials")),
            _ => panic!("{path}: {problem}"),
        }
    }
}

/// Takes out what stands at a path such as `modules[0].credentials.subprotocol`.
fn remove(json: &mut Value, path: &str) {
    let pointer = format!("/{}", path.replace(['.', '['], "/").replace(']', ""));
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match json.pointer_mut(parent).unwrap() {
        Value::Array(items) => items.remove(last.parse::<usize>().unwrap()),
        parent => parent.as_object_mut().unwrap().remove(last).unwrap(),
    };
}

/// The policy with a line for every request: where Envoy's filter state tells a reason, here the log does.
fn logging_all(policy: &Policy) -> Value {
    let mut json = policy.json();
    match json.get_mut("log") {
        Some(log) => log["events"] = json!("all"),
        None => json["log"] = json!({ "events": "all" }),
    }
    json
}

fn line(log: &str, id: &str) -> Option<Value> {
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.rfind(|line| line["request_id"] == id)
}
