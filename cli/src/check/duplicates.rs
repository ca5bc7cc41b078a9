//! Keys that stand twice in one map. Envoy takes the last of them in silence, and refuses the merge keys
//! (`<<`) that other readers of YAML know (both observed on 1.36 and 1.40).

use std::collections::BTreeSet;

use super::Finding;
use crate::config::{Config, Node};
use crate::yaml::Place;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let known = reported(config);
    let mut found = Vec::new();
    let mut look = |node: &Node<'_>| {
        let mut seen = BTreeSet::new();
        for (key, value) in node.entries() {
            if key == "<<" {
                found.push(Finding::error(
                    &value,
                    "Envoy knows no merge keys: write out what is meant",
                ));
            } else if !seen.insert(key) && !known.contains(&value.place()) {
                found.push(Finding::error(
                    &value,
                    "this key stands twice, and Envoy takes the last one in silence",
                ));
            }
        }
        true
    };
    config.root.walk(&mut look);
    found
}

/// Places of which the core itself says something.
fn reported(config: &Config<'_>) -> BTreeSet<Place> {
    let mistakes = |policy: &crate::policy::Policy<'_>| {
        let mistakes = policy.mistakes(config.proxy.host()).iter();
        mistakes.map(|invalid| policy.place_of(&invalid.path)).collect::<Vec<_>>()
    };
    config.policies.iter().flat_map(mistakes).collect()
}
