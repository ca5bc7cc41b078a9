//! Public keys as they are written: PEM (RFC 7468), and the members of a JWK (RFC 7518 §6, RFC 8037 §2).
//!
//! Read once, and then made a key of each algorithm that takes it. The crates that verify read the material; what
//! is refused beside that is what jwt-simple refuses, which read keys before (docs/decisions/0022).

use ct_codecs::{Base64UrlSafeNoPadding, Decoder};
use rsa::pkcs1::RsaPublicKeyRef;
use rsa::pkcs8::der::oid::ObjectIdentifier;
use rsa::pkcs8::spki::{AlgorithmIdentifierRef, EncodePublicKey, SubjectPublicKeyInfoRef};
use rsa::{BoxedUint, pkcs1};
use vigile_core::token::Verifier;
use vigile_core::{Algorithm, Family};

/// Why a public key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BadKey {
    /// An RSA key under 2048 bits.
    Weak,
    /// An RSA key over 4096 bits.
    Huge,
    /// No key of a known kind, or a damaged one.
    Unreadable,
}

/// A public key of any kind.
pub(super) enum PublicKey {
    /// With its SPKI in DER.
    Rsa(rsa::PublicKey, Vec<u8>),
    P256(p256::ecdsa::VerifyingKey),
    P384(p384::ecdsa::VerifyingKey),
    Ed25519(ed25519_dalek::VerifyingKey),
}

/// What an algorithm is called in SPKI (RFC 5480 §2.1.1, RFC 8410 §3).
const ELLIPTIC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

impl PublicKey {
    /// SPKI, or PKCS #1 for RSA.
    pub(super) fn from_pem(pem: &str) -> Result<Self, BadKey> {
        match pem_rfc7468::decode_vec(pem.as_bytes()) {
            Ok(("PUBLIC KEY", der)) => Self::from_spki(&der),
            Ok(("RSA PUBLIC KEY", der)) => from_pkcs1(&der),
            _ => Err(BadKey::Unreadable),
        }
    }

    fn from_spki(der: &[u8]) -> Result<Self, BadKey> {
        let spki = SubjectPublicKeyInfoRef::try_from(der).map_err(|_| BadKey::Unreadable)?;
        let key = spki.subject_public_key.as_bytes().ok_or(BadKey::Unreadable)?;
        let algorithm: AlgorithmIdentifierRef<'_> = spki.algorithm;
        let curve = || algorithm.parameters_oid().ok();
        match algorithm.oid {
            _ if algorithm == pkcs1::ALGORITHM_ID => from_pkcs1(key),
            ELLIPTIC if curve() == Some(P256) => p256(key),
            ELLIPTIC if curve() == Some(P384) => p384(key),
            ED25519 if algorithm.parameters.is_none() => ed25519(key),
            _ => Err(BadKey::Unreadable),
        }
    }

    /// A JWK, by its members that are texts.
    pub(super) fn from_jwk<'m>(member: impl Fn(&str) -> Option<&'m str>) -> Result<Self, BadKey> {
        let bytes = |name: &str, length: usize| decoded(member(name)?, length);
        let point = |size: usize| Some([vec![4], bytes("x", size)?, bytes("y", size)?].concat());
        let read = |bytes: Option<Vec<u8>>, key: fn(&[u8]) -> Result<Self, BadKey>| {
            bytes.ok_or(BadKey::Unreadable).and_then(|bytes| key(&bytes))
        };
        match (member("kty"), member("crv")) {
            (Some("RSA"), None) => modulus(member("n"), member("e")),
            (Some("EC"), Some("P-256")) => read(point(32), p256),
            (Some("EC"), Some("P-384")) => read(point(48), p384),
            (Some("OKP"), Some("Ed25519")) => read(bytes("x", 32), ed25519),
            _ => Err(BadKey::Unreadable),
        }
    }

    /// The kind of key, and what a message calls it.
    pub(super) fn kind(&self) -> (Family, &'static str) {
        match self {
            Self::Rsa(..) => (Family::Rsa, "an RSA key, for RS256 to RS512 and PS256 to PS512"),
            Self::P256(_) => (Family::P256, "a key on P-256, for ES256"),
            Self::P384(_) => (Family::P384, "a key on P-384, for ES384"),
            Self::Ed25519(_) => (Family::Ed25519, "an Ed25519 key, for EdDSA"),
        }
    }

    /// The key, ready to verify by one algorithm; `None` where it is of another kind.
    pub(super) fn verifier(&self, algorithm: Algorithm) -> Option<Verifier> {
        match (self, algorithm) {
            (Self::Rsa(key, spki), _) => Verifier::rsa(algorithm, key.clone(), spki.clone()),
            (Self::P256(key), Algorithm::Es256) => Some(Verifier::p256(*key)),
            (Self::P384(key), Algorithm::Es384) => Some(Verifier::p384(*key)),
            (Self::Ed25519(key), Algorithm::EdDsa) => Verifier::ed25519(*key),
            _ => None,
        }
    }
}

