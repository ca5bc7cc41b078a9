//! The corpus in a real Envoy, with the policy as a Struct and as JSON, on every Envoy that there is.
//!
//! All listeners share one VM, so every case also shows that policies do not mix.

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use vigile_tests::corpus_envoy::{Corpus, ENCODINGS};
use vigile_tests::keys::RING;
use vigile_tests::{case, conversation, envoy, policies};

fn main() {
    let arguments = Arguments::from_args();
    let cases = Arc::new(case::all());
    let environment = RING.environment();
    let loaded = policies::named_by(cases.iter().map(|named| named.case.policy.as_str()));
    let mut trials = Vec::new();
    for binary in envoy::binaries() {
        let started = std::time::Instant::now();
        let corpus = Corpus::start(&binary, &loaded, &environment)
            .unwrap_or_else(|error| panic!("Envoy {} did not start:\n{}", binary.version, error.0));
        eprintln!(
            "Envoy {}: {} policies loaded in {:?}",
            binary.version,
            loaded.len() * ENCODINGS.len(),
            started.elapsed()
        );
        let corpus = Arc::new(corpus);
        for (encoding, _) in ENCODINGS {
            for named in cases.iter() {
                let host = loaded[&named.case.policy].host();
                trials.push(trial(&binary.version, encoding, named.clone(), host, corpus.clone()));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(
    version: &str,
    encoding: &'static str,
    named: case::Named,
    host: String,
    corpus: Arc<Corpus>,
) -> Trial {
    let case::Named { name, case } = named;
    let prefix = format!("{version}/{encoding}/{name}");
    let (title, skipped) = match case.not_on.get("envoy") {
        Some(reason) => (format!("{prefix} (not in Envoy: {reason})"), true),
        None => (prefix, false),
    };
    let run = move || {
        let wants_log = case.exchanges().iter().any(|exchange| !exchange.expect.log.is_empty());
        let send =
            |ready: &conversation::Ready| corpus.send(&case.policy, encoding, ready, wants_log);
        conversation::play(&name, &case, &host, send).map_err(Into::into)
    };
    Trial::test(title, run).with_ignored_flag(skipped)
}
