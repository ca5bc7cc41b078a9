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
    for (wrong, says) in [
        ("soon", "is no time: write it as 2026-01-01T00:00:00Z, or a span such as 10m"),
        ("", "is no time"),
        ("-", "is no time"),
        ("5", "this number has no unit"),
        ("1M", "M stands for months: write m for minutes"),
        ("2030-01-01", "is a day: write a time of it, such as 2030-01-01T00:00:00Z"),
        ("1700000000", "1700000000 seconds since 1970 are written 2023-11-14T22:13:20Z"),
        ("--5m", "is no time"),
    ] {
        let arguments = ["token", "--alg", "HS256", "--secret-env", "S", "--expires", wrong];
        vigile(&arguments, &[("S", LONG)]).ends_with(64).says("--expires: ").says(says);
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
    vigile(&["token", "--alg", "HS256", "--secret-env", "S", "--claim", "exp=1"], &[("S", LONG)])
        .ends_with(64)
        .says("say --expires, which writes it");
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

/// The command in the message makes a key that signs.
#[test]
fn keys_in_other_forms_say_how_they_are_converted() {
    let Ok(openssl) = vigile_tests::tools::program("openssl", "openssl") else { return };
    let (folder, key) = file("key.pem", RING.private("p256"));
    let run = |arguments: &[&str]| {
        let done = std::process::Command::new(&openssl).args(arguments).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (sec1, encrypted, private) = (at("sec1.pem"), at("encrypted.pem"), at("private.pem"));
    run(&["ec", "-in", &key, "-out", &sec1]);
    run(&["pkcs8", "-topk8", "-in", &key, "-passout", "pass:do-not-show", "-out", &encrypted]);
    for (form, says) in [(&sec1, "SEC 1"), (&encrypted, "this key is encrypted")] {
        vigile(&["token", "--alg", "ES256", "--key-file", form], &[])
            .ends_with(1)
            .says(says)
            .says("openssl pkcs8 -topk8 -nocrypt -in KEY.pem -out private.pem");
        run(&[
            "pkcs8",
            "-topk8",
            "-nocrypt",
            "-in",
            form,
            "-passin",
            "pass:do-not-show",
            "-out",
            &private,
        ]);
        vigile(&["token", "--alg", "ES256", "--key-file", &private], &[]).ends_with(0);
    }
}

#[test]
fn keys_that_do_not_fit_are_refused_without_a_word_of_them() {
    let with = |algorithm: &str, source: &str, key: &str| {
        vigile(&["token", "--alg", algorithm, source, "K"], &[("K", key)]).ends_with(1)
    };
    with("HS256", "--secret-env", "do-not-show").says("takes a secret of 32 bytes at least");
    with("HS256", "--secret-env", &format!("{LONG}\n")).says("ends with a newline");
    with("RS256", "--key-env", LONG)
        .says("this is no key in PEM")
        .says("openssl genpkey -algorithm RSA");
    with("ES256", "--key-env", RING.private("rsa"))
        .says("this key is for RS256, and not for ES256");
    with("ES384", "--key-env", RING.private("p256"))
        .says("this key is for ES256, and not for ES384");
    with("HS256", "--secret-env", RING.private("p256").trim()).says("this is a key in PEM");
    let public = RING.environment()["P256_PUBLIC_KEY"].clone();
    with("ES256", "--key-env", &public).says("a token is signed by the private key");
    with("ES256", "--key-env", "{\"kty\":\"EC\",\"d\":\"do-not-show\"}")
        .says("this is a JWK, and PEM is read");
    let pem = |kind: &str| format!("-----BEGIN {kind}-----\ndo-not-show\n-----END {kind}-----\n");
    with("EdDSA", "--key-env", &pem("OPENSSH PRIVATE KEY"))
        .says("OpenSSH's own form")
        .says("-algorithm Ed25519");
    with("RS256", "--key-env", &pem("PRIVATE KEY"))
        .says("this key is damaged, or of no kind that RS256 takes");
    for (algorithm, source, says) in [
        ("HS256", "--key-env", "say --secret-env or --secret-file"),
        ("RS256", "--secret-env", "say --key-env or --key-file"),
    ] {
        vigile(&["token", "--alg", algorithm, source, "K"], &[("K", LONG)])
            .ends_with(64)
            .says(says);
    }
    for (algorithm, says) in [
        ("ES512", "ES512 (P-521) is not verified here"),
        ("hs256", "did you mean \"HS256\"?"),
        ("none", "anybody can write such a token"),
    ] {
        vigile(&["token", "--alg", algorithm, "--secret-env", "K"], &[("K", LONG)])
            .ends_with(64)
            .says(says);
    }
    vigile(&["token", "--alg", "HS256", "--secret-env", "UNSET"], &[])
        .ends_with(1)
        .says("UNSET is not set");
    vigile(&["token", "--alg", "HS256", "--secret-env", "B", "--base64"], &[("B", "do-not-show!")])
        .ends_with(1)
        .says("is not base64");
}