/// Whether bytes are a public key in DER, of whatever algorithm.
pub(super) fn is_der(bytes: &[u8]) -> bool {
    SubjectPublicKeyInfoRef::try_from(bytes).is_ok() || RsaPublicKeyRef::try_from(bytes).is_ok()
}

fn from_pkcs1(der: &[u8]) -> Result<PublicKey, BadKey> {
    let key = RsaPublicKeyRef::try_from(der).map_err(|_| BadKey::Unreadable)?;
    rsa(key.modulus.as_bytes(), key.public_exponent.as_bytes())
}

/// The longest modulus in base64url, with the byte that Java's BigInteger puts in front of it.
const LONGEST: usize = 684;

fn modulus(n: Option<&str>, e: Option<&str>) -> Result<PublicKey, BadKey> {
    let (Some(n), Some("AQAB")) = (n, e) else { return Err(BadKey::Unreadable) };
    if n.len() > LONGEST {
        return Err(BadKey::Huge);
    }
    let n = Base64UrlSafeNoPadding::decode_to_vec(n, None).map_err(|_| BadKey::Unreadable)?;
    match n.as_slice() {
        [0, digits @ ..] if digits.first().is_some_and(|top| top & 0x80 != 0) => rsa(digits, &E),
        [0, ..] | [] => Err(BadKey::Unreadable),
        digits => rsa(digits, &E),
    }
}

/// 65537, the only exponent that is taken.
const E: [u8; 3] = [1, 0, 1];

/// `n` and `e` without leading zeros.
fn rsa(n: &[u8], e: &[u8]) -> Result<PublicKey, BadKey> {
    let n = BoxedUint::from_be_slice_vartime(n);
    match n.bit_width_vartime() {
        ..2048 => return Err(BadKey::Weak),
        2048..=4096 => {}
        _ => return Err(BadKey::Huge),
    }
    let e =
        if *e == E { BoxedUint::from_be_slice_vartime(e) } else { return Err(BadKey::Unreadable) };
    let key = rsa::PublicKey::new(n, e).map_err(|_| BadKey::Unreadable)?;
    let spki = key.to_public_key_der().map_err(|_| BadKey::Unreadable)?;
    Ok(PublicKey::Rsa(key, spki.into_vec()))
}

fn p256(point: &[u8]) -> Result<PublicKey, BadKey> {
    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point);
    key.map(PublicKey::P256).map_err(|_| BadKey::Unreadable)
}

fn p384(point: &[u8]) -> Result<PublicKey, BadKey> {
    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point);
    key.map(PublicKey::P384).map_err(|_| BadKey::Unreadable)
}

/// A key has one encoding, and dalek takes others of it too (RFC 8032 §5.1.3). That it is not of small order is the
/// verifier's to see to.
fn ed25519(key: &[u8]) -> Result<PublicKey, BadKey> {
    let key = ed25519_dalek::VerifyingKey::try_from(key).map_err(|_| BadKey::Unreadable)?;
    match key.to_edwards().compress().to_bytes() == key.to_bytes() {
        true => Ok(PublicKey::Ed25519(key)),
        false => Err(BadKey::Unreadable),
    }
}

/// Base64url of exactly this many bytes (RFC 7518 §6.2.1.2).
fn decoded(text: &str, length: usize) -> Option<Vec<u8>> {
    let bytes = Base64UrlSafeNoPadding::decode_to_vec(text, None).ok()?;
    (bytes.len() == length).then_some(bytes)
}
