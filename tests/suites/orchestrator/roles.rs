//! viewer, operator and admin, by route and method; and the reason that an admin gives.

use std::path::Path;

use serde_json::json;
use vigile_tests::caller::Call;
use vigile_tests::case::Recipe;
use vigile_tests::keys::RING;

use super::stage::{
    COOKIE, Justified, ORCHESTRATOR, PASSWORD, execute, login, recipe, register, rollback, say,
    token,
};

const WHY: &str = "Mise a jour pour le deploiement v7";

/// Every route by everybody; each subject is another, so that no limit is met.
pub(crate) fn matrix(python: &Path) {
    let service = ORCHESTRATOR.start_newest(python);
    let mut calls: Vec<(Call, [bool; 3])> = Vec::new();
    for tool in ["systemd_status", "systemd_logs", "network_listeners", "disk_usage"] {
        calls.push((execute(tool), [true; 3]));
    }
    for tool in ["docker_list_containers", "docker_logs"] {
        calls.push((execute(tool), [false, true, true]));
    }
    for tool in ["systemd_restart", "docker_restart", "apt_update", "apt_install", "write_file"] {
        calls.push((execute(tool).why(WHY), [false, false, true]));
    }
    let role = json!({ "role": "operator" });
    calls.extend([
        (say(), [true; 3]),
        (Call::get("/api/v1/tools"), [true; 3]),
        (rollback("a-1").why(WHY), [false, false, true]),
        (Call::get("/api/v1/audit"), [false, false, true]),
        (Call::get("/api/v1/admin/users"), [false, false, true]),
        (Call::new("PUT", "/api/v1/admin/users/admin").json(&role).why(WHY), [false, false, true]),
        (Call::new("DELETE", "/api/v1/admin/users/admin").why(WHY), [false, false, true]),
    ]);
    for (at, (call, expected)) in calls.iter().enumerate() {
        service.send(call).says(401, Some("token.missing"));
        for (role, passes) in ["viewer", "operator", "admin"].iter().zip(expected) {
            let who = token(&format!("{role}-{at}"), role);
            let before = service.requests();
            let answer = service.send(&call.clone().bearer(&who));
            match passes {
                true => assert!(matches!(answer.status, 200 | 204), "{role}: {call:?} {answer:?}"),
                false => answer.says(403, Some("token.roles")),
            }
            assert_eq!(service.requests() - before, usize::from(*passes), "{role}: {call:?}");
        }
        // A role that the document does not have is none.
        let stranger = token(&format!("stranger-{at}"), "root");
        service.send(&call.clone().bearer(&stranger)).says(403, Some("token.roles"));
    }
    // What stands nowhere does not exist, for an admin neither; nor with another method.
    let admin = token("root", "admin");
    for (call, status, reason) in [
        (execute("rm_rf"), 404, "route.unknown"),
        (execute("systemd_status/../rm_rf"), 404, "route.unknown"),
        (Call::get("/api/v1/tools/disk_usage/execute"), 405, "method.not_allowed"),
        (Call::new("PUT", "/api/v1/tools/apt_update/execute").why(WHY), 405, "method.not_allowed"),
        (Call::new("PATCH", "/api/v1/admin/users/admin").why(WHY), 405, "method.not_allowed"),
        (Call::get("/api/v2/tools"), 404, "route.unknown"),
    ] {
        service.send(&call.bearer(&admin)).says(status, Some(reason));
    }
}

