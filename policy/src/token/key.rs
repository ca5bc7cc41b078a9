//! One key for one algorithm: the key's type fixes what it may verify, so that a token cannot choose.
//!
//! Keys are read by jwt-simple, and signatures verified by the pure-Rust algorithms under it. Its own
//! reading of tokens is not used: the core has read the token already, more strictly and by the host's
//! clock (docs/decisions/0003).

use ed25519_compact::PublicKey as Ed25519;
use jwt_simple::prelude::{
    ECDSAP256PublicKeyLike, ECDSAP384PublicKeyLike, ES256PublicKey, ES384PublicKey,
    Ed25519PublicKey, EdDSAPublicKeyLike, HS256Key, HS384Key, HS512Key, MACLike, PS256PublicKey,
    PS384PublicKey, PS512PublicKey, RS256PublicKey, RS384PublicKey, RS512PublicKey,
    RSAPublicKeyLike,
};
use jwt_simple::{Error, JWTError};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use superboring::hash::MessageDigest;
use superboring::pkey::{PKey, Public};
use superboring::rsa::Padding;
use superboring::sign;

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
        key: Box<PKey<Public>>,
        hash: MessageDigest,
        padding: Padding,
        /// For a host that verifies: the key as SPKI in DER, and the hash by name. Not for PSS, whose
        /// padding no host can be told of.
        elsewhere: Option<(Vec<u8>, &'static str)>,
    },
    P256(Box<p256::ecdsa::VerifyingKey>, Vec<u8>),
    P384(Box<p384::ecdsa::VerifyingKey>, Vec<u8>),
    Ed25519(Box<Ed25519>),
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
            Algorithm::Rs256 => rsa(&read!(RS256PublicKey)?, Some("sha256")),
            Algorithm::Rs384 => rsa(&read!(RS384PublicKey)?, Some("sha384")),
            Algorithm::Rs512 => rsa(&read!(RS512PublicKey)?, Some("sha512")),
            Algorithm::Ps256 => rsa(&read!(PS256PublicKey)?, None),
            Algorithm::Ps384 => rsa(&read!(PS384PublicKey)?, None),
            Algorithm::Ps512 => rsa(&read!(PS512PublicKey)?, None),
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
                Ok(Self::Ed25519(Box::new(*read!(Ed25519PublicKey)?.public_key().as_ref())))
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
            Self::Rsa { key, hash, padding, .. } => {
                rsa_verifies(key, hash, *padding, message, signature)
            }
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
            Self::Ed25519(key) => ed25519_compact::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
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

/// The hash and the padding come with the type of the key, not with the token.
fn rsa<K: RSAPublicKeyLike>(key: &K, hash_name: Option<&'static str>) -> Result<Verifier, BadKey> {
    let (hash, padding) = (K::hash(), key.padding_scheme());
    let spki = key.public_key().to_der().ok();
    let elsewhere = spki.zip(hash_name);
    let key = PKey::from_rsa(key.public_key().as_ref().clone()).map_err(|_| BadKey::Foreign)?;
    Ok(Verifier::Rsa { key: Box::new(key), hash, padding, elsewhere })
}

fn rsa_verifies(
    key: &PKey<Public>,
    hash: &MessageDigest,
    padding: Padding,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Ok(mut verifier) = sign::Verifier::new(hash.clone(), key) else { return false };
    verifier.set_rsa_padding(padding).is_ok()
        && verifier.update(message).is_ok()
        && verifier.verify(signature).unwrap_or(false)
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
