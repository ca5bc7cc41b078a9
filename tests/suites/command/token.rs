//! `vigile token`: what it mints is what the core believes.

use ct_codecs::{Base64UrlSafeNoPadding, Decoder};
use serde_json::{Value, json};
use vigile_tests::keys::{RING, now};

use super::{LONG, file, vigile};

fn part(token: &str, index: usize) -> Value {
    let part = token.trim().split('.').nth(index).unwrap();
    serde_json::from_slice(&Base64UrlSafeNoPadding::decode_to_vec(part, None).unwrap()).unwrap()
}

fn mint(arguments: &[&str]) -> String {
    let fixed = ["token", "--alg", "HS256", "--secret-env", "S"];
    vigile(&[&fixed, arguments].concat(), &[("S", LONG)]).fine()
}

fn claims(arguments: &[&str]) -> Value {
    part(&mint(arguments), 1)
}

/// Every algorithm, with the policy of the corpus as its judge.
#[test]
fn every_algorithm_is_believed() {
    let environment = RING.environment();
    let mut variables: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for (algorithm, key) in [
        ("HS256", "iahome"),
        ("HS384", "iahome"),
        ("HS512", "iahome"),
        ("RS256", "rsa"),
        ("RS384", "rsa"),
        ("RS512", "rsa"),
        ("PS256", "rsa"),
        ("PS384", "rsa"),
        ("PS512", "rsa"),
        ("ES256", "p256"),
        ("ES384", "p384"),
        ("EdDSA", "ed25519"),
    ] {
        let source = if algorithm.starts_with("HS") { "--secret-env" } else { "--key-env" };
        variables.push(("MINTING_KEY", RING.private(key)));
        let arguments = ["token", "--alg", algorithm, source, "MINTING_KEY", "--subject", "user-1"];
        let token = vigile(&arguments, &variables).fine();
        let address = format!("https://{}.example.org/", algorithm.to_lowercase());
        let header = format!("authorization: Bearer {}", token.trim());
        let explained = [
            "explain",
            "tests/corpus/policies/algorithms.yaml",
            "--get",
            &address,
            "--header",
            &header,
        ];
        vigile(&explained, &variables).ends_with(0).says("allowed.token").says("user-1");
        assert_eq!(part(&token, 0)["alg"], algorithm);
    }
}

#[test]
fn claims_are_what_was_said() {
    let before = now();
    let all = claims(&[
        "--subject",
        "user-1",
        "--module",
        "notes",
        "--role",
        "admin",
        "--role",
        "viewer",
        "--issuer",
        "https://iahome.fr",
        "--audience",
        "modules",
        "--claim",
        "plan=pro",
        "--claim",
        "level=3",
        "--claim",
        "tags=[\"a\"]",
        "--claim",
        "text=a=b",
        "--claim",
        "empty=",
        "--not-before",
        "-1m",
        "--expires",
        "2h",
    ]);
    let iat = all["iat"].as_i64().unwrap();
    assert!((before..=now()).contains(&iat));
    assert_eq!(
        all,
        json!({
            "sub": "user-1", "moduleName": "notes", "roles": ["admin", "viewer"], "iss": "https://iahome.fr",
            "aud": "modules", "plan": "pro", "level": 3, "tags": ["a"], "text": "a=b", "empty": "",
            "iat": iat, "nbf": iat - 60, "exp": iat + 7200,
        })
    );
    let few = claims(&[]);
    assert_eq!(few, json!({ "iat": few["iat"], "exp": few["iat"].as_i64().unwrap() + 600 }));
    let other = claims(&[
        "--audience",
        "a",
        "--audience",
        "b",
        "--module",
        "m",
        "--module-claim",
        "app",
        "--role",
        "r",
        "--roles-claim",
        "scope",
    ]);
    assert_eq!(
        (&other["aud"], &other["app"], &other["scope"]),
        (&json!(["a", "b"]), &json!("m"), &json!(["r"]))
    );
    assert_eq!(
        part(&mint(&["--kid", "2026"]), 0),
        json!({ "alg": "HS256", "typ": "JWT", "kid": "2026" })
    );
}

