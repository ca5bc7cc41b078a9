//! The corpus in a real Envoy, with the policy as a Struct and as JSON, on every Envoy that there is; and
//! once more on the newest with every signature verified in the module, none by Envoy.
//!
//! All listeners share one VM, so every case also shows that policies do not mix; and a panic would
//! close that VM for good (FAIL_CLOSED), so every case shows that those before it caused none.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Trial};
use vigile_policy::Reason;
use vigile_tests::corpus_envoy::{Corpus, ENCODINGS};
use vigile_tests::keys::RING;
use vigile_tests::{case, conversation, envoy, policies};

type Reached = Arc<Mutex<BTreeSet<String>>>;

fn main() {
    let arguments = Arguments::from_args();
    let cases = Arc::new(case::all());
    let environment = RING.environment();
    let loaded = policies::named_by(cases.iter().map(|named| named.case.policy.as_str()));
    let reached = Reached::default();
    let (mut trials, mut envoys) = (Vec::new(), Vec::new());
    let mut in_the_module = environment.clone();
    in_the_module.insert("VIGILE_SIGNATURES".into(), "module".into());
    let by_host = envoy::binaries().into_iter();
    let by_host =
        by_host.map(|binary| (binary.version.clone(), binary, &environment, &ENCODINGS[..]));
    let newest = envoy::newest();
    let label = format!("{} verifying in the module", newest.version);
    let runs = by_host.chain([(label, newest, &in_the_module, &ENCODINGS[..1])]);
    for (label, binary, environment, encodings) in runs {
        let started = std::time::Instant::now();
        let corpus = Corpus::start(&binary, &loaded, environment)
            .unwrap_or_else(|error| panic!("Envoy {label} did not start:\n{}", error.0));
        println!(
            "Envoy {label}: {} policies in one VM, ready in {:?}",
            loaded.len() * ENCODINGS.len(),
            started.elapsed()
        );
        let corpus = Arc::new(corpus);
        for (encoding, _) in encodings {
            for named in cases.iter() {
                let host = loaded[&named.case.policy].host();
                trials.push(trial(
                    &label,
                    encoding,
                    named.clone(),
                    host,
                    corpus.clone(),
                    reached.clone(),
                ));
            }
        }
        envoys.push((label, corpus));
    }
    let whole = arguments.filter.is_none() && arguments.skip.is_empty();
    let conclusion = libtest_mimic::run(&arguments, trials);
    let sound = envoys.iter().all(|(version, corpus)| is_sound(version, corpus));
    let complete = !whole || all_reached(&reached.lock().unwrap());
    // `exit` runs no destructor: the Envoys would go on.
    drop(envoys);
    if !sound || !complete {
        std::process::exit(1);
    }
    conclusion.exit();
}

fn trial(
    version: &str,
    encoding: &'static str,
    named: case::Named,
    host: String,
    corpus: Arc<Corpus>,
    reached: Reached,
) -> Trial {
    let case::Named { name, case } = named;
    let prefix = format!("{version}/{encoding}/{name}");
    let (title, skipped) = match case.not_on.get("envoy") {
        Some(reason) => (format!("{prefix} (not in Envoy: {reason})"), true),
        None => (prefix, false),
    };
    let run = move || {
        let wants_log = case.exchanges().iter().any(|exchange| !exchange.expect.log.is_empty());
        let mut held = Vec::new();
        let send = |ready: &conversation::Ready| {
            let outcome = corpus.play(&case.policy, encoding, ready, wants_log, &mut held);
            reached.lock().unwrap().extend(outcome.all_reasons());
            outcome
        };
        conversation::play(&name, &case, &host, send).map_err(Into::into)
    };
    Trial::test(title, run).with_ignored_flag(skipped)
}

/// Whether Envoy still serves, and its log tells of no crash.
fn is_sound(version: &str, corpus: &Corpus) -> bool {
    let log = corpus.envoy().logged();
    let crash = log.lines().find(|line| {
        line.contains("panicked") || line.contains("[critical]") || line.contains("VM failed")
    });
    match crash {
        None => println!("Envoy {version}: the worker answered to the end, no crash in its log"),
        Some(line) => println!("Envoy {version} CRASHED: {line}"),
    }
    crash.is_none()
}

/// Every reason must be reached by what a real Envoy answered or logged.
fn all_reached(reached: &BTreeSet<String>) -> bool {
    let missing: Vec<&str> = Reason::ALL
        .iter()
        .map(|reason| reason.code())
        .filter(|code| !reached.contains(*code))
        .collect();
    println!(
        "reasons reached in Envoy: {} of {}",
        Reason::ALL.len() - missing.len(),
        Reason::ALL.len()
    );
    if !missing.is_empty() {
        println!("NOT REACHED: {}", missing.join(", "));
    }
    missing.is_empty()
}
