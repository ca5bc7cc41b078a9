//! `hosts`: which requests are a module's.

use crate::origin::Host;

/// The hosts of a module, or any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Whatever a request names.
    Any,
    /// These.
    Of(Vec<HostPattern>),
}

/// `sd.example.org`, or `*.example.org` for every name below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HostPattern {
    /// The name itself, in lower case.
    Exact(String),
    /// Holds the suffix with its dot: `.example.org`.
    Below(String),
}

/// How exactly a host was named; the more exact one wins, as among Envoy's virtual hosts.
pub(crate) type Exactness = usize;

impl Hosts {
    /// How exactly these name `host`; `None` where they do not.
    pub(crate) fn matches(&self, host: &Host) -> Option<Exactness> {
        match self {
            Self::Any => Some(0),
            Self::Of(patterns) => patterns.iter().filter_map(|pattern| pattern.matches(host)).max(),
        }
    }

    /// A host pattern that both name.
    pub fn shared(&self, other: &Self) -> bool {
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
