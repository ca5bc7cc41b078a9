//! The `detail` of an audit line: what was wanted, and what stood there, for the operator.
//!
//! A log repeats nothing of a token that nobody vouches for: until its signature holds, it is said how the token
//! differs, in words of ours. No key, cookie or query is ever repeated (docs/decisions/0036).

mod claims;
mod page;
mod places;
mod token;
mod words;

use ipnet::IpNet;

use super::failure::{Detail, Failure};
use super::place::Nowhere;
use super::visit::Visit;
use crate::Reason;
use crate::policy::{ClientAddress, LONGEST_TEXT, Need, Networks, Rule};
use crate::request::{Single, Target};
use words::Sentence;

/// The detail of a refusal whose rule is known; `None` where the reason says it all.
#[cold]
pub(crate) fn detail(visit: &Visit<'_>, need: Option<&Need>, failure: &Failure) -> Option<String> {
    let mut said = Sentence::new();
    of_visit(&mut said, visit, need, failure);
    said.finish()
}

#[cold]
fn of_visit(
    said: &mut Sentence,
    visit: &Visit<'_>,
    need: Option<&Need>,
    failure: &Failure,
) -> Option<()> {
    match failure.reason {
        Reason::AddressNotAllowed => addresses(said, need?),
        Reason::AddressUnvouched => said.say(&[unvouched(&visit.policy.client_address)]),
        Reason::OriginMissing | Reason::OriginForeign => page::origins(said, visit),
        Reason::RefreshOrigin => page::ancestors(said, visit),
        Reason::HeaderRequired => return header(said, visit, failure),
        Reason::ApiKeyMissing => places::no_key(said, visit, need?),
        Reason::ApiKeyInvalid => places::unknown_key(said, visit, need?),
        Reason::TokenMissing | Reason::CookieBlocked => {
            places::no_token(said, visit, need?.token.as_ref()?);
        }
        Reason::ApiKeyRoles => return claims::key_roles(said, need?, failure),
        Reason::TokenClaims => return claims::claims(said, need?, failure),
        Reason::TokenRoles => return claims::roles(said, need?, failure),
        Reason::ClaimUnsendable => return claims::unsendable(said, visit, failure),
        Reason::ExchangeSubject => return claims::subjects(said, failure),
        Reason::ExchangeTooLarge => places::too_large(said, visit),
        _ => {
            of_rule(said, &visit.rule, failure);
            let issuer = &need?.token.as_ref()?.issuer;
            return token::detail(said, visit, issuer, failure);
        }
    }
    Some(())
}

/// The reason of a refusal and its detail, as `explain` has them.
#[cold]
pub(crate) fn outcome(visit: &Visit<'_>, need: &Need, failure: &Failure) -> String {
    let mut said = Sentence::new();
    said.say(&[failure.reason.code()]);
    if let Some(detail) = detail(visit, Some(need), failure) {
        said.say(&[": ", &detail]);
    }
    said.finish().unwrap_or_default()
}

/// The detail of a refusal that no rule makes.
#[cold]
pub(crate) fn nowhere(target: Option<&Target<'_>>, nowhere: &Nowhere) -> Option<String> {
    let mut said = Sentence::new();
    match (nowhere.reason, &nowhere.detail, target) {
        (_, Detail::Text(text), _) => said.say(&[text]),
        (_, Detail::Allow(methods), _) => said.say(&["the routes of this path list ", methods]),
        (Reason::PathInvalid, ..) => said.say(&[INVALID]),
        (Reason::ModuleUnknown, _, Some(target)) => said.say(&[
            "no module has the host ",
            &target.host.name,
            " and a path_prefix of this path",
        ]),
        _ => {}
    }
    said.finish()
}

const INVALID: &str = "the path must begin with / and hold neither a space nor # plainly, nor a control character plainly or escaped";

/// The detail of a refusal that comes when the head of the request is gone: its body, or too many requests.
#[cold]
pub(crate) fn after_the_head(rule: &Rule, failure: &Failure) -> Option<String> {
    let mut said = Sentence::new();
    of_rule(&mut said, rule, failure);
    said.finish()
}

#[cold]
fn of_rule(said: &mut Sentence, rule: &Rule, failure: &Failure) {
    match (failure.reason, &failure.detail, &rule.body, &rule.concurrency) {
        (_, Detail::Text(text), ..) => said.say(&[text]),
        (_, Detail::Body(mistakes), ..) => {
            if let Some(first) = mistakes.first() {
                said.say(&[&first.place(), ": ", first.message()]);
            }
        }
        (Reason::BodyMediaType, _, Some(body), _) => {
            said.say(&["Content-Type must be "]);
            let known: Vec<&str> = body.media_types.iter().map(String::as_str).collect();
            said.any_of_texts(&known);
            said.say(&[", and stand once"]);
        }
        (Reason::BodyTooLarge, _, Some(body), _) => {
            said.say(&["max_bytes is "]);
            said.number(body.max_bytes.into());
        }
        (Reason::ConcurrencyFull, .., Some(concurrency)) => {
            said.say(&["concurrency is "]);
            said.number(concurrency.limit.into());
        }
        _ => {}
    }
}

fn unvouched(client_address: &ClientAddress) -> &'static str {
    match client_address {
        ClientAddress::Proxies(_) => {
            "a trusted proxy asks, and X-Forwarded-For names no caller that can be read, or Envoy took the address from it"
        }
        _ => "Envoy took the address from X-Forwarded-For",
    }
}

#[cold]
fn addresses(said: &mut Sentence, need: &Need) {
    let allowed = need.addresses.iter().filter_map(|addresses| addresses.allow.as_ref());
    let denied = need.addresses.iter().map(|addresses| &addresses.deny);
    networks(said, "the caller's address must be in ", &mut allowed.flat_map(Networks::iter));
    let before =
        if said.is_empty() { "the caller's address must not be in " } else { ", and not in " };
    networks(said, before, &mut denied.flat_map(Networks::iter));
}

#[cold]
fn networks(said: &mut Sentence, before: &str, all: &mut dyn Iterator<Item = &IpNet>) {
    let mut shown: Vec<String> = Vec::new();
    for network in all {
        shown.push(network.to_string());
    }
    if !shown.is_empty() {
        said.say(&[before]);
        said.any_of(shown.len(), &mut |said, at| {
            said.say(&[shown.get(at).map(String::as_str).unwrap_or_default()]);
        });
    }
}

#[cold]
fn header(said: &mut Sentence, visit: &Visit<'_>, failure: &Failure) -> Option<()> {
    let Detail::Header(name) = &failure.detail else { return None };
    let required = visit.rule.require_headers.iter().find(|header| header.name == *name)?;
    said.say(&[name, " must have "]);
    said.number(required.min_length.into());
    said.say(&[" to "]);
    said.number(LONGEST_TEXT.into());
    said.say(&[match visit.request.single(name) {
        Single::Absent => " characters; it is missing",
        Single::Repeated => " characters; it stands more than once",
        Single::Value(value) if value.len() > LONGEST_TEXT as usize => " characters; it is longer",
        Single::Value(value) if std::str::from_utf8(value).is_err() => {
            " characters; it is not UTF-8"
        }
        Single::Value(_) => " characters; it is shorter",
    }]);
    Some(())
}
