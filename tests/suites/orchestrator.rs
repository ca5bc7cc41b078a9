//! 003_2fa7766864bfebd3.txt through a real Envoy: the sample `envoy/orchestrator` as it stands with its own
//! app under uvicorn, called over TLS from several addresses of this machine.

mod orchestrator {
    pub(crate) mod bodies;
    pub(crate) mod limits;
    pub(crate) mod pages;
    pub(crate) mod roles;
    pub(crate) mod stage;
}

use std::path::Path;

use libtest_mimic::{Arguments, Trial};
use orchestrator::{bodies, limits, pages, roles};
use vigile_tests::envoy::Binary;
use vigile_tests::tools;

type Scenario = (&'static str, fn(&Path));
type ScenarioOn = (&'static str, fn(&Binary, &Path));

/// What depends on Envoy's own filters as much as on Vigile.
const ON_EVERY_ENVOY: [ScenarioOn; 5] = [
    ("limits/by_address", limits::by_address),
    ("limits/by_caller", limits::by_caller),
    ("limits/ten_a_day", limits::quota),
    ("pages/cross_origin", pages::cross_origin),
    ("bodies/commands", bodies::commands),
];

const SCENARIOS: [Scenario; 10] = [
    ("limits/retry_after_is_enough", limits::waiting),
    ("limits/tokens_without_a_name", limits::nobody),
    ("bodies/requests", bodies::requests),
    ("bodies/passwords", bodies::passwords),
    ("bodies/logout", bodies::logout),
    ("pages/headers", pages::headers),
    ("pages/events", pages::events),
    ("roles/by_route_and_method", roles::matrix),
    ("roles/justification", roles::justification),
    ("roles/sessions", roles::sessions),
];

fn main() {
    let arguments = Arguments::from_args();
    let python = tools::envoys().and_then(|_| tools::venv("assistant"));
    let mut trials = vec![Trial::test("limits/retry_after_is_honest", || {
        limits::honest();
        Ok(())
    })];
    for binary in tools::envoys().unwrap_or_default() {
        for (name, run) in ON_EVERY_ENVOY {
            let (name, binary) = (format!("{name}/{}", binary.version), binary.clone());
            trials.push(tools::with(name, python.clone(), move |python| run(&binary, &python)));
        }
    }
    for (name, run) in SCENARIOS {
        trials.push(tools::with(name, python.clone(), move |python| run(&python)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}
