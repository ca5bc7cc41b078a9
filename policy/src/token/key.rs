//! One key for one algorithm: the key's type fixes what it may verify, so that a token cannot choose.
//!
//! Keys are read by jwt-simple, and signatures verified by RustCrypto's and dalek's crates, which are two to
//! four times as fast in a module as those under it (docs/decisions/0016). Its own reading of tokens is not
//! used: the core has read the token already, more strictly and by the host's clock (docs/decisions/0003).

use jwt_simple::prelude::{
    ECDSAP256PublicKeyLike, ECDSAP384PublicKeyLike, ES256PublicKey, ES384PublicKey,
    Ed25519PublicKey, EdDSAPublicKeyLike, HS256Key, HS384Key, HS512Key, MACLike, PS256PublicKey,
    PS384PublicKey, PS512PublicKey, RS256PublicKey, RS384PublicKey, RS512PublicKey,
    RSAPublicKeyLike,
};
use jwt_simple::{Error, JWTError};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pss::Pss;
use rsa::{BoxedUint, traits::SignatureScheme};
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::elsewhere::{Asked, Curve, ecdsa_signature};
use super::{Algorithm, Family};

/// Why a public key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadKey {
    /// An RSA key under 2048 bits.
    Weak,
    /// An RSA key over 4096 bits.
    Huge,
    /// Not a key of this algorithm.
    Foreign,
}

/// A key that is ready to verify.
pub(crate) enum Verifier {
    Hs256(HS256Key),
    Hs384(HS384Key),
    Hs512(HS512Key),
    Rsa {
        key: Box<rsa::PublicKey>,
        /// The hash and the padding come with the key, not with the token.
        algorithm: Algorithm,
        /// For a host that verifies: the key as SPKI in DER, and the hash by name. Not for PSS, whose
        /// padding no host can be told of.
        elsewhere: Option<(Vec<u8>, &'static str)>,
    },
    P256(Box<p256::ecdsa::VerifyingKey>, Vec<u8>),
    P384(Box<p384::ecdsa::VerifyingKey>, Vec<u8>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
}

/// How a public key is written.
#[derive(Clone, Copy)]
pub(crate) enum Written<'k> {
    /// PEM: SPKI, or PKCS #1 for RSA.
    Pem(&'k str),
    /// A JWK (RFC 7517) in JSON.
    Jwk(&'k str),
}

impl Verifier {
    /// A shared secret; `None` for an algorithm of public keys.
    pub(crate) fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::Hs256 => Some(Self::Hs256(HS256Key::from_bytes(secret))),
            Algorithm::Hs384 => Some(Self::Hs384(HS384Key::from_bytes(secret))),
            Algorithm::Hs512 => Some(Self::Hs512(HS512Key::from_bytes(secret))),
            _ => None,
        }
    }

    /// A public key.
    pub(crate) fn from_public(algorithm: Algorithm, written: Written<'_>) -> Result<Self, BadKey> {
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
            Algorithm::Rs256 => rsa(&read!(RS256PublicKey)?, algorithm, Some("sha256")),
            Algorithm::Rs384 => rsa(&read!(RS384PublicKey)?, algorithm, Some("sha384")),
            Algorithm::Rs512 => rsa(&read!(RS512PublicKey)?, algorithm, Some("sha512")),
            Algorithm::Ps256 => rsa(&read!(PS256PublicKey)?, algorithm, None),
            Algorithm::Ps384 => rsa(&read!(PS384PublicKey)?, algorithm, None),
            Algorithm::Ps512 => rsa(&read!(PS512PublicKey)?, algorithm, None),
            Algorithm::Es256 => {
                let key = *read!(ES256PublicKey)?.public_key().as_ref();
                let spki = Curve::P256.spki(key.to_sec1_point(false).as_bytes());
                Ok(Self::P256(Box::new(key), spki))
            }
            Algorithm::Es384 => {
                let key = *read!(ES384PublicKey)?.public_key().as_ref();
                let spki = Curve::P384.spki(key.to_sec1_point(false).as_bytes());
                Ok(Self::P384(Box::new(key), spki))
            }
            Algorithm::EdDsa => {
                let key = **read!(Ed25519PublicKey)?.public_key().as_ref();
                let key = ed25519_dalek::VerifyingKey::from_bytes(&key);
                // A key of small order verifies signatures that nobody made.
                let key = key.ok().filter(|key| !key.is_weak()).ok_or(BadKey::Foreign)?;
                Ok(Self::Ed25519(Box::new(key)))
            }
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => Err(BadKey::Foreign),
        }
    }

