//! `jwk` and `jwks`: JSON Web Keys (RFC 7517), written out in the policy.

use vigile_core::{Algorithm, Family};

use super::key::{Made, from_secret, try_all};
use super::public_key::{BadKey, PublicKey};
use crate::document::{Invalid, Node, Tree, quoted};

/// Reads one JWK.
pub(super) fn one(node: &Node<'_>, accepted: Option<&[Algorithm]>) -> Option<Vec<Made>> {
    let jwk = Jwk::read(node)?;
    let accepted = accepted?;
    match jwk.unfit(accepted) {
        Some(problem) => node.wrong(problem),
        None => jwk.make(accepted),
    }
}

/// Reads a set as an identity provider publishes it. Members beside `keys` are passed over, and so are keys of other uses,
/// types and algorithms, and those that cannot be read or are out of range (RFC 7517 §5); each is noted.
pub(super) fn set(node: &Node<'_>, accepted: Option<&[Algorithm]>) -> Option<Vec<Made>> {
    let section = node.open_section("{ keys: [{ kty: …, … }] }")?;
    let nodes = section.required("keys", |node| node.items("[{ kty: …, … }]"))?;
    let private = nodes.iter().filter(|node| node.tree().get("d").is_some());
    let refused = private.filter(|node| Jwk::read(node).is_none()).count();
    let accepted = accepted.filter(|_| refused == 0)?;
    let read: Vec<Result<Vec<Made>, Vec<Invalid>>> =
        nodes.iter().map(|node| node.attempt(|| one(node, Some(accepted)))).collect();
    let unread =
        || nodes.iter().zip(&read).filter_map(|(node, read)| Some((node, read.as_ref().err()?)));
    let why = |mistakes: &[Invalid]| {
        let problems: Vec<&str> = mistakes.iter().map(|mistake| mistake.problem.as_str()).collect();
        problems.join("; ")
    };
    if read.iter().all(Result::is_err) {
        let each = unread()
            .enumerate()
            .map(|(at, (_, mistakes))| format!("keys[{at}]: {}", why(mistakes)));
        let each: Vec<String> = each.collect();
        return node.wrong(format!("no key of this set can be used: {}", each.join("; ")));
    }
    for (node, mistakes) in unread() {
        node.remark(format!("this key is passed over: {}", why(mistakes)));
    }
    Some(read.into_iter().flatten().flatten().collect())
}

/// Every member that is a part of some key (RFC 7518 §6, RFC 8037 §2).
const MATERIAL: [&str; 15] =
    ["crv", "x", "y", "d", "n", "e", "p", "q", "dp", "dq", "qi", "oth", "k", "pub", "priv"];

/// The members that say what a key is for; its material is `public_key`'s to read.
struct Jwk<'t> {
    node: Node<'t>,
    kind: &'t str,
    curve: Option<&'t str>,
    used: Option<&'t str>,
    algorithm: Option<&'t str>,
    kid: Option<&'t str>,
    secret: Option<&'t str>,
}

impl<'t> Jwk<'t> {
    fn read(node: &Node<'t>) -> Option<Self> {
        let members = node.entries("{ kty: …, … }")?;
        let member = |name: &str| members.iter().find(|(known, _)| *known == name);
        let text = |name: &str| {
            member(name).map(|(_, node)| node.string()).map_or(Some(None), |text| text.map(Some))
        };
        let (kind, curve, used) = (text("kty"), text("crv"), text("use"));
        let (algorithm, kid, secret) = (text("alg"), text("kid"), text("k"));
        if let Some((_, private)) = member("d") {
            return private.wrong("this is a private key: it stays with the issuer. Give the members of its public half");
        }
        let jwk = Self {
            node: *node,
            kind: kind?.unwrap_or_default(),
            curve: curve?,
            used: used?,
            algorithm: algorithm?,
            kid: kid?,
            secret: secret?,
        };
        match jwk.kind {
            "" => node.wrong("kty is required (RFC 7517 §4.1)"),
            _ => Some(jwk),
        }
    }

    /// Why this key verifies nothing that the issuer signs.
    fn unfit(&self, accepted: &[Algorithm]) -> Option<String> {
        if let Some(used) = self.used.filter(|used| *used != "sig") {
            return Some(format!("use is {}: a key that signs has sig, or no use", quoted(used)));
        }
        if !self.verifies() {
            return Some("key_ops is not [verify]: this key is for something else".to_owned());
        }
        if let Some(named) = self.algorithm
            && !accepted.iter().any(|accepted| accepted.name() == named)
        {
            return Some(format!(
                "alg is {}, which the issuer's algorithms do not list",
                quoted(named)
            ));
        }
        match accepted.iter().any(|algorithm| self.is_for(*algorithm)) {
            true => None,
            false => {
                Some("none of the issuer's algorithms takes a key of this kty and crv".to_owned())
            }
        }
    }

    /// Whether it may verify, and nothing else beside (RFC 7517 §4.3).
    fn verifies(&self) -> bool {
        match self.node.tree().get("key_ops") {
            None => true,
            Some(Tree::List(operations)) => match operations.as_slice() {
                [] => true,
                [one] => one.as_text() == Some("verify"),
                _ => false,
            },
            Some(_) => false,
        }
    }

    /// Whether type and curve are the algorithm's (RFC 7518 §6, RFC 8037 §2).
    fn is_for(&self, algorithm: Algorithm) -> bool {
        let kind = match algorithm.family() {
            Family::Secret(_) => ("oct", None),
            Family::Rsa => ("RSA", None),
            Family::P256 => ("EC", Some("P-256")),
            Family::P384 => ("EC", Some("P-384")),
            Family::Ed25519 => ("OKP", Some("Ed25519")),
        };
        kind == (self.kind, self.curve)
            && self.algorithm.is_none_or(|named| named == algorithm.name())
    }

    fn make(&self, accepted: &[Algorithm]) -> Option<Vec<Made>> {
        let fit: Vec<Algorithm> =
            accepted.iter().filter(|algorithm| self.is_for(**algorithm)).copied().collect();
        if self.kind == "oct" {
            return from_secret(&self.node, &self.oct()?, &fit, self.kid);
        }
        let damaged = "this key cannot be read: its members are not those of RFC 7518 §6";
        let member = |name: &str| self.node.tree().get(name).and_then(Tree::as_text);
        let key = match self.is_plain() {
            true => PublicKey::from_jwk(member),
            false => Err(BadKey::Unreadable),
        };
        try_all(&self.node, &fit, key, self.kid, damaged)
    }

    /// Whether its members are those of its type.
    fn is_plain(&self) -> bool {
        let own: &[&str] = match self.kind {
            "RSA" => &["n", "e"],
            "EC" => &["crv", "x", "y"],
            _ => &["crv", "x"],
        };
        let tree = self.node.tree();
        let foreign = |name: &&str| !own.contains(name) && tree.get(name).is_some();
        !MATERIAL.iter().any(foreign)
    }

    fn oct(&self) -> Option<Vec<u8>> {
        use ct_codecs::{Base64UrlSafeNoPadding, Decoder};
        match Base64UrlSafeNoPadding::decode_to_vec(self.secret.unwrap_or_default(), None) {
            Ok(secret) if !secret.is_empty() => Some(secret),
            _ => self.node.wrong("k is required, in base64url without padding (RFC 7518 §6.4.1)"),
        }
    }
}
