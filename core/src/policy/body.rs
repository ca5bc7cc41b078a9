//! `body`: what a route takes as a request's body.

use crate::body::Fields;

/// The rule for the bodies of a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// In lower case, without parameters.
    pub media_types: Vec<String>,
    /// The longest that is taken, in bytes.
    pub max_bytes: u32,
    /// A stream of unsaid length goes on to the bound; else it is refused.
    pub cuts: bool,
    /// What is asked of JSON.
    pub json: Fields,
}

/// What is held unless the policy names other media types.
pub const JSON: &str = "application/json";

impl std::hash::Hash for Body {
    /// By its outline: expressions have no hash.
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.media_types, self.max_bytes, self.cuts).hash(state);
    }
}

impl Body {
    /// Whether a media type is JSON: `application/json`, `text/json`, or with the suffix (RFC 6839 §3.1; MIME Sniffing §4.6).
    pub fn is_json(media_type: &str) -> bool {
        media_type == JSON || media_type == "text/json" || media_type.ends_with("+json")
    }

    /// Whether a body of this media type is taken.
    pub(crate) fn takes(&self, media_type: &str) -> bool {
        self.media_types.iter().any(|known| known == media_type)
    }

    /// Whether any body is held.
    pub fn holds(&self) -> bool {
        self.media_types.iter().any(|kind| Self::is_json(kind))
    }
}
