//! The corpus in the Unit host, with the real component.

use std::collections::BTreeMap;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use vigile_tests::case::Named;
use vigile_tests::keys::RING;
use vigile_tests::{case, conversation, policies};
use vigile_unit_tests::corpus::{Corpus, component};
use vigile_unit_tests::guest::Guest;

fn main() {
    let arguments = Arguments::from_args();
    let cases = case::all();
    let policies = policies::named_by(cases.iter().map(|named| named.case.policy.as_str()));
    let corpus =
        Arc::new(Corpus::start(&Guest::load(&component()), &policies, &RING.environment()));
    let hosts: BTreeMap<String, String> =
        policies.iter().map(|(name, policy)| (name.clone(), policy.host())).collect();
    let ran = cases.iter().filter(|named| !named.case.not_on.contains_key("unit")).count();
    println!("in the Unit host: {ran} of {} cases", cases.len());
    let trials = cases.into_iter().map(|named| trial(named, &hosts, &corpus));
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn trial(named: Named, hosts: &BTreeMap<String, String>, corpus: &Arc<Corpus>) -> Trial {
    let Named { name, case } = named;
    let host = hosts[&case.policy].clone();
    let (title, skipped) = match case.not_on.get("unit") {
        Some(reason) => (format!("{name} (not in Unit: {reason})"), true),
        None => (name.clone(), false),
    };
    let corpus = corpus.clone();
    let run = move || {
        if !corpus.takes(&case.policy) {
            return Err(format!("Unit cannot honour the policy {}", case.policy).into());
        }
        let send = |ready: &conversation::Ready| corpus.send(&case.policy, ready);
        conversation::play(&name, &case, &host, send).map_err(Into::into)
    };
    Trial::test(title, run).with_ignored_flag(skipped)
}
