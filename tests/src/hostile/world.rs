//! A policy of the corpus, and all that is good and bad to say to it.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use serde_json::{Value, json};
use vigile_policy::{State, Tree};

use super::known::Token;
use super::model::{self, Model};
use super::routes::Reading;
use crate::bad;
use crate::case::{Mangle, Recipe};
use crate::keys::{RING, SERVICE_API_KEY, SERVICE_API_KEY_NEXT, now};

/// One policy at work.
pub struct World {
    pub name: String,
    pub state: State,
    pub models: Vec<Model>,
    /// Addresses from which it may be asked.
    pub peers: Vec<SocketAddr>,
    pub hosts: Vec<String>,
    pub paths: Vec<String>,
    pub parameters: Vec<String>,
    pub cookies: Vec<String>,
    /// The routes that read bodies, each with its host.
    pub readers: Vec<(String, Reading)>,
    /// Names of fields of JSON.
    pub fields: Vec<String>,
    pub credentials: Vec<String>,
    /// Tokens that some issuer of the ring signed.
    pub good_tokens: Vec<Token>,
    pub good_keys: Vec<String>,
    pub now: i64,
}

/// Every good policy of the corpus.
pub fn all() -> Vec<World> {
    let (good, bad_ones) = tokens();
    bad::good().into_iter().map(|(name, tree)| World::of(name, &tree, &good, &bad_ones)).collect()
}

