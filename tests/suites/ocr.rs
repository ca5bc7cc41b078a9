//! 001_d9637b39f961e8b1.txt through a real Envoy: the sample `envoy/ocr` as it stands with its own app
//! under uvicorn, called from several addresses of this machine.
//!
//! The provider alone is no real one; see `ocr/provider.rs`.

mod ocr {
    pub(crate) mod authority;
    pub(crate) mod call;
    pub(crate) mod keys;
    pub(crate) mod levels;
    pub(crate) mod provider;
    pub(crate) mod rotation;
    pub(crate) mod six;
    pub(crate) mod stage;
    pub(crate) mod telling;
}

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Trial};
use ocr::stage::Stage;
use ocr::{keys, levels, rotation, six, telling};
use vigile_tests::envoy::{self, Binary};
use vigile_tests::tools;

type Scenario = (&'static str, fn(&Path));
type ScenarioOn = (&'static str, fn(&Binary, &Path));

/// What depends on Envoy's own filters as much as on Vigile.
const ON_EVERY_ENVOY: [ScenarioOn; 2] =
    [("six_tests", six::all), ("levels/4_and_60_calls_a_minute", levels::four)];

const SCENARIOS: [Scenario; 14] = [
    ("levels/1_nothing_is_asked_for", levels::one),
    ("levels/2_the_service_key", levels::two),
    ("levels/3_and_the_address", levels::three),
    ("levels/observe_refuses_nobody", levels::observe),
    ("keys/who_sees_which", keys::who_sees_which),
    ("keys/the_provider_is_sent_its_own", keys::egress),
    ("keys/another_server_is_sent_nothing", keys::another_server),
    ("keys/lent_to_nobody_outside", keys::egress_from_outside),
    ("keys/claimed_addresses_change_nothing", keys::claimed_addresses),
    ("keys/rotation_without_a_refused_call", rotation::by_update),
    ("telling/access_log", telling::access_log),
    ("telling/audit_lines", telling::audit_lines),
    ("telling/no_key_anywhere", telling::no_key_anywhere),
    ("telling/metrics", telling::metrics),
];

fn main() {
    let arguments = Arguments::from_args();
    let python = tools::envoys().and_then(|_| tools::venv("ocr"));
    let mut trials = vec![Trial::test("levels/the_files_are_what_init_writes", || {
        levels::files();
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
    let both = |program: Result<PathBuf, String>| Ok((program?, python.clone()?));
    trials.push(tools::with(
        "telling/metrics_for_prometheus",
        both(tools::program("promtool", "prometheus")),
        |(promtool, python)| telling::promtool(&promtool, &python),
    ));
    trials.push(tools::with(
        "six_tests/over_tls",
        both(tools::program("curl", "curl")),
        |(curl, python)| six::over_tls(&Stage::as_it_stands(&envoy::newest(), &python), &curl),
    ));
    libtest_mimic::run(&arguments, trials).exit();
}
