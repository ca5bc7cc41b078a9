//! One key for one algorithm: the key's type fixes what it may verify, so that a token cannot choose.

use jwt_simple::prelude::{
    Duration, ECDSAP256PublicKeyLike, ECDSAP384PublicKeyLike, ES256PublicKey, ES384PublicKey,
    Ed25519PublicKey, EdDSAPublicKeyLike, HS256Key, HS384Key, HS512Key, MACLike, NoCustomClaims,
    PS256PublicKey, PS384PublicKey, PS512PublicKey, RS256PublicKey, RS384PublicKey, RS512PublicKey,
    RSAPublicKeyLike, UnixTimeStamp, VerificationOptions,
};
use jwt_simple::{Error, JWTError};

use super::Algorithm;

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

impl BadKey {
    fn from(error: &Error) -> Self {
        match error.downcast_ref::<JWTError>() {
            Some(JWTError::WeakKey) => Self::Weak,
            Some(JWTError::UnsupportedRSAModulus) => Self::Huge,
            _ => Self::Foreign,
        }
    }
}

macro_rules! verifiers {
    (secrets { $($secret:ident $secret_type:ident)+ } public { $($public:ident $public_type:ident)+ }) => {
        /// A key that is ready to verify.
        pub(crate) enum Verifier {
            $($secret($secret_type),)+
            $($public(Box<$public_type>),)+
        }

        impl Verifier {
            /// A shared secret; `None` for an algorithm of public keys.
            pub(crate) fn from_secret(algorithm: Algorithm, secret: &[u8]) -> Option<Self> {
                match algorithm {
                    $(Algorithm::$secret => Some(Self::$secret($secret_type::from_bytes(secret))),)+
                    _ => None,
                }
            }

            /// A public key in PEM (SPKI, or PKCS #1 for RSA).
            pub(crate) fn from_pem(algorithm: Algorithm, pem: &str) -> Result<Self, BadKey> {
                match algorithm {
                    $(Algorithm::$public => $public_type::from_pem(pem)
                        .map(|key| Self::$public(Box::new(key)))
                        .map_err(|error| BadKey::from(&error)),)+
                    _ => Err(BadKey::Foreign),
                }
            }

            /// A public key as JWK (RFC 7517), in JSON.
            pub(crate) fn from_jwk(algorithm: Algorithm, jwk: &str) -> Result<Self, BadKey> {
                match algorithm {
                    $(Algorithm::$public => $public_type::from_jwk(jwk)
                        .map(|key| Self::$public(Box::new(key)))
                        .map_err(|error| BadKey::from(&error)),)+
                    _ => Err(BadKey::Foreign),
                }
            }

            /// Whether this key signed the token. Nothing but the signature is asked of jwt-simple:
            /// times, issuer and audience are the core's own to judge, against the host's clock.
            pub(crate) fn verifies(&self, token: &str) -> bool {
                let options = Some(signature_alone());
                match self {
                    $(Self::$secret(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),)+
                    $(Self::$public(key) => key.verify_token::<NoCustomClaims>(token, options).is_ok(),)+
                }
            }
        }
    };
}

verifiers! {
    secrets { Hs256 HS256Key Hs384 HS384Key Hs512 HS512Key }
    public {
        Rs256 RS256PublicKey Rs384 RS384PublicKey Rs512 RS512PublicKey
        Ps256 PS256PublicKey Ps384 PS384PublicKey Ps512 PS512PublicKey
        Es256 ES256PublicKey Es384 ES384PublicKey EdDsa Ed25519PublicKey
    }
}

/// At the beginning of time no token has expired, and `accept_future` lets those of the future pass.
fn signature_alone() -> VerificationOptions {
    VerificationOptions {
        accept_future: true,
        time_tolerance: Some(Duration::from_secs(0)),
        artificial_time: Some(UnixTimeStamp::from_secs(0)),
        max_token_length: Some(super::MAX_TOKEN),
        max_header_length: Some(super::MAX_TOKEN),
        ..VerificationOptions::default()
    }
}
