//! Says why a key does not sign, and how it is converted into one that does. Nothing of the key is repeated.

use vigile_policy::{Algorithm, Family};

use super::{Claims, Signer};

/// A private key in PEM that does not sign with this algorithm.
pub(super) fn problem(algorithm: Algorithm, pem: &str) -> String {
    let wanted = wanted(algorithm);
    match kind(pem) {
        Kind::Encrypted => format!(
            "this key is encrypted, and its passphrase is not asked for: write it without (openssl pkcs8 -topk8 -nocrypt -in KEY.pem -out private.pem), or {wanted}"
        ),
        Kind::Sec1 => "this key is in the form SEC 1, and PKCS #8 is read: openssl pkcs8 -topk8 -nocrypt -in KEY.pem -out private.pem".to_owned(),
        Kind::OpenSsh => format!("this key is in OpenSSH's own form, which is not read: {wanted}"),
        Kind::Public => "this is a public key or a certificate: a token is signed by the private key".to_owned(),
        Kind::Jwk => format!("this is a JWK, and PEM is read: {wanted}"),
        Kind::Private => match other(algorithm, pem) {
            Some(other) => format!("this key is for {other}, and not for {algorithm}"),
            None => format!("this key is damaged, or of no kind that {algorithm} takes: {wanted}"),
        },
        Kind::None => format!("this is no key in PEM, which begins with -----BEGIN PRIVATE KEY-----: {wanted}"),
    }
}

enum Kind {
    Encrypted,
    Sec1,
    OpenSsh,
    Public,
    Jwk,
    Private,
    None,
}

/// Tells the kind of a text by its own labels (RFC 7468; RFC 1421 §4.6.1.1 for `Proc-Type`).
fn kind(text: &str) -> Kind {
    let says = |words: &str| text.contains(words);
    match () {
        () if says("BEGIN ENCRYPTED PRIVATE KEY-----") || says("Proc-Type: 4,ENCRYPTED") => {
            Kind::Encrypted
        }
        () if says("BEGIN OPENSSH PRIVATE KEY-----") => Kind::OpenSsh,
        () if says("BEGIN EC PRIVATE KEY-----") => Kind::Sec1,
        () if says("PRIVATE KEY-----") => Kind::Private,
        () if says("PUBLIC KEY-----") || says("BEGIN CERTIFICATE-----") => Kind::Public,
        () if says("\"kty\"") => Kind::Jwk,
        () => Kind::None,
    }
}

/// The algorithm that the key does sign with.
fn other(algorithm: Algorithm, pem: &str) -> Option<Algorithm> {
    let of_families = [Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384, Algorithm::EdDsa];
    let mut others = of_families.into_iter().filter(|other| other.family() != algorithm.family());
    others.find(|other| Signer::of_pem(*other, pem).signed(&Claims::new()).is_some())
}

/// A command that makes a key for an algorithm.
fn wanted(algorithm: Algorithm) -> &'static str {
    match algorithm.family() {
        Family::Secret(_) => "vigile key makes a secret",
        Family::Rsa => "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 makes one",
        Family::P256 => "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 makes one",
        Family::P384 => "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 makes one",
        Family::Ed25519 => "openssl genpkey -algorithm Ed25519 makes one",
    }
}
