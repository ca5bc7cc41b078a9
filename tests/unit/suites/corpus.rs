//! The corpus in the Unit host, with the real component: straight, and by the two hops that tell the address.

use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use vigile_tests::case::Named;
use vigile_tests::keys::RING;
use vigile_tests::{case, conversation, policies};
use vigile_unit_tests::corpus::{Corpus, Hops, component};
use vigile_unit_tests::guest::Guest;

fn main() {
    let arguments = Arguments::from_args();
    let cases = case::all();
    let policies = policies::named_by(cases.iter().map(|named| named.case.policy.as_str()));
    let guest = Guest::load(&component());
    let mut trials = Vec::new();
    for hops in [Hops::One, Hops::Two] {
        let corpus = Arc::new(Corpus::start(&guest, &policies, &RING.environment(), hops));
        let made = cases
            .iter()
            .map(|named| trial(named.clone(), policies[&named.case.policy].host(), &corpus, hops));
        let made: Vec<Trial> = made.collect();
        let run = made.iter().filter(|trial| !trial.has_ignored_flag()).count();
        println!("in the Unit host by {} hop(s): {run} of {} cases", hops as u8 + 1, made.len());
        trials.extend(made);
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(named: Named, host: String, corpus: &Arc<Corpus>, hops: Hops) -> Trial {
    let Named { name, mut case } = named;
    let unknown = (!corpus.takes(&case.policy)).then_some("its policy lists addresses");
    let reason = case.not_on.get("unit").map(String::as_str).or(unknown);
    let by = format!("{hops:?}").to_lowercase();
    let (title, skipped) = match reason {
        Some(reason) => (format!("{by}/{name} (not in Unit: {reason})"), true),
        None => (format!("{by}/{name}"), false),
    };
    if hops == Hops::One {
        // Nobody knows it there, and the log does not say otherwise.
        let steps = case.steps.iter_mut().map(|step| &mut step.expect);
        for expect in case.expect.iter_mut().chain(steps) {
            expect.log.entry("ip".into()).and_modify(|ip| *ip = None);
        }
    }
    let corpus = corpus.clone();
    let run = move || {
        let send = |ready: &conversation::Ready| corpus.send(&case.policy, ready);
        conversation::play(&name, &case, &host, send).map_err(Into::into)
    };
    Trial::test(title, run).with_ignored_flag(skipped)
}
