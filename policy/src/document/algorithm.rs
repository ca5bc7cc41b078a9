//! The names of signature algorithms, and what is said of others.

use vigile_core::Algorithm;

use super::hints::{listed, nearest};
use super::quoted;

/// Algorithms that tokens are signed with elsewhere, and what to write here (RFC 7518 §3.1, RFC 8812 §3.2, RFC 9864).
const OTHERS: [(&str, &str); 6] = [
    ("none", "none is no signature: anybody can write such a token"),
    ("ES512", "ES512 (P-521) is not verified here: let the issuer sign with ES384, ES256 or EdDSA"),
    ("ES256K", "ES256K (secp256k1) is not verified here: let the issuer sign with ES256 or EdDSA"),
    ("Ed25519", "Ed25519 is named EdDSA here, as in the alg of a token (RFC 8037)"),
    ("Ed448", "Ed448 is not verified here: let the issuer sign with EdDSA on Ed25519"),
    ("RSA-OAEP", "RSA-OAEP encrypts, and a token is signed: RS256 is what most issuers sign with"),
];

/// The algorithm of this name, as a policy and the command line write it.
///
/// # Errors
/// Names what would be right.
pub fn algorithm(name: &str) -> Result<Algorithm, String> {
    if let Some(algorithm) = Algorithm::from_name(name) {
        return Ok(algorithm);
    }
    if let Some((_, problem)) = OTHERS.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)) {
        return Err((*problem).to_owned());
    }
    let known: Vec<&str> = Algorithm::ALL.iter().map(|(name, _)| *name).collect();
    // HS is a secret where ES is a public key: a slip within a family is one, across them it is a guess.
    let same =
        |known: &&str| known.bytes().next() == name.bytes().next().map(|b| b.to_ascii_uppercase());
    let family: Vec<&str> = known.iter().copied().filter(same).collect();
    let hint = match nearest(name, &family) {
        Some(near) => format!("; did you mean {near:?}?"),
        None => listed(&known),
    };
    Err(format!("{} is not known here{hint}", quoted(name)))
}
