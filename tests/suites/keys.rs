//! Public keys with one thing changed: what jwt-simple refuses, the policy's reader refuses too. It is older, and
//! read Vigile's keys before (docs/decisions/0022).

use std::collections::BTreeMap;

use jwt_simple::prelude::{
    ES256KeyPair, ES256PublicKey, ES384KeyPair, ES384PublicKey, Ed25519KeyPair, Ed25519PublicKey,
    RS256KeyPair, RS256PublicKey,
};
use serde_json::json;
use vigile_policy::{Draft, Host};

/// A key in both forms, and what jwt-simple says of either.
struct Sample {
    algorithm: &'static str,
    pem: String,
    jwk: String,
    takes_pem: fn(&str) -> bool,
    takes_jwk: fn(&str) -> bool,
}

fn samples() -> Vec<Sample> {
    macro_rules! sample {
        ($algorithm:literal, $pair:expr, $public:ident, |$key:ident| $pem:expr) => {{
            let $key = $pair.public_key();
            Sample {
                algorithm: $algorithm,
                pem: $pem,
                jwk: $key.to_jwk(),
                takes_pem: |pem| $public::from_pem(pem).is_ok(),
                takes_jwk: |jwk| $public::from_jwk(jwk).is_ok(),
            }
        }};
    }
    let rsa = RS256KeyPair::generate(2048).unwrap();
    vec![
        sample!("RS256", rsa, RS256PublicKey, |key| key.to_pem().unwrap()),
        sample!("ES256", ES256KeyPair::generate(), ES256PublicKey, |key| key.to_pem().unwrap()),
        sample!("ES384", ES384KeyPair::generate(), ES384PublicKey, |key| key.to_pem().unwrap()),
        sample!("EdDSA", Ed25519KeyPair::generate(), Ed25519PublicKey, |key| key.to_pem()),
    ]
}

/// Whether a policy may have this key: `member` is JSON, as it would stand in the list.
fn takes(algorithm: &str, member: &str) -> bool {
    let policy = format!(
        r#"{{"vigile": 1,
            "issuers": [{{"name": "i", "algorithms": ["{algorithm}"], "keys": [{{{member}}}]}}],
            "modules": [{{"name": "m", "routes": [{{"path": "/**", "token": {{"issuer": "i"}}}}]}}]}}"#
    );
    let draft = Draft::read(policy.as_bytes());
    draft.is_ok_and(|draft| draft.resolve(&BTreeMap::new(), Host::ENVOY).is_ok())
}

/// The text with one character left out, or another in its place or before it.
fn changes(text: &str) -> impl Iterator<Item = String> {
    const OTHERS: [&str; 8] = ["", "A", "B", "g", "_", "=", "\\n", " "];
    (0..text.len()).flat_map(move |at| {
        let (before, behind) = text.split_at(at);
        let changed = OTHERS.map(|other| format!("{before}{other}{}", &behind[1..]));
        changed.into_iter().chain([format!("{before}A{behind}")])
    })
}

/// Holds that nothing is taken which `older` refuses.
fn none_is_new(
    algorithm: &str,
    changed: &[String],
    takes: impl Fn(&str) -> bool,
    older: impl Fn(&str) -> bool,
) {
    let new = changed.iter().filter(|key| takes(key) && !older(key));
    let new: Vec<&String> = new.collect();
    assert!(new.is_empty(), "{algorithm}: {} of {}, {:?}", new.len(), changed.len(), new[0]);
}

#[test]
fn a_changed_pem() {
    for Sample { algorithm, pem, takes_pem, .. } in samples() {
        let member = |pem: &str| format!(r#""public_key": {}"#, json!(pem));
        assert!(takes(algorithm, &member(&pem)), "{pem}");
        let changed: Vec<String> = changes(&pem).map(|pem| pem.replace("\\n", "\n")).collect();
        none_is_new(
            algorithm,
            &changed,
            |pem| takes(algorithm, &member(pem)),
            |pem| takes_pem(pem.trim()),
        );
    }
}

#[test]
fn a_changed_jwk() {
    for Sample { algorithm, jwk, takes_jwk, .. } in samples() {
        let member = |jwk: &str| format!(r#""jwk": {jwk}"#);
        assert!(takes(algorithm, &member(&jwk)), "{jwk}");
        let added = [
            r#""k": "AQAB""#,
            r#""oth": []"#,
            r#""p": "AQAB""#,
            r#""pub": "AQAB""#,
            r#""y": "AQAB""#,
            r#""n": "AQAB""#,
            r#""crv": "P-256""#,
            r#""use": "enc""#,
            r#""key_ops": ["sign"]"#,
            r#""key_ops": ["verify", "verify"]"#,
            r#""key_ops": "verify""#,
            r#""key_ops": [1]"#,
            r#""alg": "HS256""#,
            r#""kid": 1"#,
            r#""kty": "oct""#,
            r#""x5c": []"#,
        ];
        let added = added.map(|added| format!("{{{added}, {}", &jwk[1..]));
        let changed: Vec<String> = changes(&jwk).chain(added).collect();
        none_is_new(algorithm, &changed, |jwk| takes(algorithm, &member(jwk)), takes_jwk);
    }
}
