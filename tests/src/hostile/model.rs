//! What a policy's text promises of a module, read in the plainest way and by other code than the core's.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use vigile_policy::OVERRIDES;

use super::callers::Vouched;
use super::known::{Issuer, Key, Token};
use super::routes::{Reading, Route};
use super::world::MORE_KEYS;
use crate::keys::RING;

/// A module, by its text.
pub struct Model {
    pub name: String,
    pub hosts: Vec<String>,
    /// Paths that its routes take, one for each.
    pub paths: Vec<String>,
    pub routes: Vec<Route>,
    /// The path of `embed.refresh`.
    pub refresh: Option<String>,
    /// Routes that read bodies.
    pub reading: Vec<Reading>,
    /// Whose word on the caller's address counts.
    pub vouched: Vouched,
    pub issuers: BTreeMap<String, Issuer>,
    /// The issuers that its own routes name.
    pub signers: Vec<String>,
    pub keys: Vec<Key>,
    /// The claim that names the module; `none` for any module's tokens.
    pub binding: String,
    pub query: Option<String>,
    pub header: Option<String>,
    pub cookies: BTreeSet<String>,
    /// The word behind which a token stands among the subprotocols of a websocket.
    pub subprotocol: Option<String>,
    /// The headers in which its API keys stand.
    pub key_headers: BTreeSet<String>,
    /// The headers that it forwards, folded.
    pub identities: BTreeSet<String>,
    /// Overrides that the app sees, spelt so.
    pub kept_overrides: BTreeSet<String>,
    pub keeps: bool,
    pub observes: bool,
    pub ancestors: BTreeSet<String>,
    pub audited: usize,
}

impl Model {
    /// Whether a header would have a backend see another request: of these the core's own list tells, by letters and
    /// digits alone.
    pub fn overrides(model: Option<&Self>, name: &str) -> bool {
        let is_kept = model.is_some_and(|model| model.kept_overrides.contains(name));
        !is_kept && OVERRIDES.iter().any(|known| folded(known) == folded(name))
    }

    /// Whether a token is of its form: any other is the app's own (docs/decisions/0026).
    pub fn owns(&self, token: &Token) -> bool {
        let mut signers = self.signers.iter().filter_map(|name| self.issuers.get(name));
        match self.binding.as_str() {
            "none" => signers.any(|issuer| issuer.is_like(token)),
            claim => token.has(claim),
        }
    }

    /// Its routes that read bodies, at its first host.
    pub fn readers(&self) -> Vec<(String, Reading)> {
        let host = self.hosts.first().cloned().unwrap_or_default();
        self.reading.iter().map(|reading| (host.clone(), reading.clone())).collect()
    }

    pub fn of(policy: &Value, module: &Value) -> Self {
        let routes: Vec<&Value> = module["routes"].as_array().unwrap().iter().collect();
        let keys = |map: &Value| -> Vec<String> {
            map.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
        };
        let place = |name: &str, default: &str| match &module["credentials"][name] {
            Value::Bool(_) => None,
            Value::String(given) => Some(given.clone()),
            _ => Some(default.to_owned()),
        };
        let mut cookies: BTreeSet<String> = place("cookie", "__Host-vigile").into_iter().collect();
        cookies.extend(all(module, "cookie"));
        let twins: Vec<String> = cookies.iter().map(|cookie| format!("{cookie}-p")).collect();
        let forwards = routes.iter().flat_map(|route| keys(&route["forward"]));
        let api_keys = Key::all(policy, &RING.environment(), &MORE_KEYS);
        let hosts = words(&module["hosts"]);
        Self {
            name: module["name"].as_str().unwrap().to_owned(),
            hosts: if hosts.is_empty() {
                vec!["any.example".into()]
            } else {
                hosts.iter().map(|host| host.replace('*', "some")).collect()
            },
            paths: routes
                .iter()
                .flat_map(|route| paths(route))
                .chain(module["embed"]["refresh"].as_str().map(str::to_owned))
                .map(|path| path.replace("**", "x/y").replace('*', "z"))
                .collect(),
            reading: routes.iter().flat_map(|route| Reading::all(route)).collect(),
            routes: routes.iter().map(|route| Route::of(route)).collect(),
            refresh: module["embed"]["refresh"].as_str().map(str::to_owned),
            vouched: Vouched::of(policy),
            issuers: Issuer::all(policy),
            signers: all(module, "issuer"),
            binding: module["module_claim"].as_str().unwrap_or("moduleName").to_owned(),
            query: place("query", "token").filter(|_| has(&module["routes"], "token")),
            header: place("header", "authorization"),
            subprotocol: module["credentials"]["subprotocol"].as_str().map(str::to_owned),
            cookies: cookies.into_iter().chain(twins).collect(),
            key_headers: api_keys.iter().map(|key| key.header.clone()).collect(),
            keys: api_keys,
            identities: keys(&module["forward"])
                .into_iter()
                .chain(forwards)
                .map(|name| folded(&name))
                .collect(),
            kept_overrides: words(&module["keep_overrides"])
                .iter()
                .map(|name| name.to_lowercase())
                .collect(),
            keeps: module["keep_credentials"] == true,
            observes: module["mode"].as_str().or(policy["mode"].as_str()) == Some("observe"),
            ancestors: match &module["embed"]["ancestors"] {
                Value::Object(_) => ["https://iahome.fr".to_owned()].into(),
                list => words(list).into_iter().collect(),
            },
            audited: routes
                .iter()
                .map(|route| keys(&route["require_headers"]).len())
                .max()
                .unwrap_or(0),
        }
    }
}

