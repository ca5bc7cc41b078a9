//! The format of a case: one request, or a short conversation, and what must come of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use vigile::yaml::Yaml;

/// A file of the corpus.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A policy of `tests/corpus/policies`, or a sample's folder (`envoy/ocr`).
    pub policy: String,
    /// The token that `{token}` stands for.
    #[serde(default)]
    pub token: Option<Recipe>,
    /// Further tokens by the names that stand for them.
    #[serde(default)]
    pub tokens: BTreeMap<String, Recipe>,
    /// A case of one request has these two.
    pub request: Option<Request>,
    pub expect: Option<Expect>,
    /// A conversation has these; cookies that were set are sent where `{jar}` stands.
    #[serde(default)]
    pub steps: Vec<Exchange>,
    /// Runners that this case is not for, each with its reason.
    #[serde(default)]
    pub not_on: BTreeMap<String, String>,
}

/// A request and what must come of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    pub request: Request,
    /// Nothing, where the request is `held`.
    #[serde(default)]
    pub expect: Expect,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// A path to GET; or `method` and `path`.
    pub get: Option<String>,
    pub post: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
    /// The host; the policy's first one where nothing is said.
    pub host: Option<String>,
    /// `https` where nothing is said.
    pub scheme: Option<String>,
    /// The address of the caller.
    pub from: Option<String>,
    /// `Sec-Fetch-Dest`; `iframe` and `document` bring the mode `navigate` with them.
    pub dest: Option<String>,
    /// `Sec-Fetch-Site`; `cross-site` for a frame where nothing is said.
    pub site: Option<String>,
    /// A value, or several of one header.
    #[serde(default)]
    pub headers: BTreeMap<String, Values>,
    pub body: Option<String>,
    /// The body is sent in chunks of so many bytes, and its length is not said (nor is it ever in HTTP/2).
    pub chunked: Option<usize>,
    /// Trailers follow the chunks.
    #[serde(default)]
    pub trailers: bool,
    /// The app gives no answer, and the caller waits until the case is over: what comes after it comes
    /// while it is under way. Nothing is expected of it but to reach the app.
    #[serde(default)]
    pub held: bool,
    /// The caller leaves when all but the last byte of its body is sent.
    #[serde(default)]
    pub leaves: bool,
    /// The whole request as bytes: lines end with CRLF, `\xNN` is a byte. Nothing is added but what
    /// stands there.
    pub raw: Option<String>,
    /// HTTP/2 where this says so.
    #[serde(default)]
    pub http2: bool,
    /// What the app answers.
    #[serde(default)]
    pub upstream: Upstream,
}

/// One value or several; `\xNN` in it is a byte.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Values {
    One(String),
    Many(Vec<String>),
    /// So many headers of this name.
    Count {
        value: String,
        times: usize,
    },
}

/// The app's answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// The app waits for ever.
    #[serde(default, rename = "silent")]
    pub held: bool,
    pub status: Option<u16>,
    #[serde(default)]
    pub headers: BTreeMap<String, Values>,
}

/// How a token is made when the case runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The key that signs; `iahome` where nothing is said.
    pub key: Option<String>,
    pub alg: Option<String>,
    pub kid: Option<String>,
    /// Becomes `moduleName`.
    pub module: Option<String>,
    /// Becomes `sub`; `user-1` where nothing is said, none where it is empty. `{unique}` is another number
    /// each time that the case is played.
    pub subject: Option<String>,
    /// Seconds from now, as `10m` or `-2m`; ten minutes where nothing is said, `never` for none.
    pub expires: Option<String>,
    pub not_before: Option<String>,
    pub issued: Option<String>,
    #[serde(default)]
    pub claims: serde_json::Map<String, serde_json::Value>,
    /// The JSON of the header, as it is; HMAC keys alone.
    pub raw_header: Option<String>,
    /// The JSON of the claims, as it is; `{now}` and `{exp}` are seconds.
    pub raw_claims: Option<String>,
    /// What is done to the finished token.
    pub then: Option<Mangle>,
}

/// Ways to spoil a token.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mangle {
    /// Another signature of the same length.
    ForgeSignature,
    /// The claims are changed after signing.
    ChangeClaims,
    /// The signature is cut off.
    DropSignature,
    /// A part that is not base64url.
    Garbage,
    /// Padding behind the parts.
    Pad,
    /// Bits behind the last byte of the signature, which a lenient decoder would drop.
    TrailingBits,
    /// A fourth part.
    FourParts,
    /// Grown to this many bytes by a claim.
    Grow(usize),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The reason of a refusal.
    pub refuse: Option<String>,
    /// The reason for letting through.
    pub allow: Option<String>,
    /// The reason of an answer of Vigile's own.
    pub answer: Option<String>,
    /// In `mode: observe`: the reason that would have refused.
    pub observe: Option<String>,
    pub status: Option<u16>,
    /// Headers of the answer: a value, `null` for absent, `~text` for a part of it.
    #[serde(default)]
    pub headers: BTreeMap<String, Option<String>>,
    /// The body as JSON, exactly.
    pub json: Option<serde_json::Value>,
    /// Parts that the body holds.
    #[serde(default)]
    pub body: Vec<String>,
    /// Parts that the body does not hold.
    #[serde(default)]
    pub body_without: Vec<String>,
    pub upstream: Option<Seen>,
    /// Members of the audit line; `null` for absent.
    #[serde(default)]
    pub log: BTreeMap<String, Option<serde_json::Value>>,
    /// Members of Envoy's own line of the request (`access_log` in tests/src/envoy.rs).
    #[serde(default)]
    pub access: BTreeMap<String, Option<serde_json::Value>>,
    /// Envoy's own answer, before or instead of Vigile's.
    #[serde(default)]
    pub by_envoy: bool,
}

