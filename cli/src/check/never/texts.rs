//! Texts that are compared letter by letter, written as if they were patterns or lists.

use vigile_policy::Tree;

use super::Finding;
use crate::config::Node;
use crate::policy::{Policy, asks};

pub(super) fn find(policy: &Policy<'_>) -> Vec<Finding> {
    let routes = policy.routes();
    let tokens: Vec<Node<'_>> = routes.iter().flat_map(|route| asks(route, "token")).collect();
    let roles = tokens.iter().filter_map(|token| token.get("roles"));
    let roles: Vec<Node<'_>> = roles.flat_map(|roles| words(&roles)).collect();
    let claims = tokens.iter().filter_map(|token| token.get("claims"));
    let claims: Vec<(&str, Node<'_>)> =
        claims.flat_map(|claims| claims.entries().collect::<Vec<_>>()).collect();
    let values = claims.iter().flat_map(|(_, values)| words(values));
    let issuers = policy.root().get("issuers");
    let issuers: Vec<Node<'_>> = issuers.iter().flat_map(Node::items).collect();
    let of_issuers = issuers.iter().flat_map(|issuer| {
        let revoked = issuer.get("revoked").and_then(|revoked| revoked.get("jti"));
        [issuer.get("issuer"), issuer.get("audiences"), revoked].into_iter().flatten()
    });
    let of_issuers = of_issuers.flat_map(|texts| words(&texts));
    let compared = roles.iter().cloned().chain(values).chain(of_issuers);
    let patterns = compared.filter(|node| is_pattern(node));
    let patterns = patterns.map(|node| Finding::warning(&node, LETTER_BY_LETTER));
    let lists = roles.iter().filter(|node| node.text().is_some_and(|text| text.contains(',')));
    let lists = lists.map(|node| Finding::warning(node, ONE_ROLE));
    patterns.chain(lists).chain(claims.iter().filter_map(of_kind)).collect()
}

const LETTER_BY_LETTER: &str = "this is compared letter by letter: * and expressions stand for themselves. List the values, or ask for a claim that says the same of all of them";
const ONE_ROLE: &str =
    "this is one role with a comma in its name: a list has each role by itself, [admin, operator]";

/// The texts of a list, or the one that stands there; of a variable none is known.
fn words<'p>(node: &Node<'p>) -> Vec<Node<'p>> {
    let all = std::iter::once(node.clone()).chain(node.items());
    all.filter(|node| matches!(node.yaml().tree(), Tree::Text(_))).collect()
}

fn is_pattern(node: &Node<'_>) -> bool {
    let text = node.text().unwrap_or_default();
    text.contains('*') || text.starts_with('^') || text.ends_with('$')
}

/// Claims whose kind a standard says.
fn of_kind((name, values): &(&str, Node<'_>)) -> Option<Finding> {
    let is_flag = |node: &Node<'_>| matches!(node.yaml().tree(), Tree::Flag(_));
    let mut all = std::iter::once(values.clone()).chain(values.items());
    match *name {
        // OpenID Connect Core 1.0 §5.1. Some providers send a text all the same: both can be listed.
        "email_verified" | "phone_number_verified" => {
            let texts = words(values);
            (!texts.is_empty() && !all.any(|node| is_flag(&node)))
                .then(|| Finding::warning(values, A_FLAG))
        }
        "scope" if !words(values).is_empty() => Some(Finding::note(values, SCOPES)),
        _ => None,
    }
}

const A_FLAG: &str = "this claim is true or false (OpenID Connect Core §5.1), and a text is neither: write true without quotes, or [true, \"true\"] for providers that send both";
const SCOPES: &str = "scope is one text with spaces between its words (RFC 8693 §4.2), and this holds where it is that text and no longer one: with roles_claim: scope on the issuer, roles asks for single words";
