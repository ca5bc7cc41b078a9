//! `headers` and `csp`: what every answer of a module carries.

use super::Embed;

/// Headers to set, and those to take away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Names in lower case, and values.
    pub set: Vec<(String, String)>,
    /// Names in lower case.
    pub remove: Vec<String>,
    /// What only an answer over https may carry (RFC 6797 §7.2).
    pub set_over_https: Option<(String, String)>,
}

impl Headers {
    /// Whether the policy sets this header.
    pub(crate) fn sets(&self, name: &str) -> bool {
        self.set.iter().any(|(known, _)| known == name)
    }

    /// Whether the policy says something of this header.
    pub fn names(&self, name: &str) -> bool {
        self.set.iter().map(|(known, _)| known).chain(&self.remove).any(|known| known == name)
    }
}

/// The module's own Content-Security-Policy, where it has any.
pub(super) fn own_policy(csp: Option<&str>, embed: Option<&Embed>) -> Option<String> {
    let parts = [csp.map(str::to_owned), embed.map(|embed| embed.ancestors.directive())];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Whether every receiver would read this value as it was sent.
pub fn is_header_value(value: &str) -> bool {
    let printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    !value.is_empty() && value.bytes().all(printable) && value.trim() == value
}
