//! `issuers[].keys`: shared secrets, PEM, JWK and inline JWKS, several for rotation.

use super::{jwk, public_key};
use crate::document::{Node, Section, bytes, from_base64, text, text_or_unset};
use vigile_core::token::{Key, MAX_CANDIDATES, Verifier};
use vigile_core::{Algorithm, Family};

use super::public_key::{BadKey, PublicKey};

/// Reads the keys of one issuer. Each becomes a key per algorithm that it fits, of those `accepted`;
/// `None` where that list itself is wrong, and no key can be judged by it.
pub(super) fn read_all(
    node: &Node<'_>,
    issuer: &str,
    accepted: Option<&[Algorithm]>,
) -> Option<Vec<Key>> {
    let read = node.each("[{ secret: { env: NAME } }]", |node| read(node, issuer, accepted))?;
    let keys: Vec<Key> = read.into_iter().flatten().collect();
    if keys.is_empty() {
        return node.wrong("none of these keys is set: at least one must be");
    }
    let crowded = |algorithm: &&Algorithm| {
        keys.iter().filter(|key| key.algorithm == **algorithm && key.kid.is_none()).count()
            > MAX_CANDIDATES
    };
    match accepted?.iter().find(crowded) {
        Some(algorithm) => node.wrong(format!(
            "more than {MAX_CANDIDATES} keys without kid for {algorithm}: give each its kid, so that a token need not be tried on all"
        )),
        None => Some(keys),
    }
}

fn read(node: &Node<'_>, issuer: &str, accepted: Option<&[Algorithm]>) -> Option<Vec<Key>> {
    let section = node.section("{ secret: { env: NAME } }")?;
    let kid = section.optional("kid", text);
    let label = format!(
        "{issuer}{}",
        node.path().rsplit('.').next().unwrap_or_default().trim_start_matches("keys")
    );
    let given = one_of(&section, ["secret", "public_key", "jwk", "jwks", "jwks_uri"]);
    let made = match given? {
        ("secret", node) => secret(&node, accepted),
        ("public_key", node) => pem(&node, accepted),
        ("jwk", node) => jwk::one(&node, accepted),
        ("jwks", node) => jwk::set(&node, accepted),
        (_, node) => {
            node.wrong("keys cannot be fetched yet: give them as jwks, inline, or as public_key")
        }
    };
    let (kid, made) = (kid?, made?);
    if kid.is_some() && made.iter().any(|made| made.kid.is_some()) {
        return node.wrong("a JWK has its own kid: leave this one out");
    }
    Some(made.into_iter().map(|made| made.named(kid.clone(), &label)).collect())
}

