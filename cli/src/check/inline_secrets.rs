//! Secrets in the config: whoever reads the file, or `config_dump` of the admin interface, has them.

use super::Finding;
use super::secret::{is_secret, written_out};
use crate::config::Config;
use crate::policy::Policy;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config
        .policies
        .iter()
        .flat_map(|policy| in_policy(policy).into_iter().chain(in_vm(policy)))
        .collect()
}

fn in_policy(policy: &Policy<'_>) -> Vec<Finding> {
    let found = written_out(policy).into_iter().map(|(node, what)| {
        let or_else = if what == "an API key" { ", or give its sha256" } else { "" };
        let problem = format!(
            "{what} stands here in full, and Envoy's config_dump shows it: write {{ env: NAME }}{or_else}"
        );
        Finding::error(&node, problem)
    });
    found.collect()
}

fn in_vm(policy: &Policy<'_>) -> Vec<Finding> {
    let variables = policy.variables();
    let secret =
        |name: &str| variables.iter().any(|variable| variable.name == name && is_secret(variable));
    let found = policy.key_values().into_iter().filter(|(name, _)| secret(name)).map(|(name, node)| {
        let problem = format!(
            "the secret {name} stands here in full, and Envoy's config_dump shows it: name it in host_env_keys and set it where Envoy starts"
        );
        Finding::error(&node, problem)
    });
    found.collect()
}
