//! Tokens: JSON Web Tokens in compact form (RFC 7519, RFC 7515 §7.1).
//!
//! [`Parsed::parse`] reads a token without believing it. What refuses a stale, foreign or malformed
//! token is looked at before any signature is computed; nothing is believed before one holds.

mod algorithm;
mod claims;
mod elsewhere;
mod json;
mod key;
mod keys;
mod malformed;
mod memory;
mod parsed;
mod types;

pub use algorithm::{Algorithm, Family};
pub(crate) use claims::{Audience, Claim, Claims, Scalar};
pub use elsewhere::Asked;
pub use key::Verifier;
pub use keys::{Key, KeyId, Keys, MAX_CANDIDATES, Question};
pub use memory::{Learned, Memory};
pub(crate) use parsed::{Outline, Parsed, Unread, glimpse, message_shown};
pub use types::Types;

/// The longest token that is looked at, in bytes. Four times what a cookie can carry.
pub(crate) const MAX_TOKEN: usize = 16_384;

/// Whether a credential has the look of a token: three parts between dots.
pub(crate) fn looks_like_a_token(credential: &[u8]) -> bool {
    credential.split(|byte| *byte == b'.').count() == 3
}
