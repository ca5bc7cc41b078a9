//! Public keys as they are written: PEM and JWK, read by jwt-simple.

use jwt_simple::prelude::{
    ECDSAP256PublicKeyLike, ECDSAP384PublicKeyLike, ES256PublicKey, ES384PublicKey,
    Ed25519PublicKey, EdDSAPublicKeyLike, PS256PublicKey, PS384PublicKey, PS512PublicKey,
    RS256PublicKey, RS384PublicKey, RS512PublicKey, RSAPublicKeyLike,
};
use jwt_simple::{Error, JWTError};
use rsa::BoxedUint;
use vigile_core::Algorithm;
use vigile_core::token::Verifier;

/// Why a public key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadKey {
    /// An RSA key under 2048 bits.
    Weak,
    /// An RSA key over 4096 bits.
    Huge,
    /// Not a key of this algorithm.
    Foreign,
}

/// How a public key is written.
#[derive(Clone, Copy)]
pub(super) enum Written<'k> {
    /// PEM: SPKI, or PKCS #1 for RSA.
    Pem(&'k str),
    /// A JWK (RFC 7517) in JSON.
    Jwk(&'k str),
}

/// Reads a key for one algorithm.
pub(super) fn read(algorithm: Algorithm, written: Written<'_>) -> Result<Verifier, BadKey> {
    macro_rules! read {
        ($type:ident) => {
            match written {
                Written::Pem(pem) => $type::from_pem(pem),
                Written::Jwk(jwk) => $type::from_jwk(jwk),
            }
            .map_err(|error| BadKey::from(&error))
        };
    }
    match algorithm {
        Algorithm::Rs256 => rsa(&read!(RS256PublicKey)?, algorithm),
        Algorithm::Rs384 => rsa(&read!(RS384PublicKey)?, algorithm),
        Algorithm::Rs512 => rsa(&read!(RS512PublicKey)?, algorithm),
        Algorithm::Ps256 => rsa(&read!(PS256PublicKey)?, algorithm),
        Algorithm::Ps384 => rsa(&read!(PS384PublicKey)?, algorithm),
        Algorithm::Ps512 => rsa(&read!(PS512PublicKey)?, algorithm),
        Algorithm::Es256 => Ok(Verifier::p256(*read!(ES256PublicKey)?.public_key().as_ref())),
        Algorithm::Es384 => Ok(Verifier::p384(*read!(ES384PublicKey)?.public_key().as_ref())),
        Algorithm::EdDsa => {
            let key = **read!(Ed25519PublicKey)?.public_key().as_ref();
            let key = ed25519_dalek::VerifyingKey::from_bytes(&key);
            key.ok().and_then(Verifier::ed25519).ok_or(BadKey::Foreign)
        }
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => Err(BadKey::Foreign),
    }
}

fn rsa<K: RSAPublicKeyLike>(key: &K, algorithm: Algorithm) -> Result<Verifier, BadKey> {
    let spki = key.public_key().to_der().map_err(|_| BadKey::Foreign)?;
    let parts = key.public_key().to_components();
    let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
    let key = rsa::PublicKey::new(number(&parts.n), number(&parts.e));
    let verifier = key.ok().and_then(|key| Verifier::rsa(algorithm, key, spki));
    verifier.ok_or(BadKey::Foreign)
}

impl BadKey {
    fn from(error: &Error) -> Self {
        match error.downcast_ref::<JWTError>() {
            Some(JWTError::WeakKey) => Self::Weak,
            Some(JWTError::UnsupportedRSAModulus) => Self::Huge,
            _ => Self::Foreign,
        }
    }
}
