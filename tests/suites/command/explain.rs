//! `vigile explain`: what it says of a request, and what it never says.

use vigile_tests::case::Recipe;
use vigile_tests::keys::RING;

use super::{LONG, Ran, file, vigile};

const FRAME: &str = "tests/corpus/policies/stable-diffusion.yaml";
const OCR: &str = "tests/corpus/policies/ocr.yaml";

/// A token that is good until 2030.
fn token(secret: &str) -> String {
    let arguments = [
        "token",
        "--alg",
        "HS256",
        "--secret-env",
        "S",
        "--module",
        "stablediffusion",
        "--subject",
        "user-1",
        "--expires",
        "2030-01-01T00:00:00Z",
    ];
    vigile(&arguments, &[("S", secret)]).fine().trim().to_owned()
}

fn explain(file: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let ran = vigile(&[&["explain", file], arguments].concat(), variables);
    assert!(!ran.stdout.contains("eyJ"), "a token is shown: {ran:?}");
    ran
}

#[test]
fn an_exchange() {
    let address = format!("/?token={}&seed=1", token(LONG));
    let at = ["--get", &address, "--dest", "iframe", "--at", "2029-12-31T23:50:00Z"];
    let ran = explain(FRAME, &at, &[("IAHOME_JWT_SECRET", LONG)]).ends_with(0);
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn an_asset_with_the_cookie() {
    let cookie = format!("Cookie: theme=dark; __Host-vigile-p={}", token(LONG));
    let at = [
        "--get",
        "https://stablediffusion.regispailler.fr/assets/a.js",
        "--header",
        &cookie,
        "--dest",
        "script",
        "--at",
        "2029-12-31T23:50:00Z",
    ];
    let ran = explain(FRAME, &at, &[("IAHOME_JWT_SECRET", LONG)]).ends_with(0);
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn a_service_key_and_the_providers() {
    let variables = [
        ("SERVICE_API_KEY", LONG),
        ("ALLOWED_IPS", "192.0.2.0/24"),
        ("OPENAI_API_KEY", "sk-do-not-show-0123456789"),
    ];
    let header = format!("Authorization: Bearer {LONG}");
    let at = [
        "--get",
        "/v1/scan",
        "--method",
        "POST",
        "--header",
        &header,
        "--from",
        "192.0.2.9",
        "--at",
        "2027-01-01T00:00:00Z",
    ];
    let ran = explain(OCR, &at, &variables).ends_with(0);
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn a_refusal_as_json() {
    let at = ["--get", "/v1/scan", "--from", "203.0.113.9", "--at", "2027-01-01T00:00:00Z"];
    let ran = explain(OCR, &at, &[]).ends_with(3);
    insta::assert_snapshot!(ran.stdout);
}

/// A token is shown nowhere, in a header that lacks its colon as little as elsewhere.
#[test]
fn a_wrong_header_is_not_repeated() {
    let header = format!("authorization Bearer {}", token(LONG));
    let ran = explain(FRAME, &["--get", "/", "--header", &header], &[]).ends_with(64);
    assert!(ran.stderr.contains("--header: expected NAME: VALUE"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("eyJ") && !ran.stdout.contains("eyJ"), "{}", ran.stderr);
}

#[test]
fn the_answers_status_is_the_commands() {
    let secret = [("IAHOME_JWT_SECRET", LONG)];
    let stale = format!("/?token={}", token(LONG));
    explain(FRAME, &["--get", "/health"], &[]).ends_with(0).says("allowed.public");
    explain(FRAME, &["--get", &stale, "--dest", "iframe", "--at", "2031-01-01T00:00:00Z"], &secret)
        .ends_with(3)
        .says("token.expired");
    explain(
        FRAME,
        &["--get", &stale, "--dest", "iframe", "--at", "2030-01-01T00:59:59+01:00"],
        &secret,
    )
    .ends_with(0)
    .says("exchange.done");
    explain(FRAME, &["--get", "/", "--dest", "document"], &secret)
        .ends_with(3)
        .says("the block page");
    explain(FRAME, &["--get", "/", "--dest", "document", "--body"], &secret)
        .ends_with(3)
        .says("<!doctype html>");
    explain(FRAME, &["--get", "https://other.example/"], &secret)
        .ends_with(3)
        .says("module.unknown");
    explain("tests/corpus/policies/observe.yaml", &["--get", "/v1/a", "--method", "POST"], &[])
        .ends_with(0)
        .says("would be")
        .says("api_key.missing");
}

#[test]
fn an_address_out_of_x_forwarded_for_has_port_0() {
    let variables = [
        ("SERVICE_API_KEY", LONG),
        ("ALLOWED_IPS", "192.0.2.0/24,2001:db8::/32"),
        ("OPENAI_API_KEY", LONG),
    ];
    let header = format!("authorization: bearer {LONG}");
    let from = |from: &str| {
        explain(OCR, &["--get", "/v1/a", "--header", &header, "--from", from], &variables)
    };
    from("192.0.2.9:0").ends_with(3).says("address.unvouched");
    from("[2001:db8::1]:443").ends_with(0).says("allowed.api_key");
    from("2001:db8::1").ends_with(0);
    from("198.51.100.1").ends_with(3).says("Your IP (198.51.100.1)");
}

#[test]
fn what_is_not_set_is_said_and_the_rest_goes_on() {
    let good = format!("/?token={}", token(LONG));
    explain(FRAME, &["--get", &good, "--dest", "iframe", "--at", "2029-01-01T00:00:00Z"], &[])
        .ends_with(3)
        .says("not set   IAHOME_JWT_SECRET: no token that it signs is genuine here")
        .says("token.signature")
        .says("IAHOME_JWT_SECRET is not set, see above");
    explain(FRAME, &["--get", "/health"], &[]).ends_with(0);
    // A public key has no stand-in.
    explain("tests/corpus/policies/tabs.yaml", &["--get", "/open"], &[])
        .ends_with(1)
        .says("tests/corpus/policies/tabs.yaml:9:9: error: issuers[0].keys[1].public_key: the variable RSA_PUBLIC_KEY is not set");
}

#[test]
fn one_policy_of_several_is_chosen() {
    let text = "a: { vigile: 1, modules: [{ name: one, routes: [{ path: /a, public: true }] }] }
b: { vigile: 1, modules: [{ name: two, routes: [{ path: /b, public: true }] }, { name: three, hosts: [c.example], routes: [{ path: /, public: true }] }] }
";
    let text = text.replace("{ name: two, routes", "{ name: two, hosts: [b.example], routes");
    let (_folder, path) = file("several.yaml", &text);
    explain(&path, &["--get", "/a"], &[])
        .ends_with(64)
        .says("  1  line 1: one")
        .says("  2  line 2: two, three");
    explain(&path, &["--get", "/a", "--policy", "1"], &[]).ends_with(0);
    explain(&path, &["--get", "/b", "--policy", "2"], &[]).ends_with(0).says("https://b.example/b");
    explain(&path, &["--get", "https://c.example", "--module", "three"], &[]).ends_with(0);
    explain(&path, &["--get", "/a", "--policy", "3"], &[]).ends_with(64);
    explain(&path, &["--get", "/a", "--policy", "0"], &[]).ends_with(64);
    explain(&path, &["--get", "/a", "--module", "four"], &[]).ends_with(64);
    explain(&path, &["--get", "/a", "--module", "one", "--policy", "1"], &[]).ends_with(64);
}

#[test]
fn mistakes_have_their_places() {
    let (_folder, path) = file("wrong.yaml", "vigile: 1\nmodules: []\n");
    explain(&path, &["--get", "/"], &[])
        .ends_with(1)
        .says(&format!("{path}:2:1: error: modules: an empty list"));
    explain("no-such-file", &["--get", "/"], &[]).ends_with(1).says("no-such-file: ");
}

#[test]
fn whole_configs_are_explained() {
    let recipe = Recipe { module: Some("stablediffusion".into()), ..Recipe::default() };
    let token = RING.mint(&recipe);
    let secret = [("IAHOME_JWT_SECRET", RING.private("iahome"))];
    for policy in [
        "tests/check/good/frame.yaml",
        "tests/check/good/service.yaml",
        "tests/check/good/string.json",
        "tests/check/good/bytes.json",
    ] {
        explain(policy, &["--get", "/health"], &secret).ends_with(0).says("allowed.public");
    }
    let at = ["--get", &format!("/?token={token}"), "--dest", "iframe"];
    explain("tests/check/good/frame.yaml", &at, &secret).ends_with(0).says("exchange.done");
}

#[test]
fn nothing_that_was_sent_is_shown_in_full() {
    let variables = [
        ("IAHOME_JWT_SECRET", LONG),
        ("SERVICE_API_KEY", LONG),
        ("OPENAI_API_KEY", LONG),
        ("ALLOWED_IPS", "192.0.2.1"),
    ];
    let headers = [
        "authorization: Bearer do-not-show-0123",
        "x-api-key: do-not-show-0123",
        "cookie: a=do-not-show-0123; __Host-vigile=do-not-show-0123",
        "proxy-authorization: Basic do-not-show-0123",
    ];
    for policy in [FRAME, OCR, "tests/corpus/policies/observe.yaml", "tests/check/good/policy.yaml"]
    {
        for path in [
            "/",
            "/v1/a",
            "/health",
            "/?token=do-not-show-0123",
            "/v1/a?b=c&token=do-not-show-0123",
            "/admin",
        ] {
            for header in headers {
                let ran = explain(
                    policy,
                    &["--get", path, "--header", header, "--from", "192.0.2.1", "--body"],
                    &variables,
                );
                assert!([0, 3].contains(&ran.exit), "{ran:?}");
            }
        }
    }
}
