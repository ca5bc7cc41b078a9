//! `addresses`: where the caller's connection comes from (docs/rules.md, rule 11).

use crate::Reason;
use crate::decide::failure::{Detail, Failure, Proven};
use crate::decide::visit::Visit;
use crate::policy::Need;

pub(super) fn is_asked(_: &Visit<'_>, need: &Need, _: &Proven) -> bool {
    !need.addresses.is_empty()
}

pub(super) fn check(visit: &Visit<'_>, need: &Need, _: &Proven) -> Result<(), Failure> {
    let Some(peer) = visit.request.peer else { return Err(Reason::AddressUnknown.into()) };
    let forwarded_for = visit.request.all("x-forwarded-for");
    let Some(address) = visit.policy.client_address.of(peer, forwarded_for) else {
        return Err(Reason::AddressUnvouched.into());
    };
    match need.addresses.iter().all(|addresses| addresses.admit(address)) {
        true => Ok(()),
        false => Err(Failure::new(Reason::AddressNotAllowed, Detail::Address(address))),
    }
}
