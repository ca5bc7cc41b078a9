//! The limits: by address before Vigile, by caller behind it.

use std::path::Path;

use serde_json::json;
use vigile_tests::caller::Call;
use vigile_tests::case::{Mangle, Recipe};
use vigile_tests::envoy::Binary;
use vigile_tests::keys::RING;
use vigile_tests::service::Service;

use super::stage::{
    ASSISTANT, CHAT, LOGIN, PASSWORD, REGISTER, access, chat, client, login, recipe, say,
};

/// 5 logins a minute from an address, good ones and bad ones; the sixth is refused, however its path is
/// written, and no other address pays for it.
pub(crate) fn logins(binary: &Binary, python: &Path) {
    let service = ASSISTANT.start(binary, python);
    let good = login("superuser", PASSWORD).from(client(1));
    can_never_succeed(&service, "/auth/login", &["GET", "HEAD", "PUT", "DELETE"]);
    can_never_succeed(&service, "/auth/jwt/login", &["GET", "PUT"]);
    let passed = LOGIN.exhaust(&service, &good);
    assert!(passed.iter().all(|answer| answer.status == 200), "{passed:?}");
    assert_eq!(service.asked("POST /auth/login"), passed.len());
    LOGIN.holds(&service, &login("superuser", "guess").from(client(1)));
    // Programs log in elsewhere: it is one limit. And no claim of another address counts.
    let form = Call::new("POST", "/auth/jwt/login").from(client(1));
    LOGIN.holds(&service, &form);
    LOGIN.holds(&service, &good.clone().with("x-forwarded-for", "198.51.100.7"));
    let before = service.asked("POST /auth/login");
    for path in [
        "/auth/login/",
        "/auth/login?x=1",
        "/auth/./login",
        "/x/../auth/login",
        "/auth/%6cogin",
        "/auth/login/x",
        "//auth/login",
        "/auth//login",
        "/AUTH/login",
        "/auth/login;x",
        "/auth%2flogin",
        "/auth/login%00",
        "/auth/login%0a",
        "/auth/login%0a/",
        "/auth/jwt/login%0A",
        "/auth/login%250a",
        "/auth/login%c2%85",
        "/auth/login%20",
        "/auth/login%3fx",
        "/auth/login/..;/login",
    ] {
        let body = json!({ "username": "superuser", "password": PASSWORD });
        let answer = service.send(&Call::post(path, &body).from(client(1)));
        assert!(matches!(answer.status, 400 | 404 | 429), "{path}: {answer:?}");
    }
    assert_eq!(service.asked("POST /auth/login"), before);
    // Twelve bad ones each from an address of its own.
    for n in 2..14 {
        let answer = service.send(&login("superuser", "guess").from(client(n)));
        assert_eq!(answer.status, 401, "{answer:?}");
    }
}

/// A method that is none of the route's takes nothing of its limit.
fn can_never_succeed(service: &Service, path: &str, methods: &[&str]) {
    for method in methods {
        let answer = service.send(&Call::new(method, path).from(client(1)));
        answer.says(405, Some("method.not_allowed"));
        answer.has(&[("x-ratelimit-limit", "")]);
    }
}

/// 3 registrations an hour from an address.
pub(crate) fn registrations(binary: &Binary, python: &Path) {
    let service = ASSISTANT.start(binary, python);
    let register = |name: &str| {
        let who = json!({ "username": name, "password": "a-good-password" });
        Call::post("/auth/register", &who)
    };
    can_never_succeed(&service, "/auth/register", &["GET", "HEAD", "PUT", "DELETE"]);
    let passed = REGISTER.exhaust(&service, &register("alice").from(client(1)));
    let statuses: Vec<u16> = passed.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [201, 409, 409]);
    REGISTER.refused(&service.send(&register("bob").from(client(1))));
    assert_eq!(service.asked("POST /auth/register"), 3);
    assert_eq!(service.send(&register("bob").from(client(2))).status, 201);
    // Logins are another limit.
    assert_eq!(service.send(&login("bob", "a-good-password").from(client(1))).status, 200);
}

/// 10 chats a minute of a caller, wherever they come from; what is refused on the way counts for nobody.
pub(crate) fn chats(binary: &Binary, python: &Path) {
    let service = ASSISTANT.start(binary, python);
    // Whoever writes another's name on a token cannot use up what is hers.
    let forged = RING.mint(&Recipe {
        then: Some(Mangle::ForgeSignature),
        ..recipe("access", "alice", &["user"])
    });
    for _ in 0..15 {
        service.send(&say().bearer(&forged)).says(401, Some("token.signature"));
    }
    assert_eq!(service.requests(), 0);
    for n in 1..=10 {
        let answer = service.send(&chat("alice").from(client(n)));
        assert_eq!(
            (answer.status, &answer.json()["user_id"]),
            (200, &json!("alice")),
            "{answer:?}"
        );
    }
    let asked = service.asked("POST /chat");
    CHAT.holds(&service, &chat("alice").from(client(11)));
    // With another of her tokens, in another place, with another name beside it.
    let other =
        RING.mint(&Recipe { expires: Some("5m".into()), ..recipe("access", "alice", &["user"]) });
    CHAT.holds(
        &service,
        &say().cookie("__Host-access_token", &other).with("sec-fetch-site", "same-origin"),
    );
    CHAT.holds(&service, &chat("alice").with("x-user-id", "bob"));
    let in_query = format!("/chat?token={}", access("alice"));
    CHAT.holds(&service, &Call::post(&in_query, &json!({ "message": "x" })));
    // A token a minute late is one more call at most.
    assert!(service.asked("POST /chat") <= asked + 4, "{}", service.app_saw());
    // From her own address another caller has all ten.
    let passed = CHAT.exhaust(&service, &chat("bob").from(client(1)));
    assert!(passed.iter().all(|answer| answer.status == 200), "{passed:?}");
}
