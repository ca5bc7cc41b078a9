//! `hosts`: which requests are a module's.

use crate::document::{Node, shown, texts};
use crate::origin::Host;

/// The hosts of a module, or any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hosts {
    Any,
    Of(Vec<HostPattern>),
}

/// `sd.example.org`, or `*.example.org` for every name below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostPattern {
    Exact(String),
    /// Holds the suffix with its dot: `.example.org`.
    Below(String),
}

/// How exactly a host was named; the more exact one wins, as among Envoy's virtual hosts.
pub(crate) type Exactness = usize;

pub(super) fn read(node: &Node<'_>) -> Option<Hosts> {
    let hosts: Vec<Option<HostPattern>> =
        texts(node)?.iter().map(|text| pattern(node, text)).collect();
    hosts.into_iter().collect::<Option<Vec<_>>>().map(Hosts::Of)
}

fn pattern(node: &Node<'_>, text: &str) -> Option<HostPattern> {
    let (below, name) = match text.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, text),
    };
    match Host::parse(name.as_bytes()) {
        Some(Host { port: Some(_), .. }) => {
            node.wrong(format!("{}: leave the port out, it is ignored", shown(node, text)))
        }
        Some(host) if below => Some(HostPattern::Below(format!(".{}", host.name))),
        Some(host) => Some(HostPattern::Exact(host.name)),
        None => {
            let shown = shown(node, text);
            node.wrong(format!(
                "{shown} is no host: a name such as sd.example.org, or *.example.org"
            ))
        }
    }
}

impl Hosts {
    /// How exactly these name `host`; `None` where they do not.
    pub(crate) fn matches(&self, host: &Host) -> Option<Exactness> {
        match self {
            Self::Any => Some(0),
            Self::Of(patterns) => patterns.iter().filter_map(|pattern| pattern.matches(host)).max(),
        }
    }

    /// A host pattern that both name.
    pub(crate) fn shared(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Any, Self::Any) => true,
            (Self::Of(ours), Self::Of(theirs)) => {
                ours.iter().any(|pattern| theirs.contains(pattern))
            }
            _ => false,
        }
    }
}

impl HostPattern {
    fn matches(&self, host: &Host) -> Option<Exactness> {
        match self {
            Self::Exact(name) => (host.name == *name).then_some(usize::MAX),
            Self::Below(suffix) => host.name.ends_with(suffix.as_str()).then_some(suffix.len()),
        }
    }
}
