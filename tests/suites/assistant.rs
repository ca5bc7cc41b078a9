//! 002_17c4e40779f78fc3.txt and 004_9c0a55eb9d061ae7.txt through a real Envoy: the sample
//! `envoy/assistant` as it stands with its own app under uvicorn, called over TLS from several addresses of
//! this machine.

mod assistant {
    pub(crate) mod at_once;
    pub(crate) mod bodies;
    pub(crate) mod crash;
    pub(crate) mod crowd;
    pub(crate) mod limits;
    pub(crate) mod pages;
    pub(crate) mod roles;
    pub(crate) mod sessions;
    pub(crate) mod sockets;
    pub(crate) mod stage;
    pub(crate) mod telling;
}

use std::path::Path;

use assistant::{at_once, bodies, crash, crowd, limits, pages, roles, sessions, sockets, telling};
use libtest_mimic::Arguments;
use vigile_tests::envoy::Binary;
use vigile_tests::tools;

type Scenario = (&'static str, fn(&Path));
type ScenarioOn = (&'static str, fn(&Binary, &Path));

/// What depends on Envoy's own filters as much as on Vigile.
const ON_EVERY_ENVOY: [ScenarioOn; 7] = [
    ("limits/five_logins_a_minute", limits::logins),
    ("limits/three_registrations_an_hour", limits::registrations),
    ("limits/ten_chats_a_minute", limits::chats),
    ("limits/ten_thousand_addresses", crowd::ten_thousand),
    ("pages/cross_origin", pages::cross_origin),
    ("sockets", sockets::all),
    ("bodies/chats", bodies::chats),
];

const SCENARIOS: [Scenario; 19] = [
    ("limits/one_network_is_one_client", crowd::one_network),
    ("limits/behind_a_load_balancer", crowd::behind_a_load_balancer),
    ("pages/forgery", pages::forgery),
    ("pages/hosts", pages::hosts),
    ("sessions/by_cookie", sessions::by_cookie),
    ("sessions/by_header", sessions::by_header),
    ("sessions/kinds_of_token", sessions::kinds),
    ("sessions/withdrawn_tokens", sessions::withdrawn),
    ("sessions/without_a_token", sessions::without_a_token),
    ("sessions/development", sessions::development),
    ("roles/by_route_and_method", roles::matrix),
    ("roles/given_and_taken", roles::given),
    ("roles/metrics_by_address", roles::addresses),
    ("bodies/accounts", bodies::accounts),
    ("at_once/one_answer_for_each_caller", at_once::one_answer),
    ("sessions/logout", sessions::logout),
    ("telling/headers", telling::headers),
    ("telling/masked_logs", telling::masked),
    ("telling/metrics", telling::metrics),
];

fn main() {
    let arguments = Arguments::from_args();
    let python = tools::envoys().and_then(|_| tools::venv("assistant"));
    let mut trials = Vec::new();
    for binary in tools::envoys().unwrap_or_default() {
        for (name, run) in ON_EVERY_ENVOY {
            let (name, binary) = (format!("{name}/{}", binary.version), binary.clone());
            trials.push(tools::with(name, python.clone(), move |python| run(&binary, &python)));
        }
    }
    for (name, run) in SCENARIOS {
        trials.push(tools::with(name, python.clone(), move |python| run(&python)));
    }
    let both = tools::program("promtool", "prometheus").and_then(|tool| Ok((tool, python?)));
    for binary in tools::envoys().unwrap_or_default() {
        let name = format!("{}/telling/a_crash", binary.version);
        trials.push(tools::with(name, both.clone(), move |(promtool, python)| {
            crash::is_told(&binary, &promtool, &python);
        }));
    }
    trials.push(tools::with("telling/alerts", both, |(promtool, python)| {
        telling::alerts(&promtool, &python);
    }));
    libtest_mimic::run(&arguments, trials).exit();
}
