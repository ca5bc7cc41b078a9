//! What a policy says to NGINX Unit in vain. What Unit cannot honour at all is a mistake of the policy there.

use super::Finding;
use crate::config::{Config, Node};
use crate::proxy::Proxy;

/// Unit's own `max_body_size`.
const LARGEST: f64 = 8_388_608.0;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    if config.proxy == Proxy::Envoy {
        return Vec::new();
    }
    config
        .policies
        .iter()
        .flat_map(|policy| policy.routes().iter().flat_map(judge).collect::<Vec<_>>())
        .collect()
}

fn judge(route: &Node<'_>) -> Vec<Finding> {
    let Some(body) = route.get("body") else { return Vec::new() };
    let most =
        body.get("max_bytes").filter(|most| most.number().is_some_and(|most| most > LARGEST));
    let large = most.map(|most| Finding::warning(&most, LARGER));
    let cut = body.get("chunked").map(|chunked| Finding::note(&chunked, NO_CHUNKS));
    large.into_iter().chain(cut).collect()
}

const LARGER: &str =
    "Unit answers 413 itself above 8 MB, unless settings.http.max_body_size says more";
const NO_CHUNKS: &str =
    "Unit answers bodies without Content-Length with 411 itself: no stream is ever cut";
