//! Headers that Vigile or a browser has another word on, and claims of callers who bring no token.

use super::Finding;
use crate::config::Node;
use crate::policy::{Policy, asks, routes};

pub(super) fn find(policy: &Policy<'_>) -> Vec<Finding> {
    let modules = policy.modules();
    modules
        .iter()
        .flat_map(|module| on_answers(module).into_iter().chain(forwarded(module)))
        .collect()
}

fn on_answers(module: &Node<'_>) -> Vec<Finding> {
    let headers = module.get("headers");
    let is_framed = module.get("embed").is_some();
    let found = headers.iter().flat_map(Node::entries).filter_map(|(name, node)| {
        let problem = match name.to_ascii_lowercase().as_str() {
            "www-authenticate" => CHALLENGE,
            "x-frame-options" if is_framed && node.text() != Some("false") => FRAMES,
            _ => return None,
        };
        Some(Finding::warning(&node, problem))
    });
    found.collect()
}

const CHALLENGE: &str = "this stands on answers of the app, which were let in, and not on Vigile's own 401, which has a challenge of its own: leave it out";
const FRAMES: &str = "embed.ancestors says who may frame the module, and browsers that know frame-ancestors pass this over: leave it out, or an old browser keeps the platform out";

/// Headers for the app whose source no route asks for.
fn forwarded(module: &Node<'_>) -> Vec<Finding> {
    let asked = |key: &str| routes(module).iter().any(|route| !asks(route, key).is_empty());
    let kinds = [("claim", asked("token"), NO_TOKEN), ("api_key", asked("api_key"), NO_KEY)];
    let forward = module.get("forward");
    let found = forward.iter().flat_map(Node::entries).filter_map(|(_, node)| {
        let (_, _, problem) =
            kinds.iter().find(|(key, is_asked, _)| !is_asked && node.get(key).is_some())?;
        Some(Finding::warning(&node, *problem))
    });
    found.collect()
}

const NO_TOKEN: &str = "no route of this module takes a token, so there is never a claim: { api_key: name } tells which key came";
const NO_KEY: &str = "no route of this module takes an API key, so there is never one to name";
