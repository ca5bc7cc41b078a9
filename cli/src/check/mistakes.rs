//! Every mistake of every policy, as the filter itself would report it at load.

use super::{Finding, Severity};
use crate::config::Config;
use crate::policy::{Environment, Policy};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.policies.iter().flat_map(|policy| mistakes(config, policy)).collect()
}

fn mistakes(config: &Config<'_>, policy: &Policy<'_>) -> Vec<Finding> {
    // What `key_values` says comes before the environment of this command.
    let environment = config.environment.as_ref().map(|environment| {
        environment.clone().into_iter().chain(policy.given()).collect::<Environment>()
    });
    let host = config.proxy.host();
    let finding = |severity, invalid: vigile_policy::Invalid| Finding {
        severity,
        place: policy.place_of(&invalid.path),
        path: invalid.path,
        problem: invalid.problem,
    };
    let mistakes = match &environment {
        Some(environment) => policy.mistakes_in(environment, host),
        None => policy.mistakes(host).to_vec(),
    };
    let mistakes = mistakes.into_iter().map(|invalid| finding(Severity::Error, invalid));
    let notes = policy.notes(host).into_iter().map(|invalid| finding(Severity::Note, invalid));
    mistakes.chain(notes).collect()
}
