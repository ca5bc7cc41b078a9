//! What the sample tells its operator: the access log, the audit lines, the metrics.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use vigile_tests::envoy;
use vigile_tests::keys::SERVICE_API_KEY;

use super::call::{Call, DJANGO};
use super::stage::{PROVIDER_KEY, Stage};

const WRONG: &str = "nuno_service_WRONG";

/// A call of every kind.
fn played(python: &Path) -> Stage {
    let stage = Stage::as_it_stands(&envoy::newest(), python);
    let wrong = format!("Bearer {WRONG}");
    let calls = [
        Call::analyze(),
        Call::analyze().with("authorization", &wrong),
        Call::analyze().key(SERVICE_API_KEY),
        Call::analyze().key(SERVICE_API_KEY).from(DJANGO),
        Call::get(&format!("/nowhere?key={SERVICE_API_KEY}&token={WRONG}")),
        Call::get("/health").with("authorization", &wrong),
        // Refused by Envoy, before Vigile has seen it.
        Call::get(&format!("/early?key={SERVICE_API_KEY}")).with("x_key", WRONG),
    ];
    for call in calls {
        call.send(stage.address());
    }
    stage
}

/// One JSON object a request, with Vigile's filter state in it.
pub(crate) fn access_log(python: &Path) {
    let stage = played(python);
    let lines = stage.access_log("path", "/v1/analyze-wound", 4);
    let state =
        |line: &Value| json!([line["module"], line["verdict"], line["reason"], line["subject"]]);
    assert_eq!(
        lines.iter().map(state).collect::<Vec<_>>(),
        [
            json!(["ocr", "refused", "api_key.missing", null]),
            json!(["ocr", "refused", "api_key.invalid", null]),
            json!(["ocr", "refused", "address.not_allowed", "django"]),
            json!(["ocr", "allowed", "allowed.api_key", "django"]),
        ]
    );
    let provider = &stage.access_log("path", "/v1/chat/completions", 1)[0];
    assert_eq!(state(provider), json!(["provider", "allowed", "allowed.address", null]));
    assert_eq!(state(&stage.access_log("path", "/health", 1)[0])[2], "allowed.public");
    assert_eq!(state(&stage.access_log("path", "/nowhere", 1)[0])[2], "route.unknown");
    assert_eq!(stage.access_log("flags", "DPE", 1)[0]["status"], 400);
    let members = lines[3].as_object().unwrap().keys().map(String::as_str);
    let mut members: Vec<&str> = members.collect();
    members.sort_unstable();
    assert_eq!(
        members.join(" "),
        "client duration_ms flags method module path reason request_id status subject time verdict"
    );
}

/// No output of Envoy holds a key, a right one or a wrong one.
pub(crate) fn no_key_anywhere(python: &Path) {
    let stage = played(python);
    stage.access_log("flags", "DPE", 1);
    let outputs = [
        ("the access log", stage.envoy.printed()),
        ("the audit lines", stage.envoy.logged()),
        ("the metrics", stage.envoy.get("/stats/prometheus")),
        ("the configuration", stage.envoy.get("/config_dump")),
    ];
    for (name, output) in outputs {
        assert!(!output.is_empty(), "{name}");
        for secret in [SERVICE_API_KEY, PROVIDER_KEY, WRONG] {
            let at = output.find(secret).map(|at| &output[at.saturating_sub(200)..at]);
            assert_eq!(at, None, "{name} holds {secret}");
        }
    }
}

/// The audit lines: one for every decision, as the sample's `log: { events: all }` says.
pub(crate) fn audit_lines(python: &Path) {
    let stage = played(python);
    stage.access_log("flags", "DPE", 1);
    let log = stage.envoy.logged();
    let lines = log.lines().filter_map(|line| Some(&line[line.find("{\"timestamp")?..]));
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let of =
        |reason: &str| lines.iter().filter(|line| line["reason"] == reason).collect::<Vec<_>>();
    let [missing] = of("api_key.missing")[..] else { panic!("{log}") };
    assert_eq!(
        [
            &missing["event"],
            &missing["level"],
            &missing["ip"],
            &missing["method"],
            &missing["path"]
        ],
        ["request.refused", "WARNING", "127.0.0.9", "POST", "/v1/analyze-wound"]
    );
    let [allowed] = of("allowed.api_key")[..] else { panic!("{log}") };
    assert_eq!(
        [&allowed["event"], &allowed["level"], &allowed["user"], &allowed["ip"]],
        ["request.allowed", "INFO", "django", "127.0.0.2"]
    );
    assert_eq!(of("api_key.invalid").len() + of("address.not_allowed").len(), 2);
}

/// Counters with the labels module and reason.
pub(crate) fn metrics(python: &Path) {
    let stage = played(python);
    for (module, reason) in [
        ("ocr", "api_key_missing"),
        ("ocr", "api_key_invalid"),
        ("ocr", "address_not_allowed"),
        ("ocr", "allowed_api_key"),
        ("ocr", "allowed_public"),
        ("ocr", "route_unknown"),
        ("provider", "allowed_address"),
    ] {
        assert_eq!(stage.counted("vigile_requests", module, reason), 1, "{module} {reason}");
    }
    let page = stage.envoy.get("/stats/prometheus");
    let other = page.lines().find(|line| {
        line.contains("vigile_requests")
            && !line.starts_with('#')
            && !line.starts_with("vigile_requests{module=\"")
    });
    assert_eq!(other, None, "labels are missing");
    assert!(page.contains("# TYPE vigile_requests counter\n"));
}

/// Prometheus reads them: `promtool check metrics`. It ends with 1 where it cannot, and with 3 where a
/// name or a help text is not to its taste, which is Envoy's affair; of Vigile's it may miss the help.
pub(crate) fn promtool(promtool: &Path, python: &Path) {
    let page = played(python).envoy.get("/stats/prometheus");
    let mut child = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool");
    let mut input = child.stdin.take().unwrap();
    let page = std::thread::spawn(move || input.write_all(page.as_bytes()));
    let output = child.wait_with_output().unwrap();
    page.join().unwrap().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 3)), "{said}");
    for line in said.lines().filter(|line| line.contains("vigile")) {
        let known = line.ends_with("no help text") || line.contains("_total");
        assert!(known, "{line}");
    }
}
