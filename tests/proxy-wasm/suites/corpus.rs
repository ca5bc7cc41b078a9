//! The corpus in a host of proxy-wasm that is not Envoy, with the module that is released.

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use vigile_proxy_wasm_tests::Ways;
use vigile_proxy_wasm_tests::corpus::Corpus;
use vigile_proxy_wasm_tests::host::Compiled;
use vigile_tests::case::Named;
use vigile_tests::keys::RING;
use vigile_tests::{case, conversation, envoy, policies};

fn main() {
    let arguments = Arguments::from_args();
    let cases = case::all();
    let policies = policies::named_by(cases.iter().map(|named| named.case.policy.as_str()));
    let module = Compiled::of(&envoy::module());
    let corpus = Corpus::start(&module, &Ways::nginx(), &policies, &RING.environment());
    let corpus = Arc::new(corpus);
    let trials = cases.into_iter().map(|named| {
        let host = policies[&named.case.policy].host();
        trial(named, host, corpus.clone())
    });
    let trials: Vec<Trial> = trials.collect();
    let run = trials.iter().filter(|trial| !trial.has_ignored_flag()).count();
    println!("in a host like nginx: {run} of {} cases", trials.len());
    libtest_mimic::run(&arguments, trials).exit();
}

/// What the core alone cannot play needs a parser in front, which is not here either.
fn trial(Named { name, case }: Named, host: String, corpus: Arc<Corpus>) -> Trial {
    let reason = case.not_on.get("proxy-wasm").or(case.not_on.get("core"));
    let (title, skipped) = match reason {
        Some(reason) => (format!("{name} (not in a host like nginx: {reason})"), true),
        None => (name.clone(), false),
    };
    let run = move || {
        let send = |ready: &conversation::Ready| corpus.send(&case.policy, ready);
        conversation::play(&name, &case, &host, send).map_err(Into::into)
    };
    Trial::test(title, run).with_ignored_flag(skipped)
}
