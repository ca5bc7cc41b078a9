//! `credentials`: where a module's tokens stand.

use crate::token::looks_like_a_token;

/// The places where a module looks for tokens; a place that is switched off is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The query parameter.
    pub query: Option<String>,
    /// The header.
    pub header: Option<HeaderPlace>,
    /// The cookie, in which the session lives.
    pub cookie: Option<CookieName>,
    /// The word that announces a token among a websocket's subprotocols.
    pub subprotocol: Option<String>,
}

impl Credentials {
    /// The query parameter where the policy names none.
    pub(crate) const USUAL_QUERY: &str = "token";
}

/// A header that carries a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderPlace {
    /// In lower case.
    pub name: String,
}

/// The name of a cookie, and of its partitioned twin: after a change from one kind to the other the
/// browser sends both (docs/browsers.md), so they need two names.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CookieName {
    pub(crate) plain: String,
    pub(crate) partitioned: String,
}

impl HeaderPlace {
    /// The header of the Bearer scheme.
    pub(crate) const BEARER: &str = "authorization";

    /// Authorization, with the Bearer scheme.
    pub fn bearer() -> Self {
        Self { name: Self::BEARER.to_owned() }
    }

    /// Whether the value carries a scheme in front of the credential.
    pub(crate) fn is_bearer(&self) -> bool {
        self.name == Self::BEARER
    }

    /// Whether the value is several that a proxy joined (RFC 9110 §5.3), as Envoy does with a repeated
    /// Authorization: no Bearer credential and no token holds a comma.
    pub(crate) fn is_joined(&self, value: &[u8]) -> bool {
        self.credential(value).is_some_and(|credential| credential.contains(&b','))
    }

    /// The credential in a header's value. In Authorization only the Bearer scheme is ours (RFC 6750
    /// §2.1, compared without case): others belong to the app.
    pub(crate) fn credential<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        match self.is_bearer() {
            true => Self::behind_bearer(value),
            false => Some(value.trim_ascii()).filter(|credential| !credential.is_empty()),
        }
    }

    /// The credential behind the Bearer scheme.
    pub(crate) fn behind_bearer(value: &[u8]) -> Option<&[u8]> {
        let (scheme, rest) = value.trim_ascii().split_at_checked(7)?;
        let credential = rest.trim_ascii();
        (scheme.eq_ignore_ascii_case(b"bearer ") && !credential.is_empty()).then_some(credential)
    }
}

impl HeaderPlace {
    /// The token in a header's value: behind Bearer, what is not three parts between dots is an API key.
    pub(crate) fn token<'v>(&self, value: &'v [u8]) -> Option<&'v [u8]> {
        self.credential(value).filter(|token| !self.is_bearer() || looks_like_a_token(token))
    }
}

impl CookieName {
    /// The names for a cookie of this one.
    pub fn new(plain: String) -> Self {
        Self { partitioned: format!("{plain}-p"), plain }
    }

    /// Both names, under either of which a browser may hold a cookie of a module.
    pub fn names(&self) -> [&str; 2] {
        [&self.plain, &self.partitioned]
    }
}

impl Default for Credentials {
    fn default() -> Self {
        Self {
            query: Some(Self::USUAL_QUERY.to_owned()),
            header: Some(HeaderPlace::bearer()),
            cookie: Some(CookieName::new("__Host-vigile".to_owned())),
            subprotocol: None,
        }
    }
}
