//! The corpus in the core: every case, natively.

use std::collections::BTreeMap;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};
use vigile_tests::core::Core;
use vigile_tests::keys::RING;
use vigile_tests::{case, conversation, policies};

fn main() {
    let arguments = Arguments::from_args();
    let cases = case::all();
    let environment = RING.environment();
    let loaded: BTreeMap<String, (String, Arc<Core>)> =
        policies::named_by(cases.iter().map(|named| named.case.policy.as_str()))
            .into_iter()
            .map(|(name, policy)| {
                (name, (policy.host(), Arc::new(Core::new(policy.state(&environment)))))
            })
            .collect();
    let trials = cases.into_iter().map(|case::Named { name, case }| {
        let (host, core) = loaded[&case.policy].clone();
        let skipped = case.not_on.contains_key("core");
        let title = match case.not_on.get("core") {
            Some(reason) => format!("{name} (not in the core: {reason})"),
            None => name.clone(),
        };
        let run = move || {
            conversation::play(&name, &case, &host, |ready| core.send(ready)).map_err(Into::into)
        };
        Trial::test(title, run).with_ignored_flag(skipped)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}
