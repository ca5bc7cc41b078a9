//! `issuers`: who signs tokens, and what of theirs is believed.

use std::time::Duration;

use vigile_core::Algorithm;
use vigile_core::policy::{Audiences, Issuer, Revoked};
use vigile_core::token::{Key, Types};

use super::key;
use crate::document::{Node, algorithm, duration, name, text, texts, time};

const FIVE_MINUTES: Duration = Duration::from_mins(5);
const A_MINUTE: Duration = Duration::from_mins(1);
/// As humantime counts them, 365.25 days each.
const TEN_YEARS: Duration = Duration::from_hours(87_660);

/// Reads one issuer and its keys, each for itself: without the secrets there can be one and not the
/// other.
pub(super) fn read(node: &Node<'_>, index: usize) -> Option<(Option<Issuer>, Option<Vec<Key>>)> {
    let section = node.section("{ name: …, algorithms: […], keys: […] }")?;
    let name = section.required("name", name);
    let algorithms = section.required("algorithms", algorithms);
    let types = section.or("typ", Types::default(), |node| Some(types(&texts(node)?)));
    let issuer = section.optional("issuer", text);
    let audiences = section.or("audiences", Audiences::None, audiences);
    let require_exp = section.or("require_exp", true, Node::flag);
    let leeway =
        section.or("leeway", Duration::ZERO, |node| duration(node, Duration::ZERO, FIVE_MINUTES));
    let max_lifetime = section.optional("max_lifetime", |node| duration(node, A_MINUTE, TEN_YEARS));
    let revoked = section.optional("revoked", revoked);
    let roles_claim = section.or("roles_claim", "roles".to_owned(), text);
    let owner = name.as_deref().unwrap_or_default();
    let accepted = algorithms.as_deref();
    let keys = section.required("keys", |node| key::read_all(node, owner, accepted));
    let issuer = || {
        Some(Issuer {
            index,
            name: name.clone()?,
            algorithms: algorithms?,
            types: types?,
            roles_claim: roles_claim?,
            issuer: issuer?,
            audiences: audiences?,
            require_exp: require_exp?,
            leeway: leeway?,
            max_lifetime: max_lifetime?,
            revoked: revoked?,
        })
    };
    Some((issuer(), keys))
}

fn algorithms(node: &Node<'_>) -> Option<Vec<Algorithm>> {
    node.each("[HS256]", |node| {
        algorithm(node.string()?).map_or_else(|problem| node.wrong(problem), Some)
    })
}

fn types(given: &[String]) -> Types {
    Types::Of(given.iter().map(|one| Types::parse(one)).collect())
}

fn audiences(node: &Node<'_>) -> Option<Audiences> {
    match node.tree().as_text() {
        Some("any") => Some(Audiences::Any),
        Some(_) => {
            node.wrong("expected a list of audiences (put brackets around one), or the word any")
        }
        None => texts(node).map(Audiences::Of),
    }
}

fn revoked(node: &Node<'_>) -> Option<Revoked> {
    let section = node.section("{ jti: […], issued_before: 2026-01-01T00:00:00Z }")?;
    let identifiers = section.or("jti", Vec::new(), texts);
    let issued_before = section.optional("issued_before", time);
    if !section.has("jti") && !section.has("issued_before") {
        return section
            .lacks(&["jti", "issued_before"], "one of these is required: jti, issued_before");
    }
    Some(Revoked { identifiers: identifiers?, issued_before: issued_before? })
}
