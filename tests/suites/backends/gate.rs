//! A real Envoy with Vigile in front of each backend, and a caller who is no admin.

use serde_json::{Value, json};
use vigile_tests::case::Recipe;
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::keys::RING;

use crate::app::{Backend, exchange, word};
use crate::trick::Trick;

pub(crate) struct Gate {
    envoy: Envoy,
    token: String,
}

/// Closed pages before an open rest, as docs/operating.md has such policies written: with the other names of a page that the
/// app is known to have, and without forms where methods are told apart.
fn policy() -> Value {
    let admin = json!({ "issuer": "iahome", "roles": ["admin"] });
    let anybody = json!({ "issuer": "iahome" });
    json!({
        "vigile": 1,
        "issuers": [{ "name": "iahome", "algorithms": ["HS256"], "keys": [{ "secret": { "env": "IAHOME_JWT_SECRET" } }] }],
        "modules": [{
            "name": "app",
            "module_claim": "none",
            "routes": [
                { "paths": ["/admin/**", "/sd/admin/**", "/index.php/**", "/settings", "/members**"], "token": admin },
                { "path": "/items/*", "methods": ["POST"], "token": anybody, "body": { "media_types": ["application/json"] } },
                { "path": "/items/*", "methods": ["DELETE"], "token": admin },
                { "path": "/**", "token": anybody },
            ],
        }],
    })
}

impl Gate {
    pub(crate) fn start(binary: &Binary, backends: &[Backend]) -> Self {
        let filter = envoy::vigile(&envoy::as_struct(&policy()), &RING.environment());
        let mut listeners = Vec::new();
        let mut clusters = Vec::new();
        for (at, backend) in backends.iter().enumerate() {
            let name = format!("backend{at}");
            let route = json!({ "match": { "prefix": "/" }, "route": { "cluster": name } });
            listeners.push(envoy::listener(&name, 0, &filter, &route));
            clusters.push(envoy::cluster(&name, backend.address));
        }
        let config = envoy::bootstrap(&listeners, &clusters);
        let envoy = Envoy::start(binary, &config, &RING.environment());
        let envoy = envoy.unwrap_or_else(|error| panic!("{}", error.0));
        Self { envoy, token: RING.mint(&Recipe::default()) }
    }

    /// Vigile's reason for what became of the request, and the word that came back.
    pub(crate) fn ask(&self, backend: usize, trick: &Trick) -> (String, String) {
        let address = self.envoy.listener(&format!("backend{backend}"));
        let bearer = format!("Bearer {}", self.token);
        let answer = exchange(address, &trick.bytes(&[("Authorization", &bearer)])).unwrap();
        let reason = answer.headers.iter().find(|(name, _)| name == "vigile-reason");
        let reason = reason.map(|(_, value)| String::from_utf8_lossy(value).into_owned());
        let by_envoy = || {
            if answer.status == 400 && answer.body.is_empty() {
                "Envoy: 400"
            } else {
                "allowed.token"
            }
        };
        (reason.unwrap_or_else(|| by_envoy().to_owned()), word(&answer))
    }
}
