//! The forbidden characters of commands, and what else a body may hold.

use std::path::Path;

use serde_json::{Value, json};
use vigile_tests::caller::Call;
use vigile_tests::envoy::Binary;

use super::stage::{COOKIE, Justified, ORCHESTRATOR, client, execute, say, token};

/// 003_2fa7766864bfebd3.txt's list, to the letter.
const FORBIDDEN: [&str; 13] =
    [";", "&&", "||", "|", "`", "$(", ">", ">>", "<", "<<", "\n", "\r", "\u{0}"];

/// What does the same to a shell, or to whoever reads the log.
const AS_BAD: [&str; 7] = ["&", "\u{b}", "\u{c}", "\u{1b}", "\u{7f}", "\u{85}", "\u{2028}"];

fn command(words: &str) -> Call {
    Call::post("/api/v1/tools/execute_command/execute", &json!({ "command": words }))
}

/// None of them reaches the app, as it stands or escaped; and what holds none does.
pub(crate) fn commands(binary: &Binary, python: &Path) {
    let service = ORCHESTRATOR.start(binary, python);
    let who = token("olga", "operator");
    let refused = |call: Call| {
        let answer = service.send(&call.bearer(&who));
        answer.says(422, Some("body.invalid"));
        assert_eq!(answer.json()["detail"][0]["loc"], json!(["body", "command"]), "{answer:?}");
    };
    for forbidden in FORBIDDEN.into_iter().chain(AS_BAD) {
        refused(command(&format!("ls {forbidden} rm")));
        refused(command(&format!("ls{forbidden}")));
        let escaped: String =
            forbidden.chars().map(|c| format!("\\u{:04x}", u32::from(c))).collect();
        let body = format!("{{\"command\":\"git pull{escaped}rm\"}}");
        refused(execute("execute_command").body(body));
    }
    refused(command(""));
    refused(command(&format!("ls {}", "x".repeat(1000))));
    refused(execute("execute_command"));
    let twice = "{\"command\":\"ls\",\"command\":\"ls; rm\"}";
    service
        .send(&execute("execute_command").body(twice).bearer(&who))
        .says(422, Some("body.invalid"));
    let other = "{\"command\":\"ls\",\"Command\":\"ls; rm\"}";
    service
        .send(&execute("execute_command").body(other).bearer(&who))
        .says(422, Some("body.invalid"));
    assert_eq!(service.requests(), 0, "{}", service.app_saw());
    for (words, argv) in [
        ("ls -lah /workspace", json!(["ls", "-lah", "/workspace"])),
        // Expressions of grep end with it, and by itself it runs nothing.
        ("grep 'a b$' \"$HOME\"", json!(["grep", "a b$", "$HOME"])),
        ("ls\t-l 'é à'", json!(["ls", "-l", "é à"])),
        ("systemctl restart nginx", json!(["systemctl", "restart", "nginx"])),
    ] {
        let answer = service.send(&command(words).bearer(&who));
        assert_eq!((answer.status, &answer.json()["argv"]), (200, &argv), "{answer:?}");
    }
    // What a role may run is the app's to say.
    let viewer = token("vic", "viewer");
    assert_eq!(service.send(&command("systemctl restart nginx").bearer(&viewer)).status, 403);
    // And a page of the orchestrator can read what was wrong.
    let origin = ORCHESTRATOR.variable("ORIGIN");
    let answer = service.send(&command("ls;").bearer(&who).origin(&origin));
    answer.says(422, Some("body.invalid"));
    answer.has(&[("access-control-allow-origin", &origin)]);
}

/// `ChatRequest`, parameters, roles.
pub(crate) fn requests(python: &Path) {
    let service = ORCHESTRATOR.start_newest(python);
    let viewer = token("vic", "viewer");
    let chat = |body: &Value| service.send(&Call::post("/api/v1/chat", body).bearer(&viewer));
    for (field, body) in [
        ("message", json!({ "message": "" })),
        ("message", json!({ "message": "x".repeat(10_001) })),
        ("conversation_id", json!({ "message": "x", "conversation_id": "1" })),
        // A UUID, and not one of version 4.
        (
            "conversation_id",
            json!({ "message": "x", "conversation_id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8" }),
        ),
        ("model", json!({ "message": "x", "model": 5 })),
    ] {
        let answer = chat(&body);
        answer.says(422, Some("body.invalid"));
        assert_eq!(answer.json()["detail"][0]["loc"], json!(["body", field]), "{answer:?}");
    }
    let admin = token("ada", "admin");
    let why = "An administrator is needed on site";
    let role = |role: &str| {
        let call = Call::new("PUT", "/api/v1/admin/users/admin").json(&json!({ "role": role }));
        service.send(&call.bearer(&admin).why(why))
    };
    role("root").says(422, Some("body.invalid"));
    let list = json!({ "params": ["nginx"] });
    let call = Call::post("/api/v1/tools/systemd_restart/execute", &list).bearer(&admin).why(why);
    service.send(&call).says(422, Some("body.invalid"));
    service
        .send(&say().body("x=1").with("content-type", "text/plain").bearer(&viewer))
        .says(415, Some("body.media_type"));
    assert_eq!(service.requests(), 0, "{}", service.app_saw());
    let good = json!({ "message": "x", "conversation_id": "8B2C7F1E-9d44-4c0b-8a57-2f3f6e1f0b11", "model": "m" });
    chat(&good).says(200, None);
    role("operator").says(200, None);
}

/// The password's length at the edge, its characters in the app.
pub(crate) fn passwords(python: &Path) {
    let service = ORCHESTRATOR.start_newest(python);
    let register = |n: u8, password: &str| {
        let body = json!({ "username": "alice", "password": password });
        service.send(&Call::post("/api/v1/auth/register", &body).from(client(n)))
    };
    register(1, "Sh0rt-x").says(422, Some("body.invalid"));
    register(2, &"Aa0-".repeat(20)).says(422, Some("body.invalid"));
    assert_eq!(service.requests(), 0);
    for (n, weak) in [(3, "nocapitals-1"), (4, "NOSMALL-1"), (5, "No-digits"), (6, "Nothing1else")]
    {
        register(n, weak).says(422, None);
    }
    assert_eq!(register(7, "Str0ng-x").status, 201);
}

/// The cookie is taken back, and no other site can have that done.
pub(crate) fn logout(python: &Path) {
    let service = ORCHESTRATOR.start_newest(python);
    let out = || Call::new("POST", "/api/v1/auth/logout").cookie(COOKIE, &token("vic", "viewer"));
    let answer = service.send(&out().with("sec-fetch-site", "same-origin"));
    answer.says(204, Some("logout.done"));
    let taken = format!("{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax");
    assert!(answer.all("set-cookie").any(|set| set == taken), "{answer:?}");
    let origin = ORCHESTRATOR.variable("ORIGIN");
    let answer = service.send(&out().origin(&origin));
    answer.says(204, Some("logout.done"));
    answer.has(&[("access-control-allow-origin", &origin)]);
    service.send(&out().origin("https://evil.example")).says(403, Some("origin.foreign"));
    assert_eq!(service.requests(), 0);
}
