//! `proof → requirements`: what must hold beside the proof. An open list, the cheapest first: adding a
//! requirement is a file, a line here, its reasons and its cases (CONTRIBUTING.md).

mod addresses;
mod claims;
mod headers;
mod origins;
mod roles;

pub(crate) use claims::lacking;

use super::audit;
use super::failure::{Failure, Proven};
use super::visit::Visit;
use crate::policy::Need;

/// One of them.
struct Requirement {
    /// The key of the policy.
    name: &'static str,
    /// Tells that the route asks this caller for it.
    is_asked: fn(&Visit<'_>, &Need, &Proven) -> bool,
    /// Refuses the caller where it does not hold.
    check: fn(&Visit<'_>, &Need, &Proven) -> Result<(), Failure>,
}

macro_rules! requirements {
    ($($module:ident $name:literal)+) => {
        const ALL: &[Requirement] = &[$(
            Requirement { name: $name, is_asked: $module::is_asked, check: $module::check },
        )+];
    };
}

requirements! {
    addresses "addresses"
    claims "claims"
    roles "roles"
    origins "origins"
    headers "require_headers"
}

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
    for Requirement { name, is_asked, check } in ALL {
        if !is_asked(visit, need, proven) {
            continue;
        }
        let outcome = check(visit, need, proven)
            .map_err(|failure| Failure { proven: proven.clone(), ..failure });
        visit.note(name, |visit| match &outcome {
            Ok(()) => "holds".to_owned(),
            Err(failure) => audit::outcome(visit, need, failure),
        });
        outcome?;
    }
    Ok(())
}
