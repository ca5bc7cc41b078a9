//! `forward`: what the app learns of the caller.

/// A header that the app receives.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Forward {
    /// In lower case.
    pub header: String,
    /// What stands in it.
    pub value: Value,
}

/// Where its value comes from.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Value {
    /// A claim of the token that admitted the request; no header where the token lacks it.
    Claim(String),
    /// The name of the API key that admitted the request; no header where none did.
    KeyName,
    /// The roles of that API key, with commas between; no header where it has none.
    KeyRoles,
    /// The same for everybody.
    Fixed(String),
    /// The same, and nobody's to see: an app's own key for its provider.
    Secret(String),
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Claim(name) => write!(f, "claim {name}"),
            Self::KeyName => f.write_str("name of the API key"),
            Self::KeyRoles => f.write_str("roles of the API key"),
            Self::Fixed(value) => write!(f, "{value:?}"),
            Self::Secret(_) => f.write_str("(secret)"),
        }
    }
}

/// A header's name with all but letters and digits folded away: what CGI, WSGI and PHP make of
/// `X-User-Id` they also make of `X_User_Id`.
pub fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Whether `name` folds to `folded`, without writing it down. `:path` is no header, and `path` is none of
/// its spellings.
pub(crate) fn is_folded(name: &str, folded: &str) -> bool {
    if name.starts_with(':') || name.len() < folded.len() {
        return false;
    }
    let kept = name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase());
    kept.eq(folded.bytes())
}
