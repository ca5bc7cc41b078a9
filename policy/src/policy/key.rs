//! `issuers[].keys`: shared secrets, PEM, JWK and inline JWKS, several for rotation.

use crate::document::{Node, Section, Tree, bytes, text};
use crate::token::{Algorithm, BadKey, Family, Key, MAX_CANDIDATES, Verifier, Written};

/// Reads the keys of one issuer. Each becomes a key per algorithm that it fits, of those `accepted`.
pub(super) fn read_all(node: &Node<'_>, issuer: &str, accepted: &[Algorithm]) -> Option<Vec<Key>> {
    let read = node.each(|node| read(node, issuer, accepted))?;
    let keys: Vec<Key> = read.into_iter().flatten().collect();
    if keys.is_empty() {
        return node.wrong("none of these keys is set: at least one must be");
    }
    let crowded = |algorithm: &&Algorithm| {
        keys.iter().filter(|key| key.algorithm == **algorithm && key.kid.is_none()).count()
            > MAX_CANDIDATES
    };
    match accepted.iter().find(crowded) {
        Some(algorithm) => node.wrong(format!(
            "more than {MAX_CANDIDATES} keys without kid for {algorithm}: give each its kid, so that a token need not be tried on all"
        )),
        None => Some(keys),
    }
}

fn read(node: &Node<'_>, issuer: &str, accepted: &[Algorithm]) -> Option<Vec<Key>> {
    let section = node.section()?;
    let kid = section.optional("kid", text);
    let label = format!(
        "{issuer}{}",
        node.path().rsplit('.').next().unwrap_or_default().trim_start_matches("keys")
    );
    let given = one_of(&section, ["secret", "public_key", "jwk", "jwks", "jwks_uri"]);
    let made = match given? {
        ("secret", node) => secret(&node, accepted),
        ("public_key", node) => public_key(&node, accepted),
        ("jwk", node) => jwk(&node, accepted, false),
        ("jwks", node) => jwks(&node, accepted),
        (_, node) => {
            node.wrong("keys cannot be fetched yet: give them as jwks, inline, or as public_key")
        }
    };
    let kid = kid?;
    Some(made?.into_iter().map(|made| made.named(kid.clone(), &label)).collect())
}

/// The only key of a section among `names`, with its value.
fn one_of<'t>(section: &Section<'t>, names: [&'static str; 5]) -> Option<(&'static str, Node<'t>)> {
    let mut given = names.into_iter().filter_map(|name| Some((name, section.take(name)?)));
    match (given.next(), given.next()) {
        (Some(one), None) => {
            given.for_each(drop);
            Some(one)
        }
        (None, _) => {
            section.node().wrong(format!("one of these is required: {}", names.join(", ")))
        }
        _ => section.node().wrong("a key is one thing: write each under a dash of its own"),
    }
}

/// A key that was read, before its `kid` and label are known.
struct Made {
    algorithm: Algorithm,
    verifier: Verifier,
    kid: Option<String>,
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
fn secret(node: &Node<'_>, accepted: &[Algorithm]) -> Option<Vec<Made>> {
    match bytes(node)? {
        Some(secret) => from_secret(node, &secret, accepted, None),
        None => Some(Vec::new()),
    }
}

fn from_secret(
    node: &Node<'_>,
    secret: &[u8],
    accepted: &[Algorithm],
    kid: Option<&String>,
) -> Option<Vec<Made>> {
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
        let verifier = Verifier::from_secret(*algorithm, secret)?;
        Some(Made { algorithm: *algorithm, verifier, kid: kid.cloned() })
    };
    Some(accepted.iter().filter_map(make).collect())
}

