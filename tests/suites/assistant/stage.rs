//! The assistant as it stands, and who calls it.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use vigile_tests::caller::Call;
use vigile_tests::case::Recipe;
use vigile_tests::keys::RING;
use vigile_tests::limits::Limit;
use vigile_tests::service::Plan;

pub(crate) const ASSISTANT: Plan = Plan {
    name: "assistant",
    prefix: "ASSISTANT",
    app: &[("ASSISTANT_SUPERUSER_PASSWORD", PASSWORD), ("BCRYPT_ROUNDS", "4")],
};

/// Of the app's first account.
pub(crate) const PASSWORD: &str = "correct-horse-battery";

pub(crate) const LOGIN: Limit = Limit { calls: 5, seconds: 60 };
pub(crate) const REGISTER: Limit = Limit { calls: 3, seconds: 3600 };
pub(crate) const CHAT: Limit = Limit { calls: 10, seconds: 60 };

pub(crate) const ACCESS: &str = "__Host-access_token";
pub(crate) const REFRESH: &str = "__Host-refresh_token";

/// A token as the app signs it, with this `type`.
pub(crate) fn token(kind: &str, subject: &str, roles: &[&str]) -> String {
    RING.mint(&recipe(kind, subject, roles))
}

pub(crate) fn recipe(kind: &str, subject: &str, roles: &[&str]) -> Recipe {
    let claims = json!({
        "iss": "assistant", "type": kind, "roles": roles, "jti": format!("{kind}-of-{subject}"),
    });
    let Value::Object(claims) = claims else { unreachable!() };
    let (expires, issued) = match kind {
        "refresh" => ("168h", "0"),
        _ => ("30m", "0"),
    };
    Recipe {
        key: Some("assistant".into()),
        module: Some("assistant".into()),
        subject: Some(subject.into()),
        expires: Some(expires.into()),
        issued: Some(issued.into()),
        claims,
        ..Recipe::default()
    }
}

pub(crate) fn access(subject: &str) -> String {
    token("access", subject, &["user"])
}

pub(crate) fn chat(subject: &str) -> Call {
    say().bearer(&access(subject))
}

/// Without saying who speaks.
pub(crate) fn say() -> Call {
    Call::post("/chat", &json!({ "message": "Bonjour" }))
}

pub(crate) fn login(username: &str, password: &str) -> Call {
    Call::post("/auth/login", &json!({ "username": username, "password": password }))
}

/// An address of this machine: the n-th client.
pub(crate) fn client(n: u16) -> Ipv4Addr {
    let [high, low] = n.to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}
