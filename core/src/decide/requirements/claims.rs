//! `claims`: what a token must say.

use crate::Reason;
use crate::decide::failure::{Failure, Proven};
use crate::decide::visit::Visit;
use crate::policy::{Need, TokenNeed};

pub(super) fn check(_: &Visit<'_>, need: &Need, proven: &Proven) -> Result<(), Failure> {
    let (Some(wanted), Some(token)) = (&need.token, &proven.token) else { return Ok(()) };
    let holds = |name: &String, values: &Vec<_>| {
        token.claims.claim(name).is_some_and(|claim| TokenNeed::accepts(values, &claim))
    };
    match wanted.claims.iter().all(|(name, values)| holds(name, values)) {
        true => Ok(()),
        false => Err(Reason::TokenClaims.into()),
    }
}
