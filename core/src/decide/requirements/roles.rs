//! `roles`: any of these words in the issuer's roles claim.

use crate::Reason;
use crate::decide::failure::{Failure, Proven};
use crate::decide::visit::Visit;
use crate::policy::Need;

pub(super) fn check(_: &Visit<'_>, need: &Need, proven: &Proven) -> Result<(), Failure> {
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
