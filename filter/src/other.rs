//! Turns the request that a host other than Envoy hands over into one that the core takes.
//!
//! Seen in the sources of `ngx_wasm_module` (Kong), `wasm-nginx-module` (APISIX) and MOSN's `proxy-wasm-go-host`;
//! `tests/proxy-wasm` plays it.

use vigile_abi::{self as abi, Map, Pairs};

/// How many headers `ngx_wasm_module` hands over. It drops the rest in silence, and may drop an identity.
const MOST: usize = 100;

/// The headers with names in lower case and the pseudo-headers among them; `None` where some are left out.
pub(crate) fn completed(map: Map, mut headers: Pairs, count: usize) -> Option<Pairs> {
    if headers.len() < count || headers.len() >= MOST {
        return None;
    }
    for (name, _) in &mut headers {
        name.make_ascii_lowercase();
    }
    for name in pseudo_headers(map) {
        if !headers.iter().any(|(known, _)| known == name) {
            let value = missing(map, &headers, name);
            headers.extend(value.map(|value| ((*name).to_owned(), value)));
        }
    }
    if matches!(map, Map::RequestHeaders) {
        headers.extend(another_path(&headers));
    }
    Some(headers)
}

/// Pseudo-headers, which HTTP/1.1 does not have. Some hosts have it in the map, others by name alone.
fn pseudo_headers(map: Map) -> &'static [&'static str] {
    match map {
        Map::RequestHeaders => &[":method", ":path", ":scheme", ":authority"],
        Map::ResponseHeaders => &[":status"],
        Map::RequestTrailers => &[],
    }
}

/// A pseudo-header that is not in the map. nginx makes `:authority` of its own name, while Host is what the caller
/// asks for.
fn missing(map: Map, headers: &Pairs, name: &str) -> Option<Vec<u8>> {
    let host = headers.iter().find(|(known, _)| known == "host").map(|(_, value)| value.clone());
    match (name, host) {
        (":authority", Some(host)) => Some(host),
        _ => abi::header(map, name).ok().flatten(),
    }
}

/// nginx decodes a path and resolves its dot segments, and sends the app what came. A request with two paths is
/// refused.
fn another_path(headers: &Pairs) -> Option<(String, Vec<u8>)> {
    let raw = abi::property(&["request", "path"]).ok().flatten()?;
    let is_known = headers.iter().any(|(name, value)| name == ":path" && *value == raw);
    (!is_known).then(|| (":path".to_owned(), raw))
}
