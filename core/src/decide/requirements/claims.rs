//! `claims`: what a token must say.

use crate::Reason;
use crate::decide::failure::{Failure, Proven};
use crate::decide::visit::Visit;
use crate::policy::{Need, TokenNeed, Value};
use crate::token::Claims;

pub(super) fn is_asked(_: &Visit<'_>, need: &Need, proven: &Proven) -> bool {
    proven.token.is_some() && need.token.as_ref().is_some_and(|wanted| !wanted.claims.is_empty())
}

pub(super) fn check(_: &Visit<'_>, need: &Need, proven: &Proven) -> Result<(), Failure> {
    let (Some(wanted), Some(token)) = (&need.token, &proven.token) else { return Ok(()) };
    match lacking(wanted, &token.claims) {
        None => Ok(()),
        Some(_) => Err(Reason::TokenClaims.into()),
    }
}

/// The first claim that is missing or has no accepted value.
pub(crate) fn lacking<'n>(
    wanted: &'n TokenNeed,
    claims: &Claims,
) -> Option<&'n (String, Vec<Value>)> {
    let holds = |(name, values): &&(String, Vec<Value>)| {
        claims.claim(name).is_some_and(|claim| TokenNeed::accepts(values, &claim))
    };
    wanted.claims.iter().find(|claim| !holds(claim))
}
