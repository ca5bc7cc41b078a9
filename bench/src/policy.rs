//! Vigile's policy: the same demands and effects as those of `native`.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vigile_policy::{Algorithm, Family};

use crate::case::{Case, Presented};
use crate::tokens::{MODULE, key};

/// The host of every listener.
pub const HOST: &str = "stablediffusion.example.org";
/// What a token or key opens, and what is open to everybody.
pub const GUARDED: &str = "/api/generate";
pub const PUBLIC: &str = "/health";
/// Whom the API key is given to.
pub const CLIENT: &str = "django";

/// Who may call: the last network is where the load comes from.
pub const NETWORKS: [&str; 4] = ["192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32", "127.0.0.0/8"];

/// What every answer carries.
pub const HEADERS: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("x-robots-tag", "noindex,nofollow"),
    ("referrer-policy", "no-referrer"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains"),
];

/// What is asked for.
pub fn path(case: &Case) -> &'static str {
    match case.presented {
        Presented::Nothing => PUBLIC,
        Presented::Tokens(..) | Presented::ApiKey => GUARDED,
    }
}

/// The policy of a case.
pub fn policy(case: &Case) -> Value {
    let mut policy = json!({ "vigile": 1 });
    if let Some(tokens) = case.remember {
        policy["remember_tokens"] = tokens.into();
    }
    let mut guarded = json!({ "path": "/**", "addresses": NETWORKS });
    let mut forward = json!({ "x-user-id": { "claim": "sub" } });
    match case.presented {
        Presented::Tokens(algorithm, ..) => {
            policy["issuers"] = json!([issuer(algorithm)]);
            guarded["token"] = json!({ "issuer": "iahome" });
        }
        Presented::ApiKey => {
            policy["api_keys"] = json!([{ "name": CLIENT, "key": { "env": "SERVICE_API_KEY" } }]);
            guarded["api_key"] = json!([CLIENT]);
            forward = json!({ "x-user-id": CLIENT });
        }
        Presented::Nothing => {
            policy["issuers"] = json!([issuer(Algorithm::Hs256)]);
            guarded["token"] = json!({ "issuer": "iahome" });
        }
    }
    policy["modules"] = json!([{
        "name": MODULE,
        "hosts": [HOST],
        "headers": HEADERS.into_iter().collect::<BTreeMap<_, _>>(),
        "forward": forward,
        "routes": [{ "path": PUBLIC, "public": true }, guarded],
    }]);
    policy
}

fn issuer(algorithm: Algorithm) -> Value {
    let variable = json!({ "env": key(algorithm).1 });
    let key = match algorithm.family() {
        Family::Secret(_) => json!({ "secret": variable }),
        _ => json!({ "public_key": variable }),
    };
    json!({ "name": "iahome", "algorithms": [algorithm.name()], "keys": [key] })
}