/// The only key of a section among `names`, with its value.
fn one_of<'t>(section: &Section<'t>, names: [&'static str; 5]) -> Option<(&'static str, Node<'t>)> {
    let given: Vec<(&str, Node<'_>)> =
        names.into_iter().filter_map(|name| Some((name, section.take(name)?))).collect();
    match given.len() {
        0 => section.lacks(&names, format!("one of these is required: {}", names.join(", "))),
        1 => given.into_iter().next(),
        _ => section.node().wrong("a key is one thing: write each under a dash of its own"),
    }
}

/// A key that was read, before its `kid` and label are known.
pub(super) struct Made {
    pub(super) algorithm: Algorithm,
    pub(super) verifier: Verifier,
    pub(super) kid: Option<String>,
}

impl Made {
    fn named(self, kid: Option<String>, issuer: &str) -> Key {
        let kid = self.kid.or(kid);
        let shown = kid.as_ref().map(|kid| format!(" kid {kid:?}")).unwrap_or_default();
        let label = format!("{issuer} {}{shown}", self.algorithm);
        Key { kid, algorithm: self.algorithm, verifier: self.verifier, label }
    }
}

/// A shared secret for every HMAC that the issuer accepts. Nothing of it is ever repeated.
fn secret(node: &Node<'_>, accepted: Option<&[Algorithm]>) -> Option<Vec<Made>> {
    match bytes(node)? {
        Some(secret) => from_secret(node, &secret, accepted?, None),
        None => Some(Vec::new()),
    }
}

pub(super) fn from_secret(
    node: &Node<'_>,
    secret: &[u8],
    accepted: &[Algorithm],
    kid: Option<&str>,
) -> Option<Vec<Made>> {
    if is_public(secret) {
        return node.wrong("this is a public key, which everybody has: as a secret it would let anybody sign. Write it as public_key, jwk or jwks");
    }
    let hash = |algorithm: &Algorithm| match algorithm.family() {
        Family::Secret(bytes) => Some(bytes),
        _ => None,
    };
    match accepted.iter().filter_map(hash).max() {
        None => return node.wrong("a shared secret is for HS256, HS384 and HS512, and the issuer's algorithms list none of them"),
        Some(bytes) if secret.len() < bytes => {
            return node.wrong(format!(
                "this secret is too short: {bytes} bytes at least for these algorithms (RFC 7518 §3.2). `vigile key` makes one"
            ));
        }
        Some(_) => {}
    }
    let make = |algorithm: &Algorithm| {
        let verifier = Verifier::secret(*algorithm, secret)?;
        Some(Made { algorithm: *algorithm, verifier, kid: kid.map(str::to_owned) })
    };
    Some(accepted.iter().filter_map(make).collect())
}

/// A key that is published, as it is written or in base64, as people have it in variables.
fn is_public(secret: &[u8]) -> bool {
    let bare: String = String::from_utf8_lossy(secret).split_ascii_whitespace().collect();
    let decoded = from_base64(&bare);
    [Some(secret), decoded.as_deref()].into_iter().flatten().any(is_published)
}

/// PEM (RFC 7468), OpenSSH, JWK and JWKS (RFC 7517), DER.
fn is_published(secret: &[u8]) -> bool {
    let text = String::from_utf8_lossy(secret);
    let json = text.trim_start().starts_with('{') && text.contains("\"kty\"");
    let pem = ["PUBLIC KEY-----", "CERTIFICATE-----"].iter().any(|end| text.contains(end));
    let ssh = text.starts_with("ssh-") || text.starts_with("ecdsa-sha2-");
    json || pem || ssh || public_key::is_der(secret)
}

fn pem(node: &Node<'_>, accepted: Option<&[Algorithm]>) -> Option<Vec<Made>> {
    let Some(pem) = text_or_unset(node)? else { return Some(Vec::new()) };
    if pem.contains("PRIVATE KEY-----") {
        return node.wrong("this is a private key: it stays with the issuer. Give the public one (openssl pkey -pubout)");
    }
    if pem.contains("BEGIN CERTIFICATE") {
        return node
            .wrong("this is a certificate: give its public key (openssl x509 -pubkey -noout)");
    }
    if !pem.contains("-----BEGIN ") {
        return node.wrong(format!(
            "this is not PEM: a public key begins with -----BEGIN PUBLIC KEY-----{}",
            other_form(&pem)
        ));
    }
    let damaged = "this key is damaged, or of no known kind: RSA, P-256, P-384 or Ed25519";
    try_all(node, accepted?, PublicKey::from_pem(pem.trim()), None, damaged)
}

/// A hint where the text is a key in another form.
fn other_form(text: &str) -> &'static str {
    let text = text.trim_start();
    match () {
        () if text.starts_with('{') => ". This is JSON: write it under jwk or jwks",
        () if text.starts_with("ssh-") || text.starts_with("ecdsa-sha2-") => {
            ". This is OpenSSH's form: ssh-keygen -e -m PKCS8 -f KEY.pub writes it as PEM"
        }
        () if from_base64(text.trim_end()).is_some_and(|der| public_key::is_der(&der)) => {
            ". This is the key without its first and last line"
        }
        () => "",
    }
}

/// A key for each accepted algorithm that takes it; `foreign` is the mistake where it cannot be read.
pub(super) fn try_all(
    node: &Node<'_>,
    accepted: &[Algorithm],
    key: Result<PublicKey, BadKey>,
    kid: Option<&str>,
    foreign: &str,
) -> Option<Vec<Made>> {
    let key = match key {
        Ok(key) => key,
        Err(BadKey::Weak) => {
            return node.wrong("an RSA key under 2048 bits is too weak: let the issuer sign with one of 2048 or more");
        }
        Err(BadKey::Huge) => {
            return node.wrong("an RSA key over 4096 bits is not supported: let the issuer sign with a shorter one");
        }
        Err(BadKey::Unreadable) => return node.wrong(foreign),
    };
    let make = |algorithm: &Algorithm| {
        let verifier = key.verifier(*algorithm)?;
        Some(Made { algorithm: *algorithm, verifier, kid: kid.map(str::to_owned) })
    };
    match accepted.iter().filter_map(make).collect::<Vec<Made>>() {
        made if made.is_empty() => match key.kind() {
            // A point that no signer has.
            (family, _) if accepted.iter().any(|algorithm| algorithm.family() == family) => {
                node.wrong(foreign)
            }
            (_, kind) => {
                node.wrong(format!("this is {kind}, and the issuer's algorithms do not list that"))
            }
        },
        made => Some(made),
    }
}