/// Whether a key of this name stands anywhere in it.
fn has(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| key == name || has(value, name)),
        Value::Array(items) => items.iter().any(|item| has(item, name)),
        _ => false,
    }
}

pub fn words(list: &Value) -> Vec<String> {
    let items = list.as_array().cloned().unwrap_or_default();
    items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

pub fn paths(route: &Value) -> Vec<String> {
    route["path"].as_str().map(str::to_owned).into_iter().chain(words(&route["paths"])).collect()
}

/// Every string under a key of this name, below `credentials` not.
fn all(value: &Value, name: &str) -> Vec<String> {
    match value {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| *key != "credentials")
            .flat_map(|(key, value)| match value {
                Value::String(text) if key == name => vec![text.clone()],
                value => all(value, name),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(|item| all(item, name)).collect(),
        _ => Vec::new(),
    }
}

/// Letters and digits alone, small.
pub fn folded(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// Whether a path, without its query, is one that a pattern stands for.
pub fn matches(pattern: &str, path: &[u8]) -> bool {
    stands_for(trimmed(pattern.as_bytes()), trimmed(path))
}

fn trimmed(text: &[u8]) -> &[u8] {
    if text.len() > 1 { text.strip_suffix(b"/").unwrap_or(text) } else { text }
}

fn stands_for(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        b"**" => true,
        b"/**" if path.is_empty() => true,
        [b'*', rest @ ..] => {
            let within = path.iter().take_while(|byte| **byte != b'/').count();
            (1..=within).any(|length| stands_for(rest, &path[length..]))
        }
        [wanted, rest @ ..] => path.first() == Some(wanted) && stands_for(rest, &path[1..]),
        [] => path.is_empty(),
    }
}

/// The cookies of a header, split as plainly as can be.
pub fn cookies(header: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let crumbs = header.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    crumbs
        .map(|crumb| pair(crumb, b'='))
        .map(|(name, value)| (name.trim_ascii().to_vec(), unquoted(value.trim_ascii())))
        .collect()
}

fn unquoted(value: &[u8]) -> Vec<u8> {
    let inner = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    inner.unwrap_or(value).to_vec()
}

fn pair(text: &[u8], at: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == at) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &[]),
    }
}

/// The parameters of a path's query, names decoded once.
pub fn parameters(path: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let query = path.splitn(2, |byte| *byte == b'?').nth(1).unwrap_or_default();
    query
        .split(|byte| *byte == b'&')
        .map(|text| pair(text, b'='))
        .map(|(name, value)| (decoded(name), value.to_vec()))
        .collect()
}

pub fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let hex = text.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
            .filter(|_| text[at] == b'%' && text[at + 1] != b'+')
        {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(text[at]);
                at += 1;
            }
        }
    }
    out
}

/// The names of the fields of every body.
pub fn fields(policy: &Value) -> Vec<String> {
    match policy {
        Value::Object(members) => members
            .iter()
            .flat_map(|(key, value)| match (key.as_str(), value) {
                ("json", Value::Object(paths)) => paths
                    .keys()
                    .flat_map(|path| path.split(['.', '[', ']']).map(str::to_owned))
                    .filter(|name| !name.is_empty())
                    .collect(),
                _ => fields(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(fields).collect(),
        _ => Vec::new(),
    }
}
