//! The Unit host as a runner of the corpus: an application for each policy.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;
use vigile_policy::Host;
use vigile_tests::app::App;
use vigile_tests::conversation::Ready;
use vigile_tests::outcome::{self, Outcome};
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
            let host = Host { peer_address: hops == Hops::Two, ..Host::UNIT };
            let honoured = policy.honoured_by(host, environment)?;
            let mut application = application(&honoured, environment, &upstream);
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
        let log = outcome::line(&unit.log(), &ready.id);
        let (reason, verdict) = outcome::told_by(log.as_ref());
        Outcome {
            reason,
            verdict,
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
        silence: Duration::from_secs(3600),
        address_in_path: false,
        trusts_forwarded_for: false,
        tls: None,
    }
}
