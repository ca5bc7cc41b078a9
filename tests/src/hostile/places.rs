//! Where credentials stand in a request, read as plainly as can be.

use vigile_policy::Edit;

use super::model::{Model, cookies, parameters};

type Headers = [(String, Vec<u8>)];

pub fn is_cookie(model: &Model, name: &[u8]) -> bool {
    model.cookies.iter().any(|cookie| cookie.as_bytes() == name)
}

/// What stands in the places where a module looks for credentials.
pub fn presented(headers: &Headers, model: &Model) -> Vec<Vec<u8>> {
    [all_tokens(headers, model), keys(headers, model)].concat()
}

/// In the places of tokens, and among the subprotocols.
pub fn all_tokens(headers: &Headers, model: &Model) -> Vec<Vec<u8>> {
    [tokens(headers, model), subprotocols(headers, model)].concat()
}

/// Behind the word among the subprotocols that are offered.
fn subprotocols(headers: &Headers, model: &Model) -> Vec<Vec<u8>> {
    let Some(word) = &model.subprotocol else { return Vec::new() };
    let offered: Vec<&[u8]> = all(headers, "sec-websocket-protocol")
        .flat_map(|value| value.split(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .collect();
    let pairs = offered.windows(2).filter(|pair| pair[0] == word.as_bytes());
    pairs.map(|pair| pair[1].to_vec()).collect()
}

/// In the places of tokens: header, query, cookies.
pub fn tokens(headers: &Headers, model: &Model) -> Vec<Vec<u8>> {
    let is_parameter = |(name, _): &(Vec<u8>, Vec<u8>)| {
        model.query.as_ref().is_some_and(|query| query.as_bytes() == name)
    };
    let mut found = Vec::new();
    for (name, value) in headers {
        match name.as_str() {
            ":path" => found.extend(parameters(value).into_iter().filter(is_parameter)),
            "cookie" => {
                found.extend(cookies(value).into_iter().filter(|(name, _)| is_cookie(model, name)));
            }
            name if model.header.as_deref() == Some(name) => found.extend(in_header(name, value)),
            _ => {}
        }
    }
    found.into_iter().map(|(_, value)| value).collect()
}

/// In the headers of API keys.
pub fn keys(headers: &Headers, model: &Model) -> Vec<Vec<u8>> {
    let there = headers.iter().filter(|(name, _)| model.key_headers.contains(name));
    there.flat_map(|(name, value)| in_header(name, value)).map(|(_, value)| value).collect()
}

/// A header's value; in Authorization what stands behind Bearer, for all else there is the app's.
fn in_header(name: &str, value: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let value = value.trim_ascii();
    let scheme = value.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case(b"bearer "));
    match (name, scheme) {
        ("authorization", None) => None,
        ("authorization", Some(_)) => Some((Vec::new(), value[7..].trim_ascii().to_vec())),
        _ => Some((Vec::new(), value.to_vec())),
    }
}

pub fn all<'h>(headers: &'h Headers, name: &str) -> impl Iterator<Item = &'h [u8]> {
    headers.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_slice())
}

pub fn first<'h>(headers: &'h Headers, name: &str) -> Option<&'h [u8]> {
    all(headers, name).next()
}

pub fn contains(text: &[u8], part: &[u8]) -> bool {
    !part.is_empty() && text.windows(part.len()).any(|window| window == part)
}

/// The headers after the edits, as Envoy carries them out.
pub fn applied(headers: &Headers, edits: &[Edit<'_>]) -> Vec<(String, Vec<u8>)> {
    let mut headers = headers.to_vec();
    vigile_policy::apply(&mut headers, edits);
    headers
}
