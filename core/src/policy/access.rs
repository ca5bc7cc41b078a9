//! What a route asks for: `public`, `status`, `logout`, `token`, `api_key`, `addresses`, `any_of`.

use std::sync::Arc;

use super::{Addresses, ApiKey, CookieName, Issuer};
use crate::token::{Claim, Scalar};

/// Who may come in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Everybody.
    Public,
    /// Vigile answers itself; whoever meets one of the needs is told more.
    Status(Vec<Need>),
    /// Vigile takes the session's cookies back.
    Logout,
    /// Whoever meets one of the needs.
    Guarded(Vec<Need>),
}

/// Things that must all hold at once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Need {
    /// Each of these admits the caller's address.
    pub addresses: Vec<Addresses>,
    /// Any of these API keys; empty where none is needed.
    pub api_keys: Vec<Arc<ApiKey>>,
    /// Any of these roles of an API key; empty where none is needed.
    pub key_roles: Vec<String>,
    /// A token like this.
    pub token: Option<TokenNeed>,
}

/// What a token must be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenNeed {
    /// Who signed it.
    pub issuer: Arc<Issuer>,
    /// Each claim and its accepted values.
    pub claims: Vec<(String, Vec<Value>)>,
    /// Any of these roles; empty where none is needed.
    pub roles: Vec<String>,
    /// The cookie to look in, where it is not the module's.
    pub cookie: Option<CookieName>,
    /// Who brings none comes in as nobody.
    pub optional: bool,
}

/// A value that a claim may have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "they are JSON's")]
pub enum Value {
    Text(String),
    Whole(i64),
    Flag(bool),
}

impl Need {
    /// Whether somebody who brings no token, and nothing else, comes in.
    pub fn takes_nobody(&self) -> bool {
        let optional = self.token.as_ref().is_some_and(|token| token.optional);
        optional && self.addresses.is_empty() && self.api_keys.is_empty()
    }
}

impl TokenNeed {
    /// Whether a claim has one of the accepted values; of a list, one item must.
    pub(crate) fn accepts(values: &[Value], claim: &Claim) -> bool {
        let is_one = |scalar: &Scalar| values.iter().any(|value| value.is(scalar));
        match claim {
            Claim::One(scalar) => is_one(scalar),
            Claim::Many(all) => all.iter().any(is_one),
            Claim::Null | Claim::Other => false,
        }
    }
}

impl Value {
    fn is(&self, scalar: &Scalar) -> bool {
        match (self, scalar) {
            (Self::Text(ours), Scalar::Text(theirs)) => ours == theirs,
            (Self::Whole(ours), Scalar::Whole(theirs)) => i128::from(*ours) == *theirs,
            (Self::Flag(ours), Scalar::Flag(theirs)) => ours == theirs,
            _ => false,
        }
    }
}

impl Access {
    /// Every need, whichever way it is asked for.
    pub(crate) fn needs(&self) -> &[Need] {
        match self {
            Self::Public | Self::Logout => &[],
            Self::Status(needs) | Self::Guarded(needs) => needs,
        }
    }

    pub(crate) fn is_logout(&self) -> bool {
        matches!(self, Self::Logout)
    }

    pub(crate) fn wants_addresses(&self) -> bool {
        self.needs().iter().any(|need| !need.addresses.is_empty())
    }
}