fn public_key(node: &Node<'_>, accepted: &[Algorithm]) -> Option<Vec<Made>> {
    let pem = text(node)?;
    if pem.contains("PRIVATE KEY-----") {
        return node.wrong("this is a private key: it stays with the issuer. Give the public one (openssl pkey -pubout)");
    }
    if pem.contains("BEGIN CERTIFICATE") {
        return node
            .wrong("this is a certificate: give its public key (openssl x509 -pubkey -noout)");
    }
    if !pem.contains("-----BEGIN ") {
        return node.wrong("this is not PEM: -----BEGIN PUBLIC KEY-----");
    }
    try_all(
        node,
        accepted,
        |algorithm| Verifier::from_public(algorithm, Written::Pem(pem.trim())),
        None,
    )
}

/// A key for each accepted algorithm that takes it.
fn try_all(
    node: &Node<'_>,
    accepted: &[Algorithm],
    make: impl Fn(Algorithm) -> Result<Verifier, BadKey>,
    kid: Option<&String>,
) -> Option<Vec<Made>> {
    let (mut made, mut bad) = (Vec::new(), BadKey::Foreign);
    for algorithm in accepted {
        match make(*algorithm) {
            Ok(verifier) => made.push(Made { algorithm: *algorithm, verifier, kid: kid.cloned() }),
            Err(BadKey::Foreign) => {}
            Err(problem) => bad = problem,
        }
    }
    match (made.is_empty(), bad) {
        (false, _) => Some(made),
        (true, BadKey::Weak) => node.wrong("an RSA key under 2048 bits is too weak"),
        (true, BadKey::Huge) => node.wrong("an RSA key over 4096 bits is not supported"),
        (true, BadKey::Foreign) => node.wrong("none of the issuer's algorithms takes this key"),
    }
}

/// One JWK. In a set, keys of other uses are passed over (RFC 7517 §5).
fn jwk(node: &Node<'_>, accepted: &[Algorithm], in_a_set: bool) -> Option<Vec<Made>> {
    let Tree::Map(_) = node.tree() else { return node.expected("a JWK: { kty: …, … }") };
    let member = |name: &str| node.tree().get(name).and_then(Tree::as_text);
    let foreign = member("use").is_some_and(|used| used != "sig")
        || member("alg").is_some_and(|alg| !accepted.iter().any(|accepted| accepted.name() == alg));
    if foreign && in_a_set {
        return Some(Vec::new());
    }
    if foreign {
        return node.wrong("this key's use or alg is none that the issuer's algorithms list");
    }
    let kid = member("kid").map(str::to_owned);
    let fits = |algorithm: &&Algorithm| member("alg").is_none_or(|alg| alg == algorithm.name());
    let accepted: Vec<Algorithm> = accepted.iter().filter(fits).copied().collect();
    match member("kty") {
        Some("oct") => from_secret(node, &oct(node)?, &accepted, kid.as_ref()),
        Some(_) if node.tree().get("d").is_some() => {
            node.wrong("this is a private key (it has d): leave its public members alone")
        }
        Some(_) => {
            let json = node.tree().to_json();
            try_all(
                node,
                &accepted,
                |algorithm| Verifier::from_public(algorithm, Written::Jwk(&json)),
                kid.as_ref(),
            )
        }
        None => node.wrong("kty is required (RFC 7517 §4.1)"),
    }
}

fn oct(node: &Node<'_>) -> Option<Vec<u8>> {
    use ct_codecs::{Base64UrlSafeNoPadding, Decoder};
    let k = node.tree().get("k").and_then(Tree::as_text).unwrap_or_default();
    match Base64UrlSafeNoPadding::decode_to_vec(k, None) {
        Ok(secret) if !secret.is_empty() => Some(secret),
        _ => node.wrong("k is required, in base64url without padding (RFC 7518 §6.4.1)"),
    }
}

fn jwks(node: &Node<'_>, accepted: &[Algorithm]) -> Option<Vec<Made>> {
    let section = node.section()?;
    let keys = section.required("keys", |node| node.each(|node| jwk(node, accepted, true)))?;
    let keys: Vec<Made> = keys.into_iter().flatten().collect();
    match keys.is_empty() {
        true => {
            node.wrong("no key of this set is for a signature that the issuer's algorithms list")
        }
        false => Some(keys),
    }
}
