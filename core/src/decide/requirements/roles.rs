//! `roles`: any of these words in the issuer's roles claim, or among the roles of an API key.

use crate::Reason;
use crate::decide::failure::{Failure, Proven};
use crate::decide::visit::Visit;
use crate::policy::Need;

pub(super) fn is_asked(_: &Visit<'_>, need: &Need, proven: &Proven) -> bool {
    let of_token = need.token.as_ref().is_some_and(|wanted| !wanted.roles.is_empty());
    (of_token && proven.token.is_some()) || (!need.key_roles.is_empty() && proven.api_key.is_some())
}

pub(super) fn check(_: &Visit<'_>, need: &Need, proven: &Proven) -> Result<(), Failure> {
    if let Some(key) = proven.api_key.as_ref().filter(|_| !need.key_roles.is_empty())
        && !key.has_any(&need.key_roles)
    {
        return Err(Reason::ApiKeyRoles.into());
    }
    let (Some(wanted), Some(token)) = (&need.token, &proven.token) else { return Ok(()) };
    if wanted.roles.is_empty() {
        return Ok(());
    }
    let held = token.claims.words(&token.issuer.roles_claim);
    match held.iter().any(|role| wanted.roles.contains(role)) {
        true => Ok(()),
        false => Err(Reason::TokenRoles.into()),
    }
}
