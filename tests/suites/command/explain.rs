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
    insta::assert_snapshot!(steady(&ran.stdout));
}

/// The output without the moment at which the token was made.
fn steady(stdout: &str) -> String {
    let line = |line: &str| match line.split_once("iat ") {
        Some((before, _)) => format!("{before}iat (when it was made)\n"),
        None => format!("{line}\n"),
    };
    stdout.lines().map(line).collect()
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
    insta::assert_snapshot!(steady(&ran.stdout));
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

/// An identity provider's policy, of which a realm is written with a slash too many and no audience is mapped.
const PROVIDER: &str = "vigile: 1
issuers:
  - name: keycloak
    algorithms: [HS256]
    keys: [{ secret: { env: S } }]
    issuer: https://sso.example.org/realms/x
    audiences: [api]
modules:
  - name: api
    hosts: [api.example.org]
    module_claim: none
    routes:
      - path: /admin/**
        token: { issuer: keycloak, roles: [admin] }
      - path: /health
        public: true
      - path: /**
        token: { issuer: keycloak, claims: { plan: pro } }
        addresses: [127.0.0.1]
        forward: { x-user: { claim: sub } }
";

/// Runs `explain` with a token that has these claims.
fn of_provider(path: &str, claims: &[&str]) -> Ran {
    let arguments =
        ["token", "--alg", "HS256", "--secret-env", "S", "--expires", "2030-01-01T00:00:00Z"];
    let token = vigile(&[&arguments, claims].concat(), &[("S", LONG)]).fine();
    let (_folder, file) = file("provider.yaml", PROVIDER);
    let header = format!("authorization: Bearer {}", token.trim());
    let at = ["--get", path, "--header", &header, "--at", "2029-12-31T23:50:00Z"];
    let ran = explain(&file, &at, &[("S", LONG)]);
    let signature = token.trim().rsplit('.').next().unwrap();
    assert!(!ran.stdout.contains(signature), "the signature is shown: {ran:?}");
    ran
}

#[test]
fn a_token_is_shown_beside_what_was_wanted() {
    let slash = [
        "--issuer",
        "https://sso.example.org/realms/x/",
        "--audience",
        "account",
        "--subject",
        "user-1",
    ];
    let ran = of_provider("/x", &slash).ends_with(3);
    let checks = steady(&ran.stdout);
    let (_, checks) = checks.split_once("checks").unwrap();
    insta::assert_snapshot!(checks.split("answer").next().unwrap());
    let right = ["--issuer", "https://sso.example.org/realms/x"];
    of_provider("/x", &[&right[..], &["--audience", "account"]].concat())
        .ends_with(3)
        .says("token.audience, from the header: aud must hold \"api\"; the token's is another (account, which Keycloak writes");
    let meant = [&right[..], &["--audience", "api"]].concat();
    of_provider("/x", &[&meant[..], &["--claim", "plan=free"]].concat())
        .ends_with(3)
        .says("token.claims: the claim plan must be \"pro\"; the token says \"free\"");
    of_provider("/admin/x", &[&meant[..], &["--role", "user"]].concat())
        .ends_with(3)
        .says("token.roles: the claim roles must hold \"admin\"; the token says [\"user\"]");
    of_provider("/x", &[&meant[..], &["--claim", "plan=pro", "--subject", "Zoë"]].concat())
        .ends_with(3)
        .says("detail            x-user is to be the claim sub, which holds letters outside ASCII: \"Zoë\"");
}

#[test]
fn a_path_that_clashes_names_the_reading_and_both_routes() {
    for (path, says) in [
        (
            "//admin/x",
            "as it stands it meets the route /**; read as \"/admin/x\" it meets the route /admin/**",
        ),
        (
            "/x/%2e%2e/health",
            "it meets the route /**; read as \"/health\" it meets the route /health",
        ),
        ("/ADMIN", "read as \"/ADMIN\" in another letter case it meets the route /admin/**"),
        ("/health;x", "read as \"/health\" it meets the route /health"),
    ] {
        of_provider(path, &[]).ends_with(3).says("path.ambiguous: ").says(says);
    }
    of_provider("/q\\;b//../c%253f%3f%2561d", &[])
        .ends_with(3)
        .says("path.ambiguous: it can be read in more ways than are looked at");
}

#[test]
fn what_leads_nowhere_says_where_something_is() {
    let (_folder, path) = file("provider.yaml", &PROVIDER.replace("path: /**", "path: /v1/**"));
    explain(&path, &["--get", "/v2/x"], &[])
        .ends_with(3)
        .says("route.unknown: api has the routes /admin/**, /health, /v1/**");
    explain(&path, &["--get", "https://other.example/x"], &[]).ends_with(3).says(
        "module.unknown: no module has the host other.example and a path_prefix of this path",
    );
}

/// A requirement that the route does not have is not said to hold.
#[test]
fn only_what_a_route_asks_for_is_listed() {
    let secret = [("IAHOME_JWT_SECRET", LONG)];
    let header = format!("authorization: Bearer {}", token(LONG));
    let at = ["--get", "/x", "--header", &header, "--at", "2029-12-31T23:50:00Z"];
    let ran = explain(FRAME, &at, &secret).ends_with(0);
    for requirement in ["addresses", "claims  ", "roles", "origins", "require_headers"] {
        assert!(!ran.stdout.contains(&format!("\n  {requirement}")), "{}", ran.stdout);
    }
    let claims = [
        "--issuer",
        "https://sso.example.org/realms/x",
        "--audience",
        "api",
        "--claim",
        "plan=pro",
    ];
    let ran = of_provider("/x", &claims).ends_with(0);
    for requirement in ["addresses", "claims"] {
        assert!(ran.stdout.contains(&format!("\n  {requirement:<17} holds\n")), "{}", ran.stdout);
    }
}

#[test]
fn what_stands_in_place_of_a_token_is_said() {
    for (header, says) in [
        ("Authorization: Basic dXNlcjpodXNo", "Authorization has another scheme than Bearer"),
        ("Authorization: Bearer opaque", "is no token: it has not three parts between dots"),
        ("Authorization: Bearer", "nothing stands behind Bearer"),
        (
            "Cookie: other=1",
            "a token is read from Authorization: Bearer or the cookie __Host-vigile",
        ),
    ] {
        let ran = explain(FRAME, &["--get", "/x", "--header", header], &[]).ends_with(3);
        ran.says("token.missing: ").says(says);
    }
}

/// As the command line of curl and as Envoy have it.
#[test]
fn a_host_header_is_the_requests_host() {
    let at = [
        "--get",
        "http://127.0.0.1:8080/health",
        "--header",
        "Host: stablediffusion.regispailler.fr",
    ];
    explain(FRAME, &at, &[]).ends_with(0).says("http://stablediffusion.regispailler.fr/health");
    let twice = [&at[..], &["--header", "host: other"]].concat();
    explain(FRAME, &twice, &[]).ends_with(64).says("Host is given twice");
    explain(FRAME, &["--get", "https://café.example.org/"], &[])
        .ends_with(3)
        .says("https://xn--caf-dma.example.org/");
    explain(FRAME, &["--get", "/health", "--header", ":path: /x"], &[])
        .ends_with(64)
        .says("come from --method and --get");
    explain(
        FRAME,
        &["--get", "/health", "--header", "x-forwarded-proto: http", "--dest", "document"],
        &[],
    )
    .ends_with(0);
}

#[test]
fn times_and_destinations_that_are_none_say_what_is_one() {
    let said = |option: &str, value: &str| {
        explain(FRAME, &["--get", "/health", option, value], &[]).ends_with(64)
    };
    said("--at", "1700000000")
        .says("1700000000 seconds since 1970 are written 2023-11-14T22:13:20Z");
    said("--at", "2030-01-01").says("is a day: write a time of it, such as 2030-01-01T00:00:00Z");
    said("--at", "yesterday").says("write it as 2026-01-01T00:00:00Z");
    said("--dest", "ifram").says("a similar value exists: 'iframe'");
    said("--from", "10.0.0.0/8").says("expected an address, as 192.0.2.9");
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