impl World {
    fn of(name: String, tree: &Tree, good: &[Token], bad_ones: &[String]) -> Self {
        let state = vigile_policy::Draft::from(tree.clone())
            .resolve(&RING.environment(), vigile_policy::Host::ENVOY)
            .unwrap_or_else(|mistakes| panic!("{name}: {mistakes:?}"));
        let policy = serde_json::to_value(tree).unwrap();
        let models: Vec<Model> = policy["modules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|module| Model::of(&policy, module))
            .collect();
        let own = models.iter().flat_map(|model| &model.keys).map(|key| key.value.as_str());
        let others = [SERVICE_API_KEY, SERVICE_API_KEY_NEXT].into_iter().chain(MORE_KEYS);
        let good_keys: BTreeSet<&str> = own.chain(others).collect();
        let good_keys: Vec<String> = good_keys.into_iter().map(str::to_owned).collect();
        let credentials =
            good.iter().map(|token| &token.text).chain(&good_keys).chain(bad_ones).cloned();
        let parameters: BTreeSet<String> =
            models.iter().filter_map(|model| model.query.clone()).collect();
        let extra = ["t%6Fken", "a", "TOKEN", "token%00", ""].map(str::to_owned);
        let cookies: BTreeSet<String> =
            models.iter().flat_map(|model| model.cookies.clone()).collect();
        Self {
            name,
            state,
            peers: [
                "192.0.2.10:5",
                "198.51.100.7:5",
                "203.0.113.9:5",
                "192.0.2.10:0",
                "[2001:db8:1::1]:5",
                "[::ffff:192.0.2.10]:5",
            ]
            .map(|peer| peer.parse().unwrap())
            .into(),
            hosts: models.iter().flat_map(|model| model.hosts.clone()).collect(),
            paths: models.iter().flat_map(|model| model.paths.clone()).collect(),
            parameters: parameters.iter().cycle().take(4).cloned().chain(extra).collect(),
            readers: models.iter().flat_map(Model::readers).collect(),
            fields: model::fields(&policy).into_iter().chain(["a".into(), "b".into()]).collect(),
            cookies: cookies.into_iter().chain(["a".into(), "__HOST-vigile".into()]).collect(),
            credentials: credentials.collect(),
            good_tokens: good.to_vec(),
            good_keys,
            models,
            now: now(),
        }
    }

    /// The model of a module.
    pub fn model(&self, name: &str) -> &Model {
        self.models.iter().find(|model| model.name == name).expect("a module of the policy")
    }
}

/// Those that bind their tokens.
const MODULES: [&str; 3] = ["stablediffusion", "notes", "writer"];

/// 001_d9637b39f961e8b1.txt, as tests/corpus/policies/ocr.yaml has it: whose time has passed, whose is
/// to come, and the one that is known by its hash.
pub(super) const MORE_KEYS: [&str; 3] = [
    "nuno_service_valid-until-last-century-0123456789",
    "nuno_service_valid-from-the-next-age-0123456789",
    "nuno_service_known-by-its-hash-alone-0123456789",
];

/// Tokens that hold until their end, one of which has come, and tokens that never do.
fn tokens() -> (Vec<Token>, Vec<String>) {
    let rich = json!({ "plan": "pro", "level": 3, "groups": ["staff"], "active": true, "type": "refresh",
        "roles": ["admin", "viewer"], "scope": "read", "number": 7, "flag": true });
    let (mut good, mut bad_ones) = (Vec::new(), Vec::new());
    let keys = ["iahome", "partner", "rsa", "p256", "p384", "ed25519"];
    for (at, key) in keys.iter().enumerate() {
        let modules = if at == 0 { MODULES.as_slice() } else { &MODULES[..1] };
        for module in modules {
            for claims in [
                json!({}),
                rich.clone(),
                json!({ "iss": "https://partner.example", "scope": "read" }),
                json!({ "iss": "https://iahome.fr", "aud": ["modules"] }),
            ] {
                good.push(RING.mint(&recipe(key, module, claims)));
            }
        }
    }
    for subject in ["", "é", "a\r\nb", "alice@example.org", &"x".repeat(5000)] {
        let mut recipe = recipe("iahome", MODULES[0], json!({}));
        recipe.subject = Some(subject.into());
        good.push(RING.mint(&recipe));
    }
    for (key, change) in [
        ("stranger", None),
        ("rsa-stranger", None),
        ("iahome", Some(Mangle::ForgeSignature)),
        ("iahome", Some(Mangle::ChangeClaims)),
        ("iahome", Some(Mangle::DropSignature)),
        ("iahome", Some(Mangle::FourParts)),
    ] {
        let mut recipe = recipe(key, MODULES[0], json!({}));
        recipe.then = change;
        bad_ones.push(RING.mint(&recipe));
    }
    for (expires, not_before) in
        [("-1m", None), ("never", None), ("40h", None), ("10m", Some("5m"))]
    {
        let mut recipe = recipe("iahome", MODULES[0], json!({ "sub": "bob" }));
        recipe.expires = Some(expires.into());
        recipe.not_before = not_before.map(str::to_owned);
        good.push(RING.mint(&recipe));
    }
    let mut named = recipe("rsa", MODULES[0], json!({}));
    named.kid = Some("unheard-of".into());
    good.push(RING.mint(&named));
    for typ in ["at+jwt", "Application/Logout+JWT", "dpop+jwt", "JOSE"] {
        let mut typed = recipe("iahome", MODULES[0], json!({}));
        typed.raw_header = Some(json!({ "alg": "HS256", "typ": typ }).to_string());
        good.push(RING.mint(&typed));
    }
    for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS256","crit":["x"]}"#, "{"] {
        let mut recipe = recipe("iahome", MODULES[0], json!({}));
        recipe.raw_header = Some(header.into());
        bad_ones.push(RING.mint(&recipe));
    }
    bad_ones.extend(
        ["a.b.c", "..", "wrong-key-wrong-key-wrong-key-wrong-key", "", "x"].map(str::to_owned),
    );
    (good.into_iter().map(Token::of).collect(), bad_ones)
}

fn recipe(key: &str, module: &str, claims: Value) -> Recipe {
    let Value::Object(claims) = claims else { panic!("claims are an object") };
    Recipe { key: Some(key.into()), module: Some(module.into()), claims, ..Recipe::default() }
}
