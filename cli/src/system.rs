//! What only the system knows: the time, and chance.

use ct_codecs::{Base64UrlSafeNoPadding, Encoder};

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// So many random bytes, in base64url.
pub(crate) fn random(bytes: u16) -> Result<String, String> {
    let mut random = vec![0; bytes.into()];
    getrandom::fill(&mut random)
        .map_err(|error| format!("this system gives no randomness: {error}"))?;
    Base64UrlSafeNoPadding::encode_to_string(&random).map_err(|error| error.to_string())
}
