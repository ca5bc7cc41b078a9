//! `addresses`: where the caller's connection comes from (docs/rules.md, rule 11).

use crate::Reason;
use crate::decide::failure::{Detail, Failure, Proven};
use crate::decide::visit::Visit;
use crate::policy::{ClientAddress, Need};

/// Envoy's `source.address` follows X-Forwarded-For from anybody while `use_remote_address` is unset.
/// Then its port is 0, which no connection has: so an address with port 0 counts only where the policy
/// says that Envoy vouches for it.
pub(super) fn check(visit: &Visit<'_>, need: &Need, _: &Proven) -> Result<(), Failure> {
    if need.addresses.is_empty() {
        return Ok(());
    }
    let Some(peer) = visit.request.peer else { return Err(Reason::AddressUnknown.into()) };
    if peer.port() == 0 && visit.policy.client_address == ClientAddress::Peer {
        return Err(Reason::AddressUnvouched.into());
    }
    let address = peer.ip().to_canonical();
    match need.addresses.iter().all(|networks| networks.contain(address)) {
        true => Ok(()),
        false => Err(Failure::new(Reason::AddressNotAllowed, Detail::Address(address))),
    }
}