#[test]
fn times_are_spans_or_times() {
    let exp = |when: &str| claims(&["--expires", when])["exp"].clone();
    assert_eq!(exp("never"), Value::Null);
    assert_eq!(exp("2030-01-01T01:00:00+01:00"), json!(1_893_456_000));
    let stale = claims(&["--expires", "-5m"]);
    assert_eq!(stale["exp"].as_i64().unwrap(), stale["iat"].as_i64().unwrap() - 300);
    for wrong in ["soon", "", "-", "5", "2030-01-01", "--5m"] {
        let arguments = ["token", "--alg", "HS256", "--secret-env", "S", "--expires", wrong];
        vigile(&arguments, &[("S", LONG)]).ends_with(64);
    }
}

#[test]
fn a_claim_is_said_once() {
    for twice in [
        ["--subject", "a", "--claim", "sub=b"],
        ["--claim", "a=1", "--claim", "a=2"],
        ["--claim", "iat=1", "--claim", "b=1"],
    ] {
        let arguments = [&["token", "--alg", "HS256", "--secret-env", "S"], &twice[..]].concat();
        vigile(&arguments, &[("S", LONG)]).ends_with(64).says("is given twice");
    }
}

#[test]
fn keys_come_from_files_too() {
    let (_one, secret) = file("secret", &format!("{LONG}\n"));
    let token = vigile(
        &[
            "token",
            "--alg",
            "HS256",
            "--secret-file",
            &secret,
            "--subject",
            "u",
            "--module",
            "notes",
        ],
        &[],
    )
    .fine();
    // The newline that an editor adds is not part of the secret.
    let header = format!("authorization: Bearer {}", token.trim());
    let variables =
        [("IAHOME_JWT_SECRET", LONG), ("SERVICE_API_KEY", LONG), ("OPENAI_API_KEY", LONG)];
    vigile(
        &["explain", "tests/check/good/policy.yaml", "--get", "/", "--header", &header],
        &variables,
    )
    .ends_with(0);
    let (_other, key) = file("key.pem", RING.private("p256"));
    vigile(&["token", "--alg", "ES256", "--key-file", &key], &[]).ends_with(0);
    vigile(&["token", "--alg", "ES256", "--key-file", "no-such-file"], &[])
        .ends_with(1)
        .says("no-such-file");
    let base64 = RING.environment()["IAHOME_JWT_SECRET_BASE64"].clone();
    let arguments = ["token", "--alg", "HS384", "--secret-env", "B", "--base64"];
    let token = vigile(&arguments, &[("B", &base64)]).fine();
    let environment = RING.environment();
    let variables: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let header = format!("authorization: Bearer {}", token.trim());
    vigile(
        &[
            "explain",
            "tests/corpus/policies/algorithms.yaml",
            "--get",
            "https://hs384.example.org/",
            "--header",
            &header,
        ],
        &variables,
    )
    .ends_with(0);
}

#[test]
fn keys_that_do_not_fit_are_refused_without_a_word_of_them() {
    let with = |algorithm: &str, source: &str, key: &str| {
        vigile(&["token", "--alg", algorithm, source, "K"], &[("K", key)]).ends_with(1)
    };
    with("HS256", "--secret-env", "do-not-show").says("takes a secret of 32 bytes at least");
    with("HS256", "--secret-env", &format!("{LONG}\n")).says("ends with a newline");
    with("RS256", "--key-env", LONG).says("no private key for RS256");
    with("ES256", "--key-env", RING.private("rsa")).says("no private key for ES256");
    with("ES384", "--key-env", RING.private("p256")).says("no private key for ES384");
    vigile(&["token", "--alg", "HS256", "--secret-env", "UNSET"], &[])
        .ends_with(1)
        .says("UNSET is not set");
    vigile(&["token", "--alg", "HS256", "--secret-env", "B", "--base64"], &[("B", "do-not-show!")])
        .ends_with(1)
        .says("is not base64");
}
