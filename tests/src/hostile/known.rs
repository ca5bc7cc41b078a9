//! Credentials that hold, and of whom: tokens by what stands in them, keys and issuers by the policy's text.

use std::collections::BTreeMap;
use std::time::Duration;

use ct_codecs::{Base64UrlSafeNoPadding, Decoder};
use serde_json::Value;

use super::model::words;

/// A token that some issuer of the ring signed.
#[derive(Clone)]
pub struct Token {
    pub text: String,
    header: Value,
    claims: Value,
}

impl Token {
    pub fn of(text: String) -> Self {
        let part = |at: usize| -> Value {
            let part = text.split('.').nth(at).unwrap();
            let bytes = Base64UrlSafeNoPadding::decode_to_vec(part, None).unwrap();
            serde_json::from_slice(&bytes).unwrap()
        };
        let (header, claims) = (part(0), part(1));
        Self { text, header, claims }
    }

    /// Its end; none for one that never ends.
    pub fn ends(&self, leeway: i64) -> i64 {
        self.claims["exp"].as_i64().map_or(i64::MAX, |exp| exp.saturating_add(leeway))
    }

    /// Whether a claim is there.
    pub fn has(&self, claim: &str) -> bool {
        self.claims.get(claim).is_some()
    }

    /// Whether a claim holds this word: a text, one of a list, or one of those between spaces.
    fn says(&self, claim: &str, word: &str) -> bool {
        match &self.claims[claim] {
            Value::String(text) => text.split(' ').any(|one| one == word),
            list => words(list).iter().any(|one| one == word),
        }
    }
}

/// An issuer, by its text.
pub struct Issuer {
    algorithms: Vec<String>,
    types: Vec<String>,
    roles_claim: String,
    issuer: Option<String>,
    requires_exp: bool,
    pub leeway: i64,
}

impl Issuer {
    pub fn all(policy: &Value) -> BTreeMap<String, Self> {
        let issuers = policy["issuers"].as_array().into_iter().flatten();
        let name = |issuer: &Value| issuer["name"].as_str().unwrap().to_owned();
        issuers.map(|issuer| (name(issuer), Self::of(issuer))).collect()
    }

    fn of(issuer: &Value) -> Self {
        let text = |key: &str| issuer[key].as_str().map(str::to_owned);
        let leeway = text("leeway").map(|span| humantime::parse_duration(&span).unwrap());
        Self {
            algorithms: words(&issuer["algorithms"]),
            types: words(&issuer["typ"]),
            roles_claim: text("roles_claim").unwrap_or("roles".into()),
            issuer: text("issuer"),
            requires_exp: issuer["require_exp"] != false,
            leeway: i64::try_from(leeway.unwrap_or(Duration::ZERO).as_secs()).unwrap(),
        }
    }

    /// Whether a token has the form of its own, good or bad.
    pub fn is_like(&self, token: &Token) -> bool {
        let by = self.issuer.as_deref();
        let algorithm = token.header["alg"].as_str().unwrap_or_default();
        self.algorithms.iter().any(|one| one == algorithm)
            && by.is_none_or(|by| token.claims["iss"] == by)
    }

    /// Whether a token may be its own, for a route that asks for one of these roles, at this time.
    pub fn takes(&self, token: &Token, roles: &[String], now: i64) -> bool {
        let small = |text: &str| text.to_lowercase().trim_start_matches("application/").to_owned();
        let typ = token.header["typ"].as_str().map(small);
        let is_of_a_type = match (self.types.is_empty(), typ) {
            (empty, None) => empty,
            (true, Some(typ)) => ["jwt", "jose", "at+jwt"].contains(&typ.as_str()),
            (false, Some(typ)) => self.types.iter().any(|one| small(one) == typ),
        };
        let has_a_role =
            roles.is_empty() || roles.iter().any(|role| token.says(&self.roles_claim, role));
        let ends = token.ends(self.leeway);
        let by = self.issuer.as_deref();
        is_of_a_type
            && has_a_role
            && now < ends
            && (ends < i64::MAX || !self.requires_exp)
            && by.is_none_or(|by| token.claims["iss"] == by)
    }
}

/// Whether a token is for a module, by its claim.
pub fn is_bound(token: &Token, claim: &str, module: &str) -> bool {
    claim == "none" || token.claims[claim] == module
}

/// An API key, by its text.
pub struct Key {
    pub name: String,
    pub value: String,
    pub header: String,
    roles: Vec<String>,
    times: [Option<i64>; 2],
}

impl Key {
    /// Those of a policy; of one that is known by its hash the value is among `more`.
    pub fn all(policy: &Value, variables: &BTreeMap<String, String>, more: &[&str]) -> Vec<Self> {
        let keys = policy["api_keys"].as_array().into_iter().flatten();
        keys.filter_map(|key| Self::of(key, variables, more)).collect()
    }

    fn of(key: &Value, variables: &BTreeMap<String, String>, more: &[&str]) -> Option<Self> {
        let is_hash = |one: &str| {
            let hash = hmac_sha256::Hash::hash(one.as_bytes());
            key["sha256"].as_str() == Some(&hash.map(|byte| format!("{byte:02x}")).concat())
        };
        let value = match &key["key"] {
            Value::String(value) => value.clone(),
            Value::Object(variable) => variables.get(variable["env"].as_str()?)?.clone(),
            _ => more.iter().find(|one| is_hash(one))?.to_string(),
        };
        let time = |name: &str| {
            let time = humantime::parse_rfc3339(key[name].as_str()?).unwrap();
            let seconds = time.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            Some(i64::try_from(seconds).unwrap())
        };
        Some(Self {
            name: key["name"].as_str()?.to_owned(),
            value,
            header: key["header"].as_str().unwrap_or("authorization").to_lowercase(),
            roles: words(&key["roles"]),
            times: [time("not_before"), time("not_after")],
        })
    }

    /// Whether a route names it, by its name or a role of its own.
    pub fn is_named(&self, asked: &Value) -> bool {
        let names = words(asked);
        let roles = words(&asked["roles"]);
        names.contains(&self.name) || roles.iter().any(|role| self.roles.contains(role))
    }

    pub fn holds(&self, now: i64) -> bool {
        let [from, until] = self.times;
        from.is_none_or(|from| now >= from) && until.is_none_or(|until| now < until)
    }

    pub fn ends(&self) -> i64 {
        self.times[1].unwrap_or(i64::MAX)
    }
}
