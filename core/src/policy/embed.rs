//! `embed`: a module that is meant for a frame (docs/platform.md).

use std::fmt;

use crate::origin::Origin;
use crate::path::Pattern;

/// Who may frame the module, and how it is entered.
#[derive(Debug)]
pub struct Embed {
    /// The pages that may frame it.
    pub ancestors: Ancestors,
    /// Top-level visits are refused, and the query is read on frame navigations alone.
    pub only: bool,
    /// Where the platform's page fetches a fresh cookie.
    pub refresh: Option<Pattern>,
    /// The app's own cookies are to live in a frame of another site.
    pub partitions_app_cookies: bool,
}

/// The sources of `frame-ancestors` (CSP Level 3 §6.4.2).
#[derive(Debug)]
pub struct Ancestors {
    /// `'self'`.
    pub own: bool,
    /// Other sites.
    pub others: Vec<Ancestor>,
}

/// Pages that may frame a module.
#[derive(Debug)]
pub enum Ancestor {
    /// Those of one origin.
    At(Origin),
    /// Those of every host below that of an origin: `https://*.iahome.fr`.
    Below(Origin),
}

impl Ancestors {
    /// The directive that answers carry.
    pub(crate) fn directive(&self) -> String {
        let own = self.own.then(|| "'self'".to_owned());
        let sources: Vec<String> =
            own.into_iter().chain(self.others.iter().map(ToString::to_string)).collect();
        format!("frame-ancestors {}", sources.join(" "))
    }

    pub(crate) fn contain(&self, origin: &Origin, own: &Origin) -> bool {
        let holds = |one: &Ancestor| match one {
            Ancestor::At(one) => one == origin,
            Ancestor::Below(parent) => origin.is_below(parent),
        };
        (self.own && origin == own) || self.others.iter().any(holds)
    }
}

impl fmt::Display for Ancestor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(origin) => origin.fmt(f),
            Self::Below(parent) => f.write_str(&parent.to_string().replacen("://", "://*.", 1)),
        }
    }
}
