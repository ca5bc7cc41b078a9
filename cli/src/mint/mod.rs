//! Minting tokens, for `vigile token` and for the tests.

mod unfit;

use jwt_simple::prelude::{
    ECDSAP256KeyPairLike, ECDSAP384KeyPairLike, ES256KeyPair, ES384KeyPair, Ed25519KeyPair,
    EdDSAKeyPairLike, HS256Key, HS384Key, HS512Key, JWTClaims, MACLike, PS256KeyPair, PS384KeyPair,
    PS512KeyPair, RS256KeyPair, RS384KeyPair, RS512KeyPair, RSAKeyPairLike,
};
use serde_json::{Map, Value};
use vigile_policy::{Algorithm, Family};

/// What a token says: its claims, as they are to stand in it.
pub type Claims = Map<String, Value>;

/// A key that signs with one algorithm.
pub struct Signer {
    algorithm: Algorithm,
    key: Key,
    kid: Option<String>,
}

enum Key {
    Secret(Vec<u8>),
    Pem(String),
}

impl Signer {
    /// A shared secret for an HMAC, or a private key in PEM for the others.
    ///
    /// # Errors
    /// Where the key does not fit the algorithm.
    pub fn new(algorithm: Algorithm, key: &[u8]) -> Result<Self, String> {
        let key = match algorithm.family() {
            Family::Secret(least) if key.len() < least => {
                return Err(format!(
                    "{algorithm} takes a secret of {least} bytes at least; this one has {}: vigile key makes one",
                    key.len()
                ));
            }
            Family::Secret(_) => Key::Secret(key.to_vec()),
            _ => Key::Pem(
                String::from_utf8(key.to_vec())
                    .map_err(|_| "a private key is PEM text".to_owned())?,
            ),
        };
        let signer = Self { algorithm, key, kid: None };
        signer.sign(&Claims::new()).map(|_| signer)
    }

    /// A private key in PEM that nobody has tried.
    fn of_pem(algorithm: Algorithm, pem: &str) -> Self {
        Self { algorithm, key: Key::Pem(pem.to_owned()), kid: None }
    }

    /// The key's name in the token's header.
    #[must_use]
    pub fn with_kid(mut self, kid: &str) -> Self {
        self.kid = Some(kid.to_owned());
        self
    }

    /// A token with exactly these claims.
    ///
    /// # Errors
    /// Where the key cannot sign.
    pub fn sign(&self, claims: &Claims) -> Result<String, String> {
        self.signed(claims).ok_or_else(|| match &self.key {
            Key::Pem(pem) => unfit::problem(self.algorithm, pem),
            Key::Secret(_) => format!("this is no key for {}", self.algorithm),
        })
    }

    fn signed(&self, claims: &Claims) -> Option<String> {
        let claims = exactly(claims);
        let kid = self.kid.as_deref();
        macro_rules! private {
            ($type:ident, $pem:expr) => {
                $type::from_pem($pem.trim()).and_then(|key| match kid {
                    Some(kid) => key.with_key_id(kid).sign(claims),
                    None => key.sign(claims),
                })
            };
        }
        macro_rules! secret {
            ($type:ident, $secret:expr) => {
                match kid {
                    Some(kid) => $type::from_bytes($secret).with_key_id(kid).authenticate(claims),
                    None => $type::from_bytes($secret).authenticate(claims),
                }
            };
        }
        let signed = match (self.algorithm, &self.key) {
            (Algorithm::Hs256, Key::Secret(secret)) => secret!(HS256Key, secret),
            (Algorithm::Hs384, Key::Secret(secret)) => secret!(HS384Key, secret),
            (Algorithm::Hs512, Key::Secret(secret)) => secret!(HS512Key, secret),
            (Algorithm::Rs256, Key::Pem(pem)) => private!(RS256KeyPair, pem),
            (Algorithm::Rs384, Key::Pem(pem)) => private!(RS384KeyPair, pem),
            (Algorithm::Rs512, Key::Pem(pem)) => private!(RS512KeyPair, pem),
            (Algorithm::Ps256, Key::Pem(pem)) => private!(PS256KeyPair, pem),
            (Algorithm::Ps384, Key::Pem(pem)) => private!(PS384KeyPair, pem),
            (Algorithm::Ps512, Key::Pem(pem)) => private!(PS512KeyPair, pem),
            (Algorithm::Es256, Key::Pem(pem)) => private!(ES256KeyPair, pem),
            (Algorithm::Es384, Key::Pem(pem)) => private!(ES384KeyPair, pem),
            (Algorithm::EdDsa, Key::Pem(pem)) => private!(Ed25519KeyPair, pem),
            _ => return None,
        };
        signed.ok()
    }

    /// The header and claims as they are given, signed: for tokens that no library would write.
    ///
    /// # Errors
    /// For algorithms other than HMACs.
    pub fn sign_raw(&self, header: &[u8], claims: &[u8]) -> Result<String, String> {
        use ct_codecs::{Base64UrlSafeNoPadding, Encoder};
        let encode =
            |bytes: &[u8]| Base64UrlSafeNoPadding::encode_to_string(bytes).unwrap_or_default();
        let message = format!("{}.{}", encode(header), encode(claims));
        let tag = match (self.algorithm, &self.key) {
            (Algorithm::Hs256, Key::Secret(secret)) => {
                HS256Key::from_bytes(secret).authentication_tag(message.as_bytes())
            }
            (Algorithm::Hs384, Key::Secret(secret)) => {
                HS384Key::from_bytes(secret).authentication_tag(message.as_bytes())
            }
            (Algorithm::Hs512, Key::Secret(secret)) => {
                HS512Key::from_bytes(secret).authentication_tag(message.as_bytes())
            }
            (algorithm, _) => return Err(format!("{algorithm} is not signed raw here")),
        };
        Ok(format!("{message}.{}", encode(&tag)))
    }
}

/// jwt-simple's claims with nothing of its own in them.
fn exactly(claims: &Claims) -> JWTClaims<Claims> {
    JWTClaims {
        issued_at: None,
        expires_at: None,
        invalid_before: None,
        issuer: None,
        subject: None,
        audiences: None,
        jwt_id: None,
        nonce: None,
        custom: claims.clone(),
    }
}
