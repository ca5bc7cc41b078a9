//! What the assistant tells its clients in headers, and its operator in logs, metrics and alerts.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use vigile_tests::caller::{Answer, Call};
use vigile_tests::keys::RING;
use vigile_tests::policies::{project, rendered};
use vigile_tests::service::Service;

use super::stage::{ACCESS, ASSISTANT, PASSWORD, REFRESH, access, chat, client, login, say, token};

/// The list of `security_headers: api` stands on every answer, whoever made it, and nobody says what runs
/// behind.
pub(crate) fn headers(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let plain = access("alice");
    let answers = |service: &Service| -> Vec<Answer> {
        [
            Call::get("/health"),                     // the app
            chat("alice"),                            // the app, for a caller
            say(),                                    // Vigile: 401
            Call::get("/admin/users").bearer(&plain), // Vigile: 403
            Call::get("/nowhere"),                    // Vigile: 404
        ]
        .iter()
        .map(|call| service.send(call))
        .collect()
    };
    for answer in answers(&service) {
        answer.has(&[
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("x-robots-tag", "noindex,nofollow"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
            ("server", ""),
            ("x-powered-by", ""),
            ("x-envoy-upstream-service-time", ""),
        ]);
        let csp = answer.header("content-security-policy").unwrap_or_default();
        assert!(csp.is_empty() || csp.starts_with("default-src 'none'"), "{answer:?}");
    }
    service.send(&Call::get("/health")).has(&[("content-security-policy", "default-src 'none'")]);
    // So it would be without the policy's word: the app does say it.
    let talkative = ASSISTANT.start_changed(python, |sample| {
        sample.with("headers: { server: false, x-powered-by: false }", "shared_cache: false")
    });
    talkative
        .send(&Call::get("/health"))
        .has(&[("server", "uvicorn"), ("x-powered-by", "FastAPI")]);
}

/// A login, a chat, a refusal of each kind, with every secret there is on the way.
fn played(service: &Service) -> Vec<String> {
    let session = service.send(&login("superuser", PASSWORD).from(client(7)));
    let [first, second] = [ACCESS, REFRESH].map(|name| session.cookie(name).unwrap());
    let mail = access("alice@example.org");
    let forged = access("alice").replace('.', ".x");
    let guess = "a-wrong-password";
    for call in [
        say().bearer(&mail),
        say().cookie(ACCESS, &first).with("sec-fetch-site", "same-origin"),
        say().cookie(ACCESS, &first).origin("https://evil.example"),
        say().bearer(&forged),
        Call::post(&format!("/chat?token={first}"), &json!({ "message": "x" })),
        Call::get(&format!("/nowhere?token={first}&refresh={second}")),
        Call::new("POST", "/auth/refresh")
            .cookie(REFRESH, &second)
            .with("sec-fetch-site", "same-origin"),
        login("superuser", guess),
        // Refused by Envoy, before Vigile has seen it.
        Call::get(&format!("/early?token={first}")).with("x_key", &second),
    ] {
        service.send(&call.from(client(7)));
    }
    let secret = RING.environment()["JARVIS_SECRET_KEY"].clone();
    vec![first, second, mail, forged, guess.into(), PASSWORD.into(), secret]
}

/// No output of Envoy holds a token or a secret; mail names and addresses are masked.
pub(crate) fn masked(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let secrets = played(&service);
    service.access_log(1, |line| line["flags"] == "DPE");
    let audit = service.audit_log(8, |line| {
        line["event"].as_str().is_some_and(|event| event.starts_with("request."))
    });
    let (access, logged) = (service.envoy.printed(), service.envoy.logged());
    let outputs = [
        ("the access log", &access),
        ("the audit lines", &logged),
        ("the metrics", &service.envoy.get("/stats/prometheus")),
        ("the configuration", &service.envoy.get("/config_dump")),
    ];
    for (name, output) in outputs {
        assert!(!output.is_empty(), "{name}");
        for secret in &secrets {
            assert!(!output.contains(secret), "{name} holds {secret}");
        }
    }
    for text in [&access, &logged] {
        assert!(!text.contains("127.1.0.7") && !text.contains("alice@"), "{text}");
    }
    let of = |reason: &str| -> Vec<&Value> {
        audit.iter().filter(|line| line["reason"] == reason).collect()
    };
    assert!(audit.iter().all(|line| line["ip"] == "127.1.*.*"), "{audit:#?}");
    assert!(of("allowed.token").iter().any(|line| line["user"] == "***@example.org"), "{audit:#?}");
    let [foreign] = of("origin.foreign")[..] else { panic!("{audit:#?}") };
    assert_eq!(
        [&foreign["level"], &foreign["event"], &foreign["method"], &foreign["path"]],
        ["WARNING", "request.refused", "POST", "/chat"]
    );
}

/// Refusals and limits are counted, with labels.
pub(crate) fn metrics(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    for _ in 0..3 {
        service.send(&say());
        service.send(&Call::get("/admin/users").bearer(&token("access", "alice", &["user"])));
    }
    for _ in 0..8 {
        service.send(&Call::post("/auth/register", &json!({})).from(client(3)));
    }
    assert_eq!(service.counted("assistant", "token_missing"), 3);
    assert_eq!(service.counted("assistant", "token_roles"), 3);
    let page = service.envoy.get("/stats/prometheus");
    let limited = "envoy_http_local_rate_limit_rate_limited{envoy_local_http_ratelimit_prefix=\"assistant_register\"} 5";
    assert!(page.contains(limited), "{}", lines(&page, "rate_limit"));
    let own = service.send(&Call::get("/metrics"));
    assert!(
        own.body.contains("jarvis_requests_total{endpoint=\"/health\",method=\"GET\"}"),
        "{own:?}"
    );
}

fn lines(page: &str, word: &str) -> String {
    page.lines().filter(|line| line.contains(word)).collect::<Vec<_>>().join("\n")
}

/// The alerts of 004_9c0a55eb9d061ae7.txt: Prometheus takes them, they say what they should of made-up
/// counters, and each counter that they name is one that this Envoy has.
pub(crate) fn alerts(promtool: &Path, python: &Path) {
    let ask = |arguments: &[&str]| {
        let output =
            Command::new(promtool).args(arguments).current_dir(project()).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "promtool {arguments:?}: {said}");
    };
    let config = rendered(&project().join("envoy/assistant/prometheus.yaml"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prometheus.yaml");
    let alerts = project().join("envoy/assistant/alerts.yaml");
    std::fs::write(&file, config.replace("./alerts.yaml", alerts.to_str().unwrap())).unwrap();
    ask(&["check", "config", file.to_str().unwrap()]);
    ask(&["test", "rules", "tests/assistant/alerts.test.yaml"]);
    let service = ASSISTANT.start_newest(python);
    for _ in 0..5 {
        service.send(&Call::post("/auth/register", &json!({})).from(client(3)));
    }
    assert_eq!(service.send(&Call::get("/health")).status, 200);
    let page = service.envoy.get("/stats/prometheus");
    let rules = std::fs::read_to_string(project().join("envoy/assistant/alerts.yaml")).unwrap();
    for (name, label) in [
        (
            "envoy_http_local_rate_limit_rate_limited",
            "envoy_local_http_ratelimit_prefix=\"assistant_login\"",
        ),
        ("vigile_requests", "module=\"assistant\",reason=\"token_signature\""),
        (
            "envoy_cluster_upstream_rq_xx",
            "envoy_response_code_class=\"2\",envoy_cluster_name=\"assistant\"",
        ),
        ("envoy_wasm_vigile_vm_reload_success", ""),
        ("envoy_wasm_vigile_vm_reload_backoff", ""),
        ("envoy_wasm_vigile_vm_reload_failure", ""),
    ] {
        assert!(rules.contains(&format!("increase({name}")), "{name}");
        assert!(page.contains(&format!("{name}{{{label}}} ")), "{}", lines(&page, name));
    }
    assert_eq!(rules.matches("increase(").count(), 6);
    // Every reason that an alert is about is one that Vigile counts.
    let reasons = rules.split("reason=~\"").nth(1).unwrap().split('"').next().unwrap();
    let (group, rest) = reasons.strip_prefix("token_(").unwrap().split_once(")|").unwrap();
    let tokens = group.split('|').map(|word| format!("token_{word}"));
    for reason in tokens.chain(rest.split('|').map(str::to_owned)) {
        assert_eq!(service.counted("assistant", &reason), 0);
    }
}
