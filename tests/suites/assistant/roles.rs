//! user, admin and superuser, route by route and method by method.

use std::path::Path;

use serde_json::json;
use vigile_tests::caller::Call;

use super::stage::{ASSISTANT, PASSWORD, REFRESH, login, token};

/// Every method of the administration by everybody.
pub(crate) fn matrix(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let roles = json!({ "roles": ["admin"] });
    // The reason of the refusal for user, admin and superuser; None is let through.
    let (no, yes) = (Some("token.roles"), None);
    for (call, expected) in [
        (Call::get("/admin/users"), [no, yes, yes]),
        (Call::new("PUT", "/admin/users/alice").json(&roles), [no, no, yes]),
        (Call::new("DELETE", "/admin/users/alice"), [no, no, yes]),
        (Call::get("/admin/users/alice"), [Some("method.not_allowed"); 3]),
        (Call::new("POST", "/admin/users"), [Some("method.not_allowed"); 3]),
        (Call::new("PATCH", "/admin/users/alice"), [Some("method.not_allowed"); 3]),
        (Call::get("/admin"), [Some("route.unknown"); 3]),
        (Call::get("/admin/users/alice/keys"), [Some("route.unknown"); 3]),
        (Call::get("/Admin/Users"), [Some("route.unknown"); 3]),
        (Call::get("/openapi.json"), [Some("route.unknown"); 3]),
    ] {
        for (role, reason) in ["user", "admin", "superuser"].into_iter().zip(expected) {
            let before = service.requests();
            let answer = service.send(&call.clone().bearer(&token("access", "somebody", &[role])));
            assert_eq!(
                answer.header("vigile-reason").as_deref(),
                reason,
                "{role} {call:?}: {answer:?}"
            );
            assert_eq!(service.requests() - before, usize::from(reason.is_none()));
        }
        let nobody = service.send(&call);
        assert!(matches!(nobody.status, 400 | 401 | 404 | 405), "{call:?}: {nobody:?}");
    }
    // A method of another name changes nothing.
    for name in ["x-http-method-override", "x-http-method", "x-method-override"] {
        let call = Call::get("/admin/users").with(name, "DELETE");
        service.send(&call.bearer(&token("access", "a", &["admin"]))).says(200, None);
        assert!(!service.app_saw().contains(name));
    }
}

/// A role that is given opens its routes with the next refresh, and one that is taken with it.
pub(crate) fn given(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let who = json!({ "username": "alice", "password": "a-good-password" });
    assert_eq!(service.send(&Call::post("/auth/register", &who)).status, 201);
    let session = service.send(&login("alice", "a-good-password"));
    let users = |token: &str| service.send(&Call::get("/admin/users").bearer(token));
    users(&session.cookie("__Host-access_token").unwrap()).says(403, Some("token.roles"));
    let root = service.send(&login("superuser", PASSWORD)).cookie("__Host-access_token").unwrap();
    let change =
        Call::new("PUT", "/admin/users/alice").json(&json!({ "roles": ["user", "admin"] }));
    service.send(&change.bearer(&root)).says(200, None);
    let refresh = Call::new("POST", "/auth/refresh").with("sec-fetch-site", "same-origin");
    let renewed = service.send(&refresh.cookie(REFRESH, &session.cookie(REFRESH).unwrap()));
    let answer = users(&renewed.cookie("__Host-access_token").unwrap());
    answer.says(200, None);
    assert!(service.app_saw().contains("x-user-roles: user,admin\r\n"), "{}", service.app_saw());
}

/// /metrics by address, and what else is open to everybody.
pub(crate) fn addresses(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let answer = service.send(&Call::get("/metrics"));
    assert!(answer.status == 200 && answer.body.contains("jarvis_requests_total"), "{answer:?}");
    let stranger = std::net::Ipv4Addr::new(127, 9, 9, 9);
    for call in [
        Call::get("/metrics").from(stranger),
        Call::get("/metrics").from(stranger).with("x-forwarded-for", "127.0.0.1"),
        Call::get("/metrics").from(stranger).bearer(&token("access", "s", &["superuser"])),
    ] {
        service.send(&call).says(403, Some("address.not_allowed"));
    }
    service.send(&Call::get("/health").from(stranger)).says(200, None);
    assert_eq!(service.asked("GET /metrics"), 1);
}
