//! Every mistake of every policy, as the filter itself would report it at load.

use super::{Finding, Severity};
use crate::config::Config;
use crate::policy::{Environment, Policy};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    if config.policies.is_empty() {
        return vec![Finding::error(
            &config.root,
            "there is no Vigile policy here: a policy is a map with the key `vigile`, by itself or as the configuration of a Wasm filter",
        )];
    }
    config.policies.iter().flat_map(|policy| mistakes(config, policy)).collect()
}

fn mistakes(config: &Config<'_>, policy: &Policy<'_>) -> Vec<Finding> {
    // What `key_values` says comes before the environment of this command.
    let environment = config.environment.as_ref().map(|environment| {
        environment.clone().into_iter().chain(policy.given()).collect::<Environment>()
    });
    let finding = |invalid: vigile_policy::Invalid| Finding {
        severity: Severity::Error,
        place: policy.place_of(&invalid.path),
        path: invalid.path,
        problem: invalid.problem,
    };
    policy.mistakes(environment.as_ref(), config.proxy.host()).into_iter().map(finding).collect()
}
