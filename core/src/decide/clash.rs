//! Explains a request that no rule takes: which readings of its path meet which routes. It is judged
//! again for that, since a refusal only needs to know that two of them clash.

use super::place::{Nowhere, Place, find};
use super::{Decision, Note};
use crate::Reason;
use crate::path::{Case, readings};
use crate::policy::Policy;
use crate::request::{Request, Target, overriding_methods};

/// Routes of a module that are named.
const MOST: usize = 12;

/// Adds a note where no rule took the request.
pub(super) fn note(policy: &Policy, request: &Request<'_>, decision: &mut Decision) {
    let reason = decision.record.would_refuse.unwrap_or(decision.record.reason);
    let Ok(target) = Target::of(request) else { return };
    let detail = match reason {
        Reason::PathAmbiguous => clash(policy, &target),
        Reason::MethodAmbiguous => methods(&target),
        Reason::RouteUnknown => routes(decision),
        Reason::ModuleUnknown
        | Reason::MethodNotAllowed
        | Reason::PathInvalid
        | Reason::PathTooLong => decision.record.detail.clone().unwrap_or_default(),
        _ => return,
    };
    let outcome = match detail.as_str() {
        "" => reason.to_string(),
        detail => format!("{reason}: {detail}"),
    };
    decision.notes.push(Note { check: "route", outcome });
}

fn methods(target: &Target<'_>) -> String {
    let named: Vec<_> = overriding_methods(target.query.unwrap_or_default()).collect();
    format!("the request says {}, and its query {}", target.method, named.join(", "))
}

fn routes(decision: &Decision) -> String {
    let Some(module) = &decision.record.module else { return String::new() };
    let all = (0..).map_while(|at| module.routes.get(at)).map(|route| route.pattern.as_str());
    let mut routes: Vec<&str> = all.take(MOST.saturating_add(1)).collect();
    if let Some(last) = routes.get_mut(MOST) {
        *last = "…";
    }
    format!("{} has the routes {}", module.name, routes.join(", "))
}

/// The first reading that meets something else than the path as it stands.
fn clash(policy: &Policy, target: &Target<'_>) -> String {
    let plainly = find(policy, target, target.path, Case::Kept);
    let (Ok(place), Ok(readings)) = (&plainly, readings(target.path)) else {
        return "it can be read in more ways than are looked at".to_owned();
    };
    for path in &readings {
        for case in [Case::Kept, Case::Folded] {
            let other = find(policy, target, path, case);
            if !other.as_ref().is_ok_and(|other| place.is_like(other)) {
                return sentence(place, path, case, &met(place, &other));
            }
        }
        if let Some(route) = place.as_parameter(path, target.method) {
            let other = format!(
                "the route {}, where an empty segment is a parameter",
                route.pattern.as_str()
            );
            return sentence(place, path, Case::Kept, &other);
        }
    }
    String::new()
}

fn sentence(place: &Place, path: &[u8], case: Case, other: &str) -> String {
    let path = String::from_utf8_lossy(path);
    let case = if case == Case::Folded { " in another letter case" } else { "" };
    format!(
        "as it stands it meets the route {}; read as {path:?}{case} it meets {other}",
        place.shown()
    )
}

fn met(place: &Place, other: &Result<Place, Nowhere>) -> String {
    match other {
        Ok(other) if other.module.name == place.module.name => {
            format!("the route {}", other.shown())
        }
        Ok(other) => format!("the route {} of the module {}", other.shown(), other.module.name),
        Err(Nowhere { reason: Reason::MethodNotAllowed, .. }) => {
            "a route that does not list this method".to_owned()
        }
        Err(Nowhere { reason: Reason::ModuleUnknown, .. }) => "no module".to_owned(),
        Err(_) => "no route, and is refused".to_owned(),
    }
}
