//! Says why a token is refused before its signature is looked at. Of the token no word is repeated.

use super::words::Sentence;
use crate::decide::failure::{Detail, Failure};
use crate::decide::visit::Visit;
use crate::policy::{Audiences, Issuer};
use crate::token::{Claim, Claims, Scalar, Unread};
use crate::{Algorithm, Reason};

#[cold]
pub(super) fn detail(
    said: &mut Sentence,
    visit: &Visit<'_>,
    issuer: &Issuer,
    failure: &Failure,
) -> Option<()> {
    match &failure.detail {
        Detail::Unread(Unread::Malformed(malformed)) => said.say(&[&malformed.to_string()]),
        Detail::Unread(Unread::Algorithm(named)) => {
            said.say(&["alg must be "]);
            let known: Vec<&str> = issuer.algorithms.iter().map(|one| one.name()).collect();
            said.any_of_texts(&known);
            said.say(&[
                "; the token's is ",
                named.map_or("none that Vigile knows", Algorithm::name),
            ]);
        }
        Detail::Unread(Unread::Type) => {
            said.say(&["typ must be "]);
            said.any_of_texts(&issuer.types.names());
            said.say(&["; the token's is another or missing"]);
        }
        Detail::Signed { algorithm, kid } => {
            signed(said, visit, issuer, failure.reason, *algorithm, kid.as_deref());
        }
        Detail::Claims(claims) => return of_claims(said, visit, issuer, failure.reason, claims),
        _ => {}
    }
    Some(())
}

/// The keys that did not verify it, or the names of those that might have.
#[cold]
fn signed(
    said: &mut Sentence,
    visit: &Visit<'_>,
    issuer: &Issuer,
    reason: Reason,
    algorithm: Algorithm,
    kid: Option<&str>,
) {
    let signs = algorithm.name();
    match kid {
        _ if reason == Reason::TokenSignature => {
            said.say(&["it was not signed by "]);
            said.any_of_texts(&visit.keys.tried(issuer.index, algorithm, kid));
        }
        Some(_) => {
            said.say(&["kid must be "]);
            said.any_of_texts(&visit.keys.names(issuer.index, algorithm));
            said.say(&[" for ", signs, "; the token's is another"]);
        }
        None => said.say(&[&issuer.name, " has no key for ", signs]),
    }
}

#[cold]
fn of_claims(
    said: &mut Sentence,
    visit: &Visit<'_>,
    issuer: &Issuer,
    reason: Reason,
    claims: &Claims,
) -> Option<()> {
    match reason {
        Reason::TokenIssuer => {
            let wanted = issuer.issuer.as_deref()?;
            said.say(&["iss must be "]);
            said.quoted(wanted);
            said.say(&["; the token's ", difference(wanted, claims.issuer.as_deref())]);
        }
        Reason::TokenAudience => audience(said, issuer, claims),
        Reason::TokenModule => {
            let (claim, name) = (visit.module.module_claim.as_deref()?, &visit.module.name);
            let stood = match claims.claim(claim) {
                Some(Claim::One(Scalar::Text(text))) => difference(name, Some(&text)),
                Some(_) => "is not a string",
                None => MISSING,
            };
            said.say(&["the claim ", claim, " must be "]);
            said.quoted(name);
            said.say(&["; the token's ", stood]);
        }
        Reason::TokenRevoked => said.say(&[issuer.revoked.as_ref()?.cause(claims)?]),
        Reason::TokenNotYetValid => {
            let soon = visit.now.later(issuer.leeway);
            let begins = claims.not_before.is_some_and(|begins| soon < begins);
            said.say(&[if begins { "nbf is still to come" } else { ISSUED_LATER }]);
        }
        Reason::TokenLifetime => {
            let most = humantime::format_duration(issuer.max_lifetime?).to_string();
            let from =
                if claims.issued.is_some() { "iat" } else { "now, since the token has no iat" };
            said.say(&["exp must be ", &most, " at most after ", from]);
        }
        _ => {}
    }
    Some(())
}

const ISSUED_LATER: &str = "iat is still to come, and max_lifetime counts from it";
const MISSING: &str = "is missing";
const OTHER: &str = "is another";

/// Names the difference between a text and the wanted one, where the two are close.
#[cold]
fn difference(wanted: &str, said: Option<&str>) -> &'static str {
    let bare = |text: &str| text.strip_suffix('/').unwrap_or(text).len();
    let Some(said) = said else { return MISSING };
    if said.get(..bare(said)) == wanted.get(..bare(wanted)) {
        return "differs by a slash at its end";
    }
    if said.eq_ignore_ascii_case(wanted) {
        return "differs in letter case";
    }
    match (said.split_once("://"), wanted.split_once("://")) {
        (Some((_, said)), Some((_, wanted))) if said == wanted => "differs by http and https",
        (None, Some((_, wanted))) if said == wanted => "has no scheme before it",
        _ => OTHER,
    }
}

/// Keycloak's `aud` where the client has no audience mapper.
const KEYCLOAKS: &str = "account";

#[cold]
fn audience(said: &mut Sentence, issuer: &Issuer, claims: &Claims) {
    let theirs = claims.audience.as_ref().map(|audience| audience.0.as_slice()).unwrap_or_default();
    match &issuer.audiences {
        Audiences::Of(ours) => {
            let mut stood = if theirs.is_empty() { MISSING } else { OTHER };
            for wanted in ours {
                for one in theirs {
                    let near = difference(wanted, Some(one));
                    stood = if near == OTHER { stood } else { near };
                }
            }
            said.say(&["aud must hold "]);
            said.any_of_quoted(ours);
            said.say(&["; the token's ", stood]);
        }
        _ => said.say(&[
            &issuer.name,
            " lists no audiences, so that a token must have no aud; it has one",
        ]),
    }
    if theirs.iter().any(|one| one == KEYCLOAKS) {
        said.say(&[" (account, which Keycloak writes where the client has no audience mapper)"]);
    }
}
