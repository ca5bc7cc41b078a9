//! What a body may hold: 002_17c4e40779f78fc3.txt's `ChatMessage`, before Jarvis sees a byte of it.

use std::path::Path;

use serde_json::{Value, json};
use vigile_tests::caller::{Answer, Call};
use vigile_tests::envoy::Binary;
use vigile_tests::service::Service;

use super::stage::{ASSISTANT, access, client};

fn chat(service: &Service, body: &str) -> Answer {
    let call = Call::new("POST", "/chat").with("content-type", "application/json").body(body);
    service.send(&call.bearer(&access("alice")))
}

/// The refusal that FastAPI's users know: where in the body, and what is wrong there.
#[track_caller]
fn refused(answer: &Answer, field: &str) {
    answer.says(422, Some("body.invalid"));
    let location = answer.json()["detail"][0]["loc"].clone();
    assert_eq!(location, json!(["body", field]), "{answer:?}");
}

/// Each rule at its edge; what is refused reaches nobody and counts for nobody.
pub(crate) fn chats(binary: &Binary, python: &Path) {
    let service = ASSISTANT.start(binary, python);
    let message = |text: &str| json!({ "message": text }).to_string();
    for body in [
        message(""),
        message(&"é".repeat(10_001)),
        message("hello <script>alert(1)</script>"),
        message("see javascript:alert(1)"),
        message("data:text/html;base64,PHNjcmlwdD4="),
        r#"{"message":"\u003cscript>"}"#.to_owned(),
        r#"{"message":"\u003c\u0073cript>"}"#.to_owned(),
        json!({ "message": 7 }).to_string(),
        json!({ "message": null }).to_string(),
        json!({ "message": ["x"] }).to_string(),
        json!({ "user_id": "alice" }).to_string(),
    ] {
        refused(&chat(&service, &body), "message");
    }
    for user in ["", "alice smith", "alice;", "../alice", "élise", "alice\n", "alice\u{0}"] {
        let body = json!({ "message": "x", "user_id": user }).to_string();
        refused(&chat(&service, &body), "user_id");
    }
    for body in [
        "",
        "{",
        "[]",
        "null",
        "\"x\"",
        "{\"message\":\"x\"}{",
        "{\"message\":\"x\",\"message\":\"<script\"}",
    ] {
        assert_eq!(chat(&service, body).status, 422, "{body}");
    }
    let invalid = [b"{\"message\":\"".as_slice(), b"\xff\xfe", b"\"}"].concat();
    let call = Call::new("POST", "/chat").with("content-type", "application/json").body(invalid);
    assert_eq!(service.send(&call.bearer(&access("alice"))).status, 422);
    for (kind, reason, status) in [
        ("text/plain", "body.media_type", 415),
        ("application/x-www-form-urlencoded", "body.media_type", 415),
        ("application/xml", "body.media_type", 415),
    ] {
        let call = Call::new("POST", "/chat").with("content-type", kind).body(message("x"));
        service.send(&call.bearer(&access("alice"))).says(status, Some(reason));
    }
    let large = chat(&service, &message(&"x".repeat(200_000)));
    large.says(413, Some("body.too_large"));
    assert_eq!(service.requests(), 0, "{}", service.app_saw());
    // All ten are left: none of these was a chat.
    for body in [
        message("x"),
        message(&"é".repeat(10_000)),
        message(&"🦀".repeat(10_000)),
        json!({ "message": "script: a <b>data</b> point", "user_id": "Alice_1-x" }).to_string(),
        json!({ "message": "\u{1}\t\n", "more": { "deep": [1, 2, 3] } }).to_string(),
    ] {
        let answer = chat(&service, &body);
        answer.says(200, None);
        let said: Value = serde_json::from_str(&body).unwrap();
        let text = said["message"].as_str().unwrap();
        assert_eq!(answer.json()["response"], format!("You said: {text}"));
    }
    // As long as it may be, with each of its characters escaped as two.
    let crabs = format!("{{\"message\":\"{}\"}}", "\\ud83e\\udd80".repeat(10_000));
    assert_eq!((crabs.len(), chat(&service, &crabs).status), (120_014, 200));
    // In pieces it is the same message.
    let pieces = "4\r\n{\"me\r\n8\r\nssage\":\"\r\n6\r\n\\u003c\r\n2\r\n\"}\r\n0\r\n\r\n";
    let call = Call::new("POST", "/chat")
        .with("content-type", "application/json")
        .with("transfer-encoding", "chunked")
        .body(pieces);
    let answer = service.send(&call.bearer(&access("alice")));
    assert_eq!(
        (answer.status, &answer.json()["response"]),
        (200, &json!("You said: <")),
        "{answer:?}"
    );
}

/// Login and registration: names, lengths and sizes; and the form of programs.
pub(crate) fn accounts(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let register =
        |n: u16, body: &Value| service.send(&Call::post("/auth/register", body).from(client(n)));
    let good = "a-good-password";
    for (n, field, body) in [
        (1, "username", json!({ "username": "al", "password": good })),
        (2, "username", json!({ "username": "alice smith", "password": good })),
        (3, "username", json!({ "username": "a".repeat(65), "password": good })),
        (4, "password", json!({ "username": "alice", "password": "short" })),
        (5, "password", json!({ "username": "alice", "password": "x".repeat(73) })),
        (6, "password", json!({ "username": "alice" })),
        (7, "username", json!({ "username": { "$gt": "" }, "password": good })),
    ] {
        refused(&register(n, &body), field);
    }
    assert_eq!(service.requests(), 0);
    assert_eq!(register(8, &json!({ "username": "alice", "password": good })).status, 201);
    let form = |n: u16, kind: &str, body: String| {
        let call = Call::new("POST", "/auth/jwt/login").with("content-type", kind).body(body);
        service.send(&call.from(client(n)))
    };
    let urlencoded = "application/x-www-form-urlencoded";
    let fields = format!("username=alice&password={good}");
    assert_eq!(form(1, urlencoded, fields.clone()).status, 200);
    form(2, "application/json", fields.clone()).says(415, Some("body.media_type"));
    form(3, urlencoded, format!("{fields}&x={}", "x".repeat(5000)))
        .says(413, Some("body.too_large"));
    let chunked = Call::new("POST", "/auth/jwt/login")
        .with("content-type", urlencoded)
        .with("transfer-encoding", "chunked")
        .body("0\r\n\r\n");
    service.send(&chunked.from(client(4))).says(411, Some("body.length_required"));
    assert_eq!(service.asked("POST /auth/jwt/login"), 1);
}
