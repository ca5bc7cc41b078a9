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

impl Corpus {
    pub fn start(
        guest: &Guest,
        policies: &BTreeMap<String, Policy>,
        environment: &BTreeMap<String, String>,
    ) -> Self {
        let (app, upstream) = App::start();
        let upstream = format!("http://{upstream}");
        let started = policies.iter().filter_map(|(name, policy)| {
            let address_in_path = !refused(policy, environment, false).is_empty();
            if !refused(policy, environment, address_in_path).is_empty() {
                return None;
            }
            let mut application = application(&logging_all(policy), environment, &upstream);
            // Whatever proxy is in front of Unit tells the scheme; callers choose it in the corpus.
            application.environment.insert("VIGILE_SCHEME".into(), "forwarded".into());
            if address_in_path {
                application.address_in_path = true;
                application.environment.insert("VIGILE_ADDRESS".into(), "path".into());
            }
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
    }
}

/// What Unit cannot honour in a policy that is right otherwise.
fn refused(
    policy: &Policy,
    environment: &BTreeMap<String, String>,
    peer_address: bool,
) -> Vec<Invalid> {
    let host = Host { peer_address, ..Host::UNIT };
    Draft::from(policy.tree.clone()).resolve(environment, host).err().unwrap_or_default()
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
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.filter(|line| line["request_id"] == id).last()
}
