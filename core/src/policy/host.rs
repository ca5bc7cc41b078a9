//! `hosts`: which requests are a module's.

/// The hosts of a module, or any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// Whatever a request names.
    Any,
    /// These.
    Of(Vec<HostPattern>),
}

/// `sd.example.org`, or `*.example.org` for every name below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostPattern {
    /// The name itself, in lower case.
    Exact(String),
    /// Holds the suffix with its dot: `.example.org`.
    Below(String),
}

impl Hosts {
    /// Each host pattern; `None` stands for any host.
    pub fn patterns(&self) -> Vec<Option<HostPattern>> {
        match self {
            Self::Any => vec![None],
            Self::Of(patterns) => patterns.iter().cloned().map(Some).collect(),
        }
    }
}