/// An admin says why, in words, once; the words stand in the audit line and reach the app.
pub(crate) fn justification(python: &Path) {
    let service = ORCHESTRATOR.start_newest(python);
    let admin = token("ada", "admin");
    let call = || execute("systemd_restart").bearer(&admin);
    let long = "x".repeat(1025);
    for refused in [
        call(),
        call().why(""),
        call().why("too short"),
        call().why("                    "),
        call().why(&long),
        call().why(WHY).why(WHY),
    ] {
        let answer = service.send(&refused);
        answer.says(428, Some("header.required"));
        assert!(
            answer.json()["detail"]["message"].as_str().unwrap().contains("x-justification"),
            "{answer:?}"
        );
    }
    assert_eq!(service.requests(), 0);
    service.send(&call().why(WHY)).says(200, None);
    assert!(
        service.app_saw().contains(&format!("x-justification: {WHY}\r\n")),
        "{}",
        service.app_saw()
    );
    let line = &service.audit_log(1, |line| line["reason"] == "allowed.token")[0];
    assert_eq!(
        [&line["event"], &line["user"], &line["role"], &line["method"], &line["path"]],
        ["request.allowed", "ada", "admin", "POST", "/api/v1/tools/systemd_restart/execute"]
    );
    assert_eq!(line["headers"], json!({ "x-justification": WHY }));
    // Whoever has not the role is not asked for words.
    let viewer = token("vic", "viewer");
    service.send(&execute("systemd_restart").bearer(&viewer)).says(403, Some("token.roles"));
    // And the app's own audit log has them.
    let audit = service.send(&Call::get("/api/v1/audit").bearer(&admin)).json();
    assert_eq!(audit["entries"][0]["reason"], WHY, "{audit}");
}

/// Login, its cookie, its refresh; and tokens that are not what they say.
pub(crate) fn sessions(python: &Path) {
    let service = ORCHESTRATOR.start_newest(python);
    let answer = service.send(&login("admin", PASSWORD));
    let set = answer.header("set-cookie").unwrap();
    for attribute in ["HttpOnly", "Secure", "Path=/", "SameSite=lax", "Max-Age=86400"] {
        assert!(set.split("; ").any(|part| part == attribute), "{attribute}: {set}");
    }
    let cookie = answer.cookie(COOKIE).unwrap();
    let own = |call: Call, cookie: &str| {
        call.cookie(COOKIE, cookie).with("sec-fetch-site", "same-origin")
    };
    service.send(&own(say(), &cookie)).says(200, None);
    let renewed = service.send(&own(Call::new("POST", "/api/v1/auth/refresh"), &cookie));
    let renewed = renewed.cookie(COOKIE).unwrap();
    assert_ne!(renewed, cookie);
    service.send(&own(say(), &renewed)).says(200, None);
    let saw = service.app_saw();
    assert!(
        saw.contains("x-user-id: admin\r\nx-user-role: admin\r\n")
            || saw.contains("x-user-role: admin\r\n"),
        "{saw}"
    );
    assert!(!saw.contains(&cookie) && !saw.contains(&renewed), "{saw}");
    // Who registers is a viewer.
    assert_eq!(service.send(&register("vic")).json()["role"], "viewer");
    for (call, status, reason) in [
        (say().cookie(COOKIE, &cookie), 403, "origin.missing"),
        (say().cookie(COOKIE, &cookie).origin("https://evil.example"), 403, "origin.foreign"),
        // The orchestrator takes no token from an address.
        (Call::post(&format!("/api/v1/chat?token={cookie}"), &json!({})), 401, "token.missing"),
        (
            say().bearer(
                &RING.mint(&Recipe { expires: Some("25h".into()), ..recipe("x", "admin") }),
            ),
            401,
            "token.lifetime",
        ),
        (
            say().bearer(
                &RING.mint(&Recipe { key: Some("assistant".into()), ..recipe("x", "admin") }),
            ),
            401,
            "token.signature",
        ),
        (
            say().bearer(&RING.mint(&Recipe { alg: Some("HS512".into()), ..recipe("x", "admin") })),
            401,
            "token.algorithm",
        ),
        (
            say().bearer(
                &RING.mint(&Recipe { module: Some("assistant".into()), ..recipe("x", "admin") }),
            ),
            403,
            "token.module",
        ),
    ] {
        service.send(&call).says(status, Some(reason));
    }
}
