//! `proof → requirements`: what must hold beside the proof. An open list, the cheapest first: adding a
//! requirement is a file, a line here, its reasons and its cases (CONTRIBUTING.md).

mod addresses;
mod claims;
mod headers;
mod origins;
mod roles;

use super::failure::{Failure, Proven};
use super::visit::Visit;
use crate::policy::Need;

type Check = fn(&Visit<'_>, &Need, &Proven) -> Result<(), Failure>;

const ALL: [(&str, Check); 5] = [
    ("addresses", addresses::check),
    ("claims", claims::check),
    ("roles", roles::check),
    ("origins", origins::check),
    ("require_headers", headers::check),
];

/// Whether the page that asks may end the visitor's session: one of the module's own, of `origins`, or one
/// that may frame the module.
pub(crate) fn may_log_out(visit: &Visit<'_>) -> Result<(), Failure> {
    match visit.asked_by_ancestor() {
        true => Ok(()),
        false => origins::from_a_known_site(visit).map_err(Failure::from),
    }
}

/// Every requirement of the route, until one does not hold.
pub(crate) fn check(visit: &mut Visit<'_>, need: &Need, proven: &Proven) -> Result<(), Failure> {
    for (name, check) in ALL {
        let outcome = check(visit, need, proven);
        visit.notes.add(name, || match &outcome {
            Ok(()) => "holds".to_owned(),
            Err(failure) => failure.reason.to_string(),
        });
        outcome?;
    }
    Ok(())
}
