//! One key for one algorithm: the key's type fixes what it may verify, so that a token cannot choose.
//!
//! Signatures are verified by RustCrypto's and dalek's crates, which are two to four times as fast in a module as
//! those under jwt-simple (docs/decisions/0016). Its own reading of tokens is not used: the core has read the
//! token already, more strictly and by the host's clock (docs/decisions/0003).

use ed25519_dalek::Verifier as _;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pss::Pss;
use rsa::traits::SignatureScheme;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::elsewhere::{Asked, Curve, ecdsa_signature};
use super::{Algorithm, Family};

/// A key that is ready to verify.
pub struct Verifier(Kind);

enum Kind {
    Hs256(Vec<u8>),
    Hs384(Vec<u8>),
    Hs512(Vec<u8>),
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

/// Each takes a key for the algorithms of its family alone.
impl Verifier {
    /// A shared secret, for HS256, HS384 or HS512.
    pub fn secret(algorithm: Algorithm, secret: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::Hs256 => Some(Self(Kind::Hs256(secret.to_vec()))),
            Algorithm::Hs384 => Some(Self(Kind::Hs384(secret.to_vec()))),
            Algorithm::Hs512 => Some(Self(Kind::Hs512(secret.to_vec()))),
            _ => None,
        }
    }

    /// An RSA key, and the same as SPKI in DER.
    pub fn rsa(algorithm: Algorithm, key: rsa::PublicKey, spki: Vec<u8>) -> Option<Self> {
        let elsewhere = match algorithm {
            Algorithm::Rs256 => Some((spki, "sha256")),
            Algorithm::Rs384 => Some((spki, "sha384")),
            Algorithm::Rs512 => Some((spki, "sha512")),
            Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => None,
            _ => return None,
        };
        Some(Self(Kind::Rsa { key: Box::new(key), algorithm, elsewhere }))
    }

    /// A key for ES256.
    pub fn p256(key: p256::ecdsa::VerifyingKey) -> Self {
        let spki = Curve::P256.spki(key.to_sec1_point(false).as_bytes());
        Self(Kind::P256(Box::new(key), spki))
    }

    /// A key for ES384.
    pub fn p384(key: p384::ecdsa::VerifyingKey) -> Self {
        let spki = Curve::P384.spki(key.to_sec1_point(false).as_bytes());
        Self(Kind::P384(Box::new(key), spki))
    }

    /// A key for EdDSA. One of small order verifies signatures that nobody made: `None`.
    pub fn ed25519(key: ed25519_dalek::VerifyingKey) -> Option<Self> {
        (!key.is_weak()).then(|| Self(Kind::Ed25519(Box::new(key))))
    }

    /// Whether this key made this signature over this message.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::Hs256(key) => ct_codecs::verify(&hmac_sha256::HMAC::mac(message, key), signature),
            Kind::Hs384(key) => {
                ct_codecs::verify(&hmac_sha512::sha384::HMAC::mac(message, key), signature)
            }
            Kind::Hs512(key) => ct_codecs::verify(&hmac_sha512::HMAC::mac(message, key), signature),
            Kind::Rsa { key, algorithm, .. } => rsa_verifies(key, *algorithm, message, signature),
            Kind::P256(key, _) => {
                let digest = hmac_sha256::Hash::hash(message);
                p256::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok())
            }
            Kind::P384(key, _) => {
                let digest = hmac_sha512::sha384::Hash::hash(message);
                p384::ecdsa::Signature::from_slice(signature)
                    .is_ok_and(|signature| key.verify_prehash(&digest, &signature).is_ok())
            }
            // RFC 8032 §5.1.7 without the cofactor, as BoringSSL has it. `verify_strict` would refuse points of
            // small order: of keys they are refused at load, and the other one is whatever the signer chose.
            Kind::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

impl Verifier {
    /// The same question for a host that verifies; `None` where it can be answered here alone.
    pub(super) fn elsewhere<'q>(
        &'q self,
        message: &'q [u8],
        signature: &'q [u8],
    ) -> Option<Asked<'q>> {
        let ecdsa = |curve: Curve, hash, spki: &'q Vec<u8>| {
            let signature = ecdsa_signature(signature, curve)?.into();
            Some(Asked { family: curve.family(), hash, public_key: spki, message, signature })
        };
        match &self.0 {
            Kind::Rsa { elsewhere: Some((spki, hash)), .. } => Some(Asked {
                family: Family::Rsa,
                hash,
                public_key: spki,
                message,
                signature: signature.into(),
            }),
            Kind::P256(_, spki) => ecdsa(Curve::P256, "sha256", spki),
            Kind::P384(_, spki) => ecdsa(Curve::P384, "sha384", spki),
            _ => None,
        }
    }
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
