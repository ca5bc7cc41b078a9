//! Unit's routes, as far as `nginx-unit/config.json` uses them: the first whose every condition holds.

use std::net::IpAddr;

use http::StatusCode;
use ipnet::IpNet;
use percent_encoding::percent_decode;
use regex::bytes::Regex;
use serde_json::Value;

/// A list of routes.
#[derive(Clone, Default)]
pub struct Routes(Vec<(Vec<Condition>, Outcome)>);

/// A request, as routes see it.
pub struct Arrived<'a> {
    pub method: &'a str,
    /// In lower case, without the port.
    pub host: &'a str,
    /// As it was sent.
    pub target: &'a [u8],
    pub peer: IpAddr,
}

/// What becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Return(StatusCode),
    /// To an application or a proxy.
    Pass(Value),
}

#[derive(Clone)]
struct Condition {
    property: String,
    patterns: Vec<Pattern>,
}

/// `!` before it turns it around.
#[derive(Clone)]
struct Pattern {
    negative: bool,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Expression(Regex),
    /// Exact, or with `*` for anything.
    Word(String),
    Network(IpNet),
}

impl Routes {
    /// Reads a list as it stands in a configuration.
    pub fn read(routes: &Value) -> Self {
        let read = |route: &Value| {
            let matches = route.get("match").and_then(Value::as_object);
            let conditions = matches.into_iter().flatten().map(|(property, patterns)| Condition {
                property: property.clone(),
                patterns: texts(patterns)
                    .iter()
                    .map(|text| Pattern::read(property, text))
                    .collect(),
            });
            (conditions.collect(), outcome(&route["action"]))
        };
        Self(routes.as_array().unwrap().iter().map(read).collect())
    }

    /// 404 where no route takes it.
    pub fn outcome(&self, arrived: &Arrived<'_>) -> Outcome {
        let holds = |conditions: &[Condition]| conditions.iter().all(|one| one.holds(arrived));
        let found = self.0.iter().find(|(conditions, _)| holds(conditions));
        match found {
            Some((_, outcome)) => outcome.clone(),
            None if self.0.is_empty() => Outcome::Pass(Value::Null),
            None => Outcome::Return(StatusCode::NOT_FOUND),
        }
    }
}

impl<'a> Arrived<'a> {
    /// Path and query; what follows a `#` is read by nobody.
    fn parts(&self) -> (&'a [u8], &'a [u8]) {
        let whole = self.target.split(|byte| *byte == b'#').next().unwrap_or_default();
        match whole.iter().position(|byte| *byte == b'?') {
            Some(at) => (&whole[..at], &whole[at + 1..]),
            None => (whole, b""),
        }
    }
}

/// A query as routes see it: `+` is a space, and what is no escape stays (nxt_http_request.c).
fn arguments(query: &[u8]) -> Vec<u8> {
    let spaced: Vec<u8> =
        query.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    percent_decode(&spaced).collect()
}

/// `$uri`: escapes decoded, slashes merged, dot segments resolved, as Unit's own parser does in one go.
fn read(path: &[u8]) -> Vec<u8> {
    let decoded: Vec<u8> = percent_decode(path).collect();
    let (mut kept, mut last): (Vec<&[u8]>, &[u8]) = (Vec::new(), b"");
    for segment in decoded.split(|byte| *byte == b'/').skip(1) {
        last = segment;
        match segment {
            b"" | b"." => {}
            b".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    let mut path =
        kept.iter().fold(Vec::new(), |path, segment| [&path, &b"/"[..], segment].concat());
    if path.is_empty() || matches!(last, b"" | b"." | b"..") {
        path.push(b'/');
    }
    path
}

/// The target that a second hop is sent by an action with `rewrite`: what it gives is read as a path of its
/// own, and the query stays.
pub fn rewritten(action: &Value, arrived: &Arrived<'_>) -> Option<Vec<u8>> {
    let (path, query) = arrived.parts();
    let mut rest = action.get("rewrite")?.as_str()?;
    let mut written = Vec::new();
    while let Some(next) = rest.chars().next() {
        let variables = [
            ("$remote_addr", arrived.peer.to_string().into_bytes()),
            ("$request_uri", arrived.target.to_vec()),
            ("$uri", read(path)),
        ];
        let found = variables.into_iter().find(|(name, _)| rest.starts_with(name));
        match found {
            Some((name, value)) => {
                written.extend(value);
                rest = &rest[name.len()..];
            }
            None => {
                written.extend(next.to_string().into_bytes());
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    let path = written.split(|byte| b"?#".contains(byte)).next().unwrap_or_default();
    let mut target = read(path);
    if !query.is_empty() {
        target.extend(b"?");
        target.extend(query);
    }
    Some(target)
}

fn outcome(action: &Value) -> Outcome {
    match action.get("return").and_then(Value::as_u64) {
        Some(status) => Outcome::Return(StatusCode::from_u16(status as u16).unwrap()),
        None => Outcome::Pass(action.clone()),
    }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => panic!("{other} is no pattern"),
    }
}

impl Pattern {
    fn read(property: &str, text: &str) -> Self {
        let (negative, text) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let kind = match text.strip_prefix('~') {
            Some(expression) => {
                Kind::Expression(Regex::new(&format!("(?-u){expression}")).unwrap())
            }
            None if property == "source" => Kind::Network(
                text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).unwrap(),
            ),
            None => Kind::Word(text.to_owned()),
        };
        Self { negative, kind }
    }

    fn fits(&self, value: &[u8], peer: IpAddr) -> bool {
        let fits = match &self.kind {
            Kind::Expression(expression) => expression.is_match(value),
            Kind::Network(network) => network.contains(&peer),
            Kind::Word(word) => match word.split_once('*') {
                Some((start, end)) => {
                    value.starts_with(start.as_bytes())
                        && value.ends_with(end.as_bytes())
                        && value.len() >= start.len() + end.len()
                }
                None => value == word.as_bytes(),
            },
        };
        fits != self.negative
    }
}

impl Condition {
    /// One of the positive patterns, where there are any, and all of the negative ones.
    fn holds(&self, arrived: &Arrived<'_>) -> bool {
        let (path, query) = arrived.parts();
        let value = match self.property.as_str() {
            "host" => arrived.host.as_bytes().to_vec(),
            "method" => arrived.method.as_bytes().to_vec(),
            "query" => arguments(query),
            "uri" => read(path),
            "source" => Vec::new(),
            other => panic!("the tests' router does not know `{other}`"),
        };
        let (negative, positive): (Vec<&Pattern>, Vec<&Pattern>) =
            self.patterns.iter().partition(|pattern| pattern.negative);
        let fits = |pattern: &&Pattern| pattern.fits(&value, arrived.peer);
        (positive.is_empty() || positive.iter().any(fits)) && negative.iter().all(fits)
    }
}
