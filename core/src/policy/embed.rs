//! `embed`: a module that is meant for a frame (docs/platform.md).

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
    /// Whether the app's own cookies are to live in a frame of another site.
    pub partitions_app_cookies: bool,
}

/// The sources of `frame-ancestors` (CSP Level 3 §6.4.2).
#[derive(Debug)]
pub struct Ancestors {
    /// `'self'`.
    pub own: bool,
    /// Other sites.
    pub origins: Vec<Origin>,
}

impl Ancestors {
    /// The directive that answers carry.
    pub(crate) fn directive(&self) -> String {
        let own = self.own.then(|| "'self'".to_owned());
        let sources: Vec<String> =
            own.into_iter().chain(self.origins.iter().map(ToString::to_string)).collect();
        format!("frame-ancestors {}", sources.join(" "))
    }

    pub(crate) fn contain(&self, origin: &Origin, own: &Origin) -> bool {
        (self.own && origin == own) || self.origins.contains(origin)
    }
}