/// What the app must have seen.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Seen {
    /// `untouched`: nothing.
    Word(String),
    Request {
        method: Option<String>,
        path: Option<String>,
        #[serde(default)]
        headers: BTreeMap<String, Option<String>>,
        /// The whole body.
        body: Option<String>,
    },
}

/// A case with its name: `token/expired`.
#[derive(Clone, Debug)]
pub struct Named {
    pub name: String,
    pub case: Case,
}

impl Case {
    /// Its requests in their order.
    pub fn exchanges(&self) -> Vec<Exchange> {
        match (&self.request, &self.expect) {
            (Some(request), Some(expect)) => {
                vec![Exchange { request: request.clone(), expect: expect.clone() }]
            }
            _ => self.steps.clone(),
        }
    }

    fn check(&self, name: &str) {
        let single = self.request.is_some() && self.expect.is_some();
        assert!(single == self.steps.is_empty(), "{name}: either request and expect, or steps");
        for runner in self.not_on.keys() {
            assert!(
                ["core", "envoy", "proxy-wasm", "unit"].contains(&runner.as_str()),
                "{name}: not_on {runner}?"
            );
        }
        for Exchange { request, expect } in self.exchanges() {
            if request.held {
                continue;
            }
            let said = [&expect.refuse, &expect.allow, &expect.answer, &expect.observe];
            let count =
                said.iter().filter(|said| said.is_some()).count() + usize::from(expect.by_envoy);
            assert_eq!(count, 1, "{name}: one of refuse, allow, answer, observe, by_envoy");
            for code in said.into_iter().flatten() {
                assert!(
                    vigile_policy::Reason::from_code(code).is_some(),
                    "{name}: no reason {code}"
                );
            }
        }
    }
}

/// The folder of the corpus.
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Every case, in the order of their names.
pub fn all() -> Vec<Named> {
    let mut files = Vec::new();
    walk(&corpus(), &mut files);
    files.sort();
    files.iter().map(|file| read(file)).collect()
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the corpus is there") {
        let path = entry.expect("a folder can be read").path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "policies" && name != "bad")
        {
            walk(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml")
            && path.parent() != Some(&corpus())
        {
            files.push(path);
        }
    }
}

fn read(file: &Path) -> Named {
    let name = file.strip_prefix(corpus()).unwrap().with_extension("").display().to_string();
    let text = std::fs::read_to_string(file).unwrap();
    let yaml = Yaml::parse(&text)
        .unwrap_or_else(|error| panic!("{name}: {} {}", error.place, error.problem));
    let json = serde_json::to_value(yaml.tree()).unwrap();
    let case: Case = serde_json::from_value(whole_numbers(json))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    case.check(&name);
    Named { name, case }
}

/// A tree has doubles only; statuses and claims want whole numbers back.
pub fn whole_numbers(json: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match json {
        Value::Number(number) => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() < 1e15 => Value::from(float as i64),
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(whole_numbers).collect(),
        Value::Object(members) => Value::Object(
            members.into_iter().map(|(key, value)| (key, whole_numbers(value))).collect(),
        ),
        other => other,
    }
}

impl Values {
    pub fn all(&self) -> Vec<Vec<u8>> {
        match self {
            Self::One(value) => vec![bytes(value)],
            Self::Many(values) => values.iter().map(|value| bytes(value)).collect(),
            Self::Count { value, times } => vec![bytes(value); *times],
        }
    }

    pub fn map(&self, fill: impl Fn(&str) -> String) -> Self {
        match self {
            Self::One(value) => Self::One(fill(value)),
            Self::Many(values) => Self::Many(values.iter().map(|value| fill(value)).collect()),
            Self::Count { value, times } => Self::Count { value: fill(value), times: *times },
        }
    }
}

/// Text with `\xNN` for bytes that no text has, and `<<x*1000>>` for something many times.
pub fn bytes(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(hex) = rest.strip_prefix("\\x").and_then(|rest| rest.get(..2))
            && let Ok(byte) = u8::from_str_radix(hex, 16)
        {
            out.push(byte);
            rest = &rest[4..];
            continue;
        }
        if let Some((inner, after)) = rest.strip_prefix("<<").and_then(|rest| rest.split_once(">>"))
            && let Some((unit, times)) = inner.rsplit_once('*')
            && let Ok(times) = times.parse::<usize>()
        {
            out.extend(unit.as_bytes().repeat(times));
            rest = after;
            continue;
        }
        let next = rest.chars().next().unwrap();
        out.extend(next.to_string().as_bytes());
        rest = &rest[next.len_utf8()..];
    }
    out
}
