//! The orchestrator as it stands, and who calls it.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use vigile_tests::caller::Call;
use vigile_tests::case::Recipe;
use vigile_tests::cross_origin::Cors;
use vigile_tests::keys::RING;
use vigile_tests::limits::Limit;
use vigile_tests::service::Plan;

pub(crate) const ORCHESTRATOR: Plan = Plan {
    name: "orchestrator",
    prefix: "ORCHESTRATOR",
    app: &[("ORCHESTRATOR_ADMIN_PASSWORD", PASSWORD), ("BCRYPT_ROUNDS", "4")],
};

/// Of the app's first account.
pub(crate) const PASSWORD: &str = "correct-horse-battery";
pub(crate) const COOKIE: &str = "__Host-token";

pub(crate) const LOGIN: Limit = Limit { calls: 5, seconds: 60 };
pub(crate) const REGISTER: Limit = Limit { calls: 3, seconds: 3600 };
pub(crate) const CHAT: Limit = Limit { calls: 20, seconds: 60 };
pub(crate) const TOOLS: Limit = Limit { calls: 10, seconds: 60 };
pub(crate) const QUOTA: Limit = Limit { calls: 10, seconds: 86_400 };

/// A token as the app signs it.
pub(crate) fn token(subject: &str, role: &str) -> String {
    RING.mint(&recipe(subject, role))
}

pub(crate) fn recipe(subject: &str, role: &str) -> Recipe {
    let claims = json!({ "iss": "orchestrator", "role": role, "jti": format!("of-{subject}") });
    let Value::Object(claims) = claims else { unreachable!() };
    Recipe {
        key: Some("orchestrator".into()),
        module: Some("orchestrator".into()),
        subject: Some(subject.into()),
        expires: Some("24h".into()),
        issued: Some("0".into()),
        claims,
        ..Recipe::default()
    }
}

pub(crate) fn login(username: &str, password: &str) -> Call {
    let body = json!({ "username": username, "password": password });
    Call::post("/api/v1/auth/login", &body)
}

pub(crate) fn register(username: &str) -> Call {
    let body = json!({ "username": username, "password": "Good-passw0rd" });
    Call::post("/api/v1/auth/register", &body)
}

/// Without saying who speaks.
pub(crate) fn say() -> Call {
    Call::post("/api/v1/chat", &json!({ "message": "Bonjour" }))
}

/// A tool by its name, without saying who runs it.
pub(crate) fn execute(tool: &str) -> Call {
    Call::post(&format!("/api/v1/tools/{tool}/execute"), &json!({}))
}

pub(crate) fn rollback(action: &str) -> Call {
    Call::new("POST", &format!("/api/v1/actions/{action}/rollback"))
}

pub(crate) trait Justified {
    fn why(self, words: &str) -> Self;
}

impl Justified for Call {
    fn why(self, words: &str) -> Self {
        self.with("x-justification", words)
    }
}

/// The document's lists, and the header of the justification.
pub(crate) fn cors(origin: &str) -> Cors<'_> {
    Cors {
        origin,
        methods: "GET, POST, PUT, DELETE",
        headers: "Authorization, Content-Type, X-Justification",
    }
}

/// An address of this machine: the n-th client.
pub(crate) fn client(n: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 2, 0, n)
}
