//! The six tests of 001_d9637b39f961e8b1.txt: its statuses and its bodies, to the letter.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use vigile_tests::envoy::Binary;
use vigile_tests::keys::SERVICE_API_KEY;
use vigile_tests::policies::project;

use super::call::{Call, DJANGO};
use super::provider::FINDING;
use super::stage::{HOST, Stage};

/// `/health` at a level.
pub(crate) fn health(key_required: bool, addresses: usize) -> Value {
    json!({
        "status": "ok",
        "ocr_ready": true,
        "vision_provider": "openai",
        "vision_configured": true,
        "security": {
            "service_api_key_required": key_required,
            "ip_whitelist_enabled": addresses > 0,
            "allowed_ips_count": addresses,
        },
    })
}

pub(crate) fn found() -> Value {
    json!({ "success": true, "data": { "type_plaie": FINDING } })
}

pub(crate) fn refused(error: &str, message: &str) -> Value {
    json!({ "detail": { "error": error, "message": message } })
}

/// Tests 1 to 6 through one Envoy.
pub(crate) fn all(binary: &Binary, python: &Path) {
    let stage = Stage::as_it_stands(binary, python);
    let to = stage.address();
    Call::get("/health").send(to).is(200, &health(true, 2));
    let message = "Service API Key required. Set 'Authorization: Bearer YOUR_SERVICE_KEY'";
    let answer = Call::analyze().send(to);
    answer.is(401, &refused("Authorization required", message));
    assert_eq!(answer.header("www-authenticate").as_deref(), Some("Bearer realm=\"ocr\""));
    let message = "The provided service API key is incorrect";
    let wrong = Call::analyze().key("nuno_service_WRONG").send(to);
    wrong.is(401, &refused("Invalid service API key", message));
    assert_eq!(stage.analyses(), 0, "{}", stage.app_saw());
    Call::analyze().from(DJANGO).key(SERVICE_API_KEY).send(to).is(200, &found());
    assert_eq!(as_django(&stage, SERVICE_API_KEY), format!("200 {}", found()));
    assert!(as_django(&stage, "nuno_service_WRONG").starts_with("401 "));
    assert_eq!(stage.analyses(), 2);
    let message = "Your IP (127.0.0.9) is not authorized to access this service";
    let foreign = Call::analyze().key(SERVICE_API_KEY).send(to);
    foreign.is(403, &refused("IP not allowed", message));
    assert_eq!((stage.analyses(), stage.provider.seen().len()), (2, 2));
}

/// Test 5: a client in Python, as Django calls.
fn as_django(stage: &Stage, key: &str) -> String {
    let output = Command::new(&stage.python)
        .arg(project().join("tests/ocr/django.py"))
        .args([format!("http://{}", stage.address()), DJANGO.to_string()])
        .env_clear()
        .env("NUNOOCR_SERVICE_API_KEY", key)
        .output()
        .expect("a Python");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Tests 1, 3, 4 and 6 over TLS, by curl as in the document: what Django should use.
pub(crate) fn over_tls(stage: &Stage, curl: &Path) {
    let port = stage.envoy.listener("ocr_tls").port();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("wound.jpg"), "wound").unwrap();
    let ask = |from: &str, path: &str, more: &[&str]| {
        let output = Command::new(curl)
            .args(["--silent", "--show-error", "--write-out", "\n%{http_version} %{http_code}"])
            .args(["--resolve", &format!("{HOST}:{port}:127.0.0.1"), "--interface", from])
            .arg("--cacert")
            .arg(stage.authority.file())
            .arg(format!("https://{HOST}:{port}{path}"))
            .args(more)
            .current_dir(folder.path())
            .output()
            .expect("curl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let analyze = |from: &str, key: &str, version: &str| {
        let key = format!("Authorization: Bearer {key}");
        ask(from, "/v1/analyze-wound", &[version, "-H", &key, "-F", "wound_image=@wound.jpg"])
    };
    assert_eq!(ask("127.0.0.9", "/health", &[]), format!("{}\n2 200", health(true, 2)));
    assert_eq!(analyze("127.0.0.2", SERVICE_API_KEY, "--http2"), format!("{}\n2 200", found()));
    // Over HTTP/2, curl 7.88 takes an answer that comes before its upload is done for a failure
    // (RFC 9113 §8.1 allows it).
    assert!(analyze("127.0.0.2", "nuno_service_WRONG", "--http1.1").ends_with("\n1.1 401"));
    assert!(analyze("127.0.0.9", SERVICE_API_KEY, "--http1.1").ends_with("\n1.1 403"));
}