    /// Whether this key made this signature over this message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hs256(key) => ct_codecs::verify(&key.authentication_tag(message), signature),
            Self::Hs384(key) => ct_codecs::verify(&key.authentication_tag(message), signature),
            Self::Hs512(key) => ct_codecs::verify(&key.authentication_tag(message), signature),
            Self::Rsa { key, algorithm, .. } => rsa_verifies(key, *algorithm, message, signature),
            Self::P256(key, _) => {
                let digest = hmac_sha256::Hash::hash(message);
                p256::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok())
            }
            Self::P384(key, _) => {
                let digest = hmac_sha512::sha384::Hash::hash(message);
                p384::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok())
            }
            Self::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        }
    }
}

impl Verifier {
    /// The same question for a host that verifies; `None` where it can be answered here alone.
    pub(crate) fn elsewhere<'q>(
        &'q self,
        message: &'q [u8],
        signature: &'q [u8],
    ) -> Option<Asked<'q>> {
        let ecdsa = |curve: Curve, hash, spki: &'q Vec<u8>| {
            let signature = ecdsa_signature(signature, curve)?.into();
            Some(Asked { family: curve.family(), hash, public_key: spki, message, signature })
        };
        match self {
            Self::Rsa { elsewhere: Some((spki, hash)), .. } => Some(Asked {
                family: Family::Rsa,
                hash,
                public_key: spki,
                message,
                signature: signature.into(),
            }),
            Self::P256(_, spki) => ecdsa(Curve::P256, "sha256", spki),
            Self::P384(_, spki) => ecdsa(Curve::P384, "sha384", spki),
            _ => None,
        }
    }
}

fn rsa<K: RSAPublicKeyLike>(
    key: &K,
    algorithm: Algorithm,
    hash_name: Option<&'static str>,
) -> Result<Verifier, BadKey> {
    let spki = key.public_key().to_der().ok();
    let elsewhere = spki.zip(hash_name);
    let parts = key.public_key().to_components();
    let number = |bytes: &[u8]| BoxedUint::from_be_slice_vartime(bytes);
    let key = rsa::PublicKey::new(number(&parts.n), number(&parts.e));
    let key = Box::new(key.map_err(|_| BadKey::Foreign)?);
    Ok(Verifier::Rsa { key, algorithm, elsewhere })
}

/// A PSS salt is as long as the hash (RFC 7518 §3.5).
fn rsa_verifies(
    key: &rsa::PublicKey,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> bool {
    fn holds<D: Digest>(
        key: &rsa::PublicKey,
        scheme: impl SignatureScheme,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        key.verify(scheme, &D::digest(message), signature).is_ok()
    }
    match algorithm {
        Algorithm::Rs256 => holds::<Sha256>(key, Pkcs1v15Sign::new::<Sha256>(), message, signature),
        Algorithm::Rs384 => holds::<Sha384>(key, Pkcs1v15Sign::new::<Sha384>(), message, signature),
        Algorithm::Rs512 => holds::<Sha512>(key, Pkcs1v15Sign::new::<Sha512>(), message, signature),
        Algorithm::Ps256 => holds::<Sha256>(key, Pss::<Sha256>::new(), message, signature),
        Algorithm::Ps384 => holds::<Sha384>(key, Pss::<Sha384>::new(), message, signature),
        Algorithm::Ps512 => holds::<Sha512>(key, Pss::<Sha512>::new(), message, signature),
        _ => false,
    }
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
