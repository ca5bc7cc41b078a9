//! Modules that take any token of an issuer, made for whichever module.

use super::Finding;
use crate::config::{Config, Node};
use crate::policy::{Policy, asks, routes};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.policies.iter().flat_map(of_policy).collect()
}

fn of_policy(policy: &Policy<'_>) -> Vec<Finding> {
    let modules = policy.modules();
    let unbound = modules.iter().filter_map(|module| {
        let claim = module.get("module_claim").filter(|claim| claim.text() == Some("none"))?;
        let tokens: Vec<Node<'_>> =
            routes(module).iter().flat_map(|route| asks(route, "token")).collect();
        let loose = tokens.iter().any(|token| !is_bound(policy, token));
        loose.then(|| {
            Finding::warning(
                &claim,
                "a token that the issuer made for another module opens this one too: leave module_claim out, or bind tokens by the issuer's audiences or the routes' claims",
            )
        })
    });
    unbound.collect()
}

/// Tells whether a token must say something else that only some of the issuer's tokens say.
fn is_bound(policy: &Policy<'_>, token: &Node<'_>) -> bool {
    let issuers = policy.root().get("issuers");
    let name = token.get("issuer").and_then(|issuer| issuer.text());
    let is_meant = |issuer: &Node<'_>| issuer.get("name").and_then(|name| name.text()) == name;
    let has_audiences = |issuer: Node<'_>| {
        issuer.get("audiences").is_some_and(|audiences| audiences.text() != Some("any"))
    };
    let issuer = issuers.and_then(|issuers| issuers.items().find(is_meant));
    token.get("claims").is_some() || issuer.is_some_and(has_audiences)
}
