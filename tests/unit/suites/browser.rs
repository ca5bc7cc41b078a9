//! The sample's app in a real Chromium, with Unit in Envoy's place: what a visitor does there is the same.

#[allow(dead_code, reason = "the other scenarios ask Envoy for its log")]
#[path = "../../browser/suites/browser/session.rs"]
mod session;

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use libtest_mimic::{Arguments, Trial};
use tokio_rustls::rustls::ServerConfig;
use vigile_browser_tests::chromium;
use vigile_browser_tests::stage::Stage;
use vigile_tests::keys::RING;
use vigile_tests::tools;
use vigile_unit_tests::config::{application, policy, rendered};
use vigile_unit_tests::corpus::component;
use vigile_unit_tests::guest::Guest;
use vigile_unit_tests::unit::Unit;

type Scenario = (&'static str, fn(&Stage));

const SCENARIOS: [Scenario; 2] = [
    ("granted/generates_uploads_downloads", session::granted),
    ("session/an_ended_one_says_so_in_gradio", session::an_ended_session),
];

fn main() {
    let arguments = Arguments::from_args();
    let stage = Arc::new(LazyLock::new((|| Stage::behind(unit)) as fn() -> Stage));
    let trials = SCENARIOS.into_iter().map(|(name, run)| {
        let missing = [chromium::installed(), tools::venv("gradio-6").map(|_| ())];
        let stage = stage.clone();
        match missing.into_iter().find_map(Result::err) {
            Some(reason) => tools::skipped(name, reason),
            None => Trial::test(name, move || {
                run(&stage);
                Ok(())
            }),
        }
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    drop(stage);
    conclusion.exit();
}

/// `nginx-unit/config.json` before an app.
fn unit(app: SocketAddr, tls: Arc<ServerConfig>) -> SocketAddr {
    let config = rendered(
        "config.json",
        &[
            ("IAHOME_JWT_SECRET", &RING.environment()["IAHOME_JWT_SECRET"]),
            // Chromium asks for it, and is led elsewhere.
            ("UNIT_PUBLIC_PORT", "443"),
            ("STABLE_DIFFUSION_UPSTREAM_HOST", &app.ip().to_string()),
            ("STABLE_DIFFUSION_UPSTREAM_PORT", &app.port().to_string()),
        ],
    );
    let policy = policy("stable-diffusion", &[]);
    let files = [("stable-diffusion.json", policy.as_str())];
    let mut application = application(&config, "stable-diffusion", "/etc/vigile", &files);
    application.tls = Some(tls);
    let unit = Unit::start(&Guest::load(&component()), application);
    let address = unit.address();
    // It serves as long as the process lives, and needs its folder.
    std::mem::forget(unit);
    address
}
