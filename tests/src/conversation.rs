//! Plays a case: mints its tokens, fills its requests, keeps its cookies, compares what comes.

use std::collections::BTreeMap;

use crate::case::{Case, Expect, Recipe, Request, Values};
use crate::keys::RING;
use crate::outcome::{Outcome, differences, values};

/// A request that is ready to be sent.
#[derive(Clone, Debug)]
pub struct Ready {
    pub method: String,
    pub path: Vec<u8>,
    pub host: String,
    pub scheme: String,
    pub from: Option<String>,
    /// Beside the method, the path and the host.
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    pub chunked: Option<usize>,
    pub trailers: bool,
    pub held: bool,
    pub leaves: bool,
    pub raw: Option<Vec<u8>>,
    pub http2: bool,
    pub upstream: crate::case::Upstream,
    /// Tells this request from all others; sent as x-request-id.
    pub id: String,
}

/// Plays a case with `send`; gives what went wrong.
pub fn play(
    name: &str,
    case: &Case,
    host: &str,
    mut send: impl FnMut(&Ready) -> Outcome,
) -> Result<(), String> {
    let mut words = tokens(case);
    let mut jar: BTreeMap<String, String> = BTreeMap::new();
    for (at, exchange) in case.exchanges().iter().enumerate() {
        let cookies: Vec<String> =
            jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
        words.insert("jar".into(), cookies.join("; "));
        let id = format!("{}-{at}-{}", name.replace('/', "-"), unique());
        words.insert("id".into(), id.clone());
        let ready = ready(&exchange.request, host, &id, &words);
        let outcome = send(&ready);
        if ready.held {
            continue;
        }
        let expect = filled(&exchange.expect, &words);
        let differences = differences(&expect, &outcome);
        if !differences.is_empty() {
            let shown =
                String::from_utf8_lossy(&outcome.body).chars().take(300).collect::<String>();
            return Err(format!(
                "request {at}:\n  {}\n  {} {shown}",
                differences.join("\n  "),
                outcome.status
            ));
        }
        keep(&mut jar, &outcome);
    }
    Ok(())
}

fn unique() -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn tokens(case: &Case) -> BTreeMap<String, String> {
    let number = unique().to_string();
    let mint = |recipe: &Recipe| {
        let subject = recipe.subject.as_ref().map(|name| name.replace("{unique}", &number));
        RING.mint(&Recipe { subject, ..recipe.clone() })
    };
    let mut words: BTreeMap<String, String> =
        case.tokens.iter().map(|(name, recipe)| (name.clone(), mint(recipe))).collect();
    words.extend(case.token.as_ref().map(|recipe| ("token".into(), mint(recipe))));
    words.insert("service_key".into(), crate::keys::SERVICE_API_KEY.into());
    words.insert("next_service_key".into(), crate::keys::SERVICE_API_KEY_NEXT.into());
    words
}

fn keep(jar: &mut BTreeMap<String, String>, outcome: &Outcome) {
    for (_, cookie) in outcome.headers.iter().filter(|(name, _)| name == "set-cookie") {
        let cookie = String::from_utf8_lossy(cookie);
        let pair = cookie.split(';').next().unwrap_or_default();
        if let Some((name, value)) = pair.split_once('=') {
            jar.insert(name.trim().into(), value.trim().into());
        }
    }
}

fn fill(text: &str, words: &BTreeMap<String, String>) -> String {
    words
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

fn filled(expect: &Expect, words: &BTreeMap<String, String>) -> Expect {
    let mut expect = expect.clone();
    for value in expect.headers.values_mut().flatten() {
        *value = fill(value, words);
    }
    for part in expect.body.iter_mut().chain(&mut expect.body_without) {
        *part = fill(part, words);
    }
    if let Some(crate::case::Seen::Request { path, headers, .. }) = &mut expect.upstream {
        for value in headers.values_mut().flatten().chain(path) {
            *value = fill(value, words);
        }
    }
    expect
}

fn ready(request: &Request, host: &str, id: &str, words: &BTreeMap<String, String>) -> Ready {
    let text = |text: &str| fill(text, words);
    let (method, path) = match (&request.get, &request.post, &request.method, &request.path) {
        (Some(path), None, None, None) => ("GET".to_owned(), path),
        (None, Some(path), None, None) => ("POST".to_owned(), path),
        (None, None, Some(method), Some(path)) => (method.clone(), path),
        _ if request.raw.is_some() => ("GET".to_owned(), &String::new()),
        _ => panic!("{id}: get, post, or method and path"),
    };
    let mut headers = fetch_metadata(request);
    for (name, values) in &request.headers {
        let all = Values::map(values, text).all();
        headers.extend(all.into_iter().map(|value| (name.clone(), value)));
    }
    let body =
        request.body.as_deref().map(|body| crate::case::bytes(&text(body))).unwrap_or_default();
    Ready {
        method,
        path: crate::case::bytes(&text(path)),
        host: request.host.clone().unwrap_or(host.to_owned()),
        scheme: request.scheme.clone().unwrap_or("https".into()),
        from: request.from.clone(),
        headers,
        body,
        chunked: request.chunked,
        trailers: request.trailers,
        held: request.held,
        leaves: request.leaves,
        raw: request.raw.as_deref().map(|raw| {
            crate::case::bytes(&format!("{}\n\n", text(raw).trim_end()).replace('\n', "\r\n"))
        }),
        http2: request.http2,
        upstream: crate::case::Upstream {
            held: request.held || request.upstream.held,
            ..request.upstream.clone()
        },
        id: id.to_owned(),
    }
}

/// What a browser would say of such a request (W3C Fetch Metadata).
fn fetch_metadata(request: &Request) -> Vec<(String, Vec<u8>)> {
    let Some(dest) = &request.dest else {
        return request
            .site
            .iter()
            .map(|site| ("sec-fetch-site".into(), site.clone().into()))
            .collect();
    };
    let (mode, site) = match dest.as_str() {
        "iframe" | "frame" => ("navigate", "cross-site"),
        "document" => ("navigate", "none"),
        "empty" => ("cors", "same-origin"),
        _ => ("no-cors", "same-origin"),
    };
    let site = request.site.as_deref().unwrap_or(site);
    [("sec-fetch-dest", dest.as_str()), ("sec-fetch-mode", mode), ("sec-fetch-site", site)]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .collect()
}

/// The location of an answer, for those who follow it.
pub fn location(outcome: &Outcome) -> Option<String> {
    values(&outcome.headers, "location")
}
