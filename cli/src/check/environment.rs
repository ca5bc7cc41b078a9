//! Variables that the policy reads, and that the filter's VM is not given.

use super::Finding;
use crate::config::{Config, Node};
use crate::policy::Policy;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let is_placed = |policy: &&Policy<'_>| policy.plugin.is_some() || policy.manifest.is_some();
    let of_filters = config.policies.iter().filter(is_placed);
    of_filters.flat_map(|policy| missing(policy).into_iter().chain(twice(policy))).collect()
}

fn missing(policy: &Policy<'_>) -> Vec<Finding> {
    let keys = policy.host_env_keys();
    let values = policy.key_values();
    let given: Vec<&str> =
        keys.iter().filter_map(Node::text).chain(values.iter().map(|(name, _)| *name)).collect();
    let variables = policy.variables().into_iter();
    let missing = variables.filter(|variable| !given.contains(&variable.name.as_str()));
    missing
        .map(|variable| {
            let name = &variable.name;
            let place = match &policy.manifest {
                Some(manifest) => manifest.wanted_variable(name),
                None => "vm_config.environment_variables.host_env_keys".to_owned(),
            };
            let problem = format!("{name} is not in {place}{}", did_you_mean(name, &given));
            let (severity, problem) = match variable.optional {
                true => (super::Severity::Warning, format!("{problem}: it stays unset for good")),
                false => (super::Severity::Error, format!("{problem}: {}", without(policy))),
            };
            let place = policy.place_of(&variable.path);
            Finding { severity, place, path: variable.path, problem }
        })
        .collect()
}

/// Says what Envoy does with a policy that lacks a variable.
fn without(policy: &Policy<'_>) -> &'static str {
    match policy.manifest {
        Some(_) => "Envoy refuses the policy",
        None => "Envoy does not start",
    }
}

fn did_you_mean(name: &str, given: &[&str]) -> String {
    let near = |one: &&&str| strsim::osa_distance(one, name) <= 2;
    given.iter().find(near).map(|near| format!(" ({near} is)")).unwrap_or_default()
}

/// Envoy refuses a variable of two sources (observed on 1.36 and 1.40).
fn twice(policy: &Policy<'_>) -> Vec<Finding> {
    let keys = policy.host_env_keys();
    let taken = |name: &str| keys.iter().any(|key| key.text() == Some(name));
    let values = policy.key_values().into_iter().filter(|(name, _)| taken(name));
    values
        .map(|(name, node)| {
            let problem = format!(
                "{name} is in host_env_keys as well: Envoy refuses a variable of two sources"
            );
            Finding::error(&node, problem)
        })
        .collect()
}
