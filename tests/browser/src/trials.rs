//! Scenarios as the trials of a target.

use std::sync::{Arc, LazyLock};

use libtest_mimic::{Arguments, Trial};
use vigile_tests::envoy::Binary;
use vigile_tests::{envoy, tools};

use crate::stage::Stage;
use crate::visit::Browser;
use crate::{chromium, firefox};

/// A name, and the visit that it tells of.
pub type Scenario = (&'static str, fn(&Stage));

/// Runs the scenarios that the command line asks for: all of them in Chromium, and those of `in_firefox` in Firefox as
/// well, under names that begin with `firefox/`. `envoys` is what `tools::envoys` found, and `venvs` says which environments of Python one of them needs.
pub fn run(
    scenarios: &[Scenario],
    in_firefox: &[&str],
    envoys: Result<Vec<Binary>, String>,
    venvs: fn(&str) -> &'static [&'static str],
) -> ! {
    let mut arguments = Arguments::from_args();
    // Half of a scenario is waiting.
    arguments.test_threads = arguments.test_threads.or(Some(3));
    let chromium: LazyStage = Arc::new(LazyLock::new(|| Stage::start(Browser::Chromium)));
    let firefox: LazyStage = Arc::new(LazyLock::new(|| Stage::start(Browser::Firefox)));
    let envoys = envoys.map(|_| ());
    let mut trials = Vec::new();
    for (name, run) in scenarios {
        let missing = |browser| missing([envoys.clone(), browser], venvs(name));
        trials.push(trial((*name).to_owned(), *run, missing(chromium::installed()), &chromium));
        if in_firefox.contains(name) {
            let name = format!("firefox/{name}");
            trials.push(trial(name, *run, missing(firefox::installed()), &firefox));
        }
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    drop((chromium, firefox));
    conclusion.exit();
}

type LazyStage = Arc<LazyLock<Stage>>;

fn trial(name: String, run: fn(&Stage), missing: Option<String>, stage: &LazyStage) -> Trial {
    let stage = stage.clone();
    match missing {
        Some(reason) => tools::skipped(name, reason),
        None => Trial::test(name, move || {
            run(&stage);
            Ok(())
        }),
    }
}

/// Names what this system lacks.
fn missing(needed: [Result<(), String>; 2], venvs: &[&str]) -> Option<String> {
    let module = envoy::module().exists().then_some(());
    let module = module.ok_or("dist/vigile.wasm is missing: run ./build.sh test".to_owned());
    let venvs = venvs.iter().map(|venv| tools::venv(venv).map(|_| ()));
    needed.into_iter().chain([module]).chain(venvs).find_map(Result::err)
}
