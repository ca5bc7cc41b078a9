//! What in a policy is a secret: for findings and for whoever must not print one.

use vigile_policy::Variable;

use crate::config::Node;
use crate::policy::{Policy, routes};

/// Secrets that stand in the policy itself, each with what it is.
pub(crate) fn written_out<'p>(policy: &'p Policy<'_>) -> Vec<(Node<'p>, &'static str)> {
    let list = |name: &str| policy.root().get(name).map(|list| list.items().collect::<Vec<_>>());
    let (issuers, api_keys) =
        (list("issuers").unwrap_or_default(), list("api_keys").unwrap_or_default());
    let keys = issuers.iter().filter_map(|issuer| issuer.get("keys"));
    let keys: Vec<Node<'p>> = keys.flat_map(|keys| keys.items().collect::<Vec<_>>()).collect();
    let signing = keys.iter().flat_map(signing).map(|node| (node, "a signing secret"));
    let api_keys = api_keys.iter().filter_map(|key| key.get("key")).filter(is_word);
    let api_keys = api_keys.map(|node| (node, "an API key"));
    let modules = policy.modules();
    let forwards = modules.iter().flat_map(|module| {
        let routes = routes(module);
        let own = routes.iter().filter_map(|route| route.get("forward"));
        own.chain(module.get("forward")).flat_map(|forward| forwarded(&forward)).collect::<Vec<_>>()
    });
    let forwards = forwards.map(|node| (node, "a credential for the app"));
    signing.chain(api_keys).chain(forwards).collect()
}

/// A shared secret as text, or as the `k` of a JWK (RFC 7518 §6.4).
fn signing<'p>(key: &Node<'p>) -> Vec<Node<'p>> {
    let set = key.get("jwks").and_then(|jwks| jwks.get("keys"));
    let set: Vec<Node<'p>> = set.map(|keys| keys.items().collect()).unwrap_or_default();
    let jwks = key.get("jwk").into_iter().chain(set);
    let all = key.get("secret").into_iter().chain(jwks.filter_map(|jwk| jwk.get("k")));
    all.filter(is_word).collect()
}

/// Headers with a fixed value whose name says that it is a credential.
fn forwarded<'p>(forward: &Node<'p>) -> Vec<Node<'p>> {
    let words = ["authorization", "api-key", "apikey", "token", "secret", "password"];
    let names_one = |name: &str| words.iter().any(|word| name.to_ascii_lowercase().contains(word));
    let fixed = forward.entries().filter(|(name, node)| names_one(name) && is_word(node));
    fixed.map(|(_, node)| node).collect()
}

fn is_word(node: &Node<'_>) -> bool {
    node.text().is_some()
}

/// Tells whether a variable holds a secret, by where the policy reads it.
pub(crate) fn is_secret(variable: &Variable) -> bool {
    let key = variable.path.rsplit('.').next().unwrap_or_default();
    matches!(key, "secret" | "key") || variable.path.contains("forward.")
}
