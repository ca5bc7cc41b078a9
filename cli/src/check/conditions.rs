//! Vigile inside a wrapper that runs it for some requests only: a matcher around the filter, an action of a
//! composite filter. The others go around it (observed on Envoy 1.40: `SkipFilter` by a header or a path).

use std::collections::BTreeSet;

use super::Finding;
use crate::config::{Config, Node};
use crate::yaml::Yaml;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let wrappers = wrappers(config).into_iter();
    wrappers.map(|(wrapper, _)| Finding::error(&wrapper, FOR_SOME)).collect()
}

const FOR_SOME: &str = "Vigile runs here for the requests that a matcher chooses, and all others go around it: put the filter itself into http_filters, and let the policy say who comes in (public: true)";

/// The indices of the policies that stand in a wrapper.
pub(super) fn wrapped(config: &Config<'_>) -> BTreeSet<usize> {
    wrappers(config).into_iter().flat_map(|(_, policies)| policies).collect()
}

/// Every outermost wrapper around a Vigile filter, at its matcher, with the indices of its policies.
fn wrappers<'y>(config: &Config<'y>) -> Vec<(Node<'y>, Vec<usize>)> {
    let plugins = config.policies.iter().enumerate();
    let plugins: Vec<(*const Yaml, usize)> = plugins
        .filter_map(|(index, policy)| {
            Some((std::ptr::from_ref(policy.plugin.as_ref()?.yaml()), index))
        })
        .collect();
    let plugins = plugins.into_iter().collect();
    let mut found = Vec::new();
    config.root.walk(&mut |node| {
        let Some(typed) = node.typed().filter(|typed| WRAPPERS.contains(&typed.name)) else {
            return true;
        };
        let (inner, is_named) = inner(&typed.fields, &plugins);
        if !inner.is_empty() || is_named {
            let matcher =
                ["xds_matcher", "matcher"].iter().find_map(|name| typed.fields.field(name));
            found.push((matcher.unwrap_or(typed.fields), inner));
            return false;
        }
        true
    });
    found
}

const WRAPPERS: [&str; 4] = [
    "envoy.extensions.common.matching.v3.ExtensionWithMatcher",
    "envoy.extensions.filters.http.composite.v3.Composite",
    "envoy.extensions.filters.http.composite.v3.ExecuteFilterAction",
    "envoy.extensions.filters.http.composite.v3.FilterChainConfiguration",
];

type Plugins = std::collections::BTreeMap<*const Yaml, usize>;

/// The policies within a wrapper, and whether it fetches a filter of Vigile's name from elsewhere.
fn inner(wrapper: &Node<'_>, plugins: &Plugins) -> (Vec<usize>, bool) {
    let (mut inside, mut is_named) = (Vec::new(), false);
    wrapper.walk(&mut |node| {
        inside.extend(plugins.get(&std::ptr::from_ref(node.yaml())));
        let name = node.field("dynamic_config").and_then(|dynamic| dynamic.word("name"));
        is_named |= name.is_some_and(|name| name.to_ascii_lowercase().contains("vigile"));
        true
    });
    (inside, is_named)
}
