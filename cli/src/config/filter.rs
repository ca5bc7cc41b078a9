//! One of `http_filters`, with what stands around it: a matcher, a composite filter, a discovery service.

use std::collections::BTreeMap;

use super::{Node, Typed};
use crate::policy::Policy;
use crate::yaml::Yaml;

/// One of `http_filters`.
pub struct Filter<'y> {
    /// The item.
    pub node: Node<'y>,
    /// The name by which routes configure it.
    pub name: &'y str,
    /// Its messages: its own, and those of the filters that it wraps. Empty where none stands here.
    pub messages: Vec<Typed<'y>>,
    /// The indices of its policies among the file's, where it is Vigile or wraps it.
    pub policies: Vec<usize>,
    /// The discovery service that the message comes from, where it does not stand here.
    pub discovery: Option<Node<'y>>,
}

const HTTP: &str = "envoy.extensions.filters.http.";

impl<'y> Filter<'y> {
    pub(super) fn read(node: Node<'y>, plugins: &Plugins) -> Self {
        let mut messages = Vec::new();
        let mut policies = Vec::new();
        let discovery = node.field("config_discovery");
        let default = discovery.as_ref().and_then(|found| found.field("default_config"));
        let config = node.field("typed_config").or(default);
        if let Some(config) = &config {
            config.walk(&mut |node| {
                messages.extend(node.typed());
                policies.extend(plugins.index(node));
                true
            });
        }
        let name = node.word("name").unwrap_or_default();
        Self { node, name, messages, policies, discovery }
    }

    /// Tells whether this is Vigile, inside a wrapper or not. One whose configuration comes from elsewhere is
    /// what its name says.
    pub fn is_vigile(&self) -> bool {
        let named = || self.name.to_ascii_lowercase().contains("vigile");
        !self.policies.is_empty()
            || (self.discovery.is_some() && self.messages.is_empty() && named())
    }

    /// Tells whether Envoy leaves it out unless a route switches it on.
    pub fn disabled(&self) -> Option<Node<'y>> {
        self.node.switched_on("disabled")
    }

    /// Tells whether it is a filter of this kind (`lua`), or wraps one.
    pub fn is(&self, kind: &str) -> bool {
        self.name == format!("envoy.filters.http.{kind}") || self.message(kind).is_some()
    }

    /// Its message of this kind (`lua`).
    pub fn message(&self, kind: &str) -> Option<&Typed<'y>> {
        self.messages.iter().find(|typed| is_of_kind(typed, kind))
    }
}

/// Tells whether a message is one of an HTTP filter of this kind: of its chain, or of a route.
pub fn is_of_kind(typed: &Typed<'_>, kind: &str) -> bool {
    let rest = typed.name.strip_prefix(HTTP).and_then(|rest| rest.strip_prefix(kind));
    rest.is_some_and(|rest| rest.starts_with('.'))
}

/// The configurations of the Vigile filters of a file, by where they stand.
pub(super) struct Plugins(BTreeMap<*const Yaml, usize>);

impl Plugins {
    pub(super) fn of(policies: &[Policy<'_>]) -> Self {
        let plugins = policies.iter().enumerate().filter_map(|(index, policy)| {
            let plugin = policy.plugin.as_ref()?;
            Some((std::ptr::from_ref(plugin.yaml()), index))
        });
        Self(plugins.collect())
    }

    fn index(&self, node: &Node<'_>) -> Option<usize> {
        self.0.get(&std::ptr::from_ref(node.yaml())).copied()
    }
}
