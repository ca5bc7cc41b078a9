//! Scenarios as the trials of a target.

use std::sync::{Arc, LazyLock};

use libtest_mimic::{Arguments, Trial};
use vigile_tests::{envoy, tools};

use crate::chromium;
use crate::stage::Stage;

/// A name, and the visit that it tells of.
pub type Scenario = (&'static str, fn(&Stage));

/// Runs the scenarios that the command line asks for on one stage. `venvs` says which environments of
/// Python one of them needs.
pub fn run(
    scenarios: impl IntoIterator<Item = Scenario>,
    venvs: fn(&str) -> &'static [&'static str],
) -> ! {
    let mut arguments = Arguments::from_args();
    // Half of a scenario is waiting.
    arguments.test_threads = arguments.test_threads.or(Some(3));
    let stage = Arc::new(LazyLock::new(Stage::start as fn() -> Stage));
    let trials = scenarios.into_iter().map(|scenario| trial(scenario, venvs, stage.clone()));
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    drop(stage);
    conclusion.exit();
}

fn trial(
    (name, run): Scenario,
    venvs: fn(&str) -> &'static [&'static str],
    stage: Arc<LazyLock<Stage>>,
) -> Trial {
    match missing(venvs(name)) {
        Some(reason) => tools::skipped(name, reason),
        None => Trial::test(name, move || {
            run(&stage);
            Ok(())
        }),
    }
}

/// Whatever this system lacks.
fn missing(venvs: &[&str]) -> Option<String> {
    let envoys = tools::envoys().map(|_| ());
    let module = envoy::module().exists().then_some(());
    let module = module.ok_or("dist/vigile.wasm is missing: run ./build.sh test".to_owned());
    let venvs = venvs.iter().map(|venv| tools::venv(venv).map(|_| ()));
    [envoys, module, chromium::installed()].into_iter().chain(venvs).find_map(Result::err)
}
