//! `origins`: which sites may use the visitor's cookie (docs/rules.md, rule 7).
//!
//! Whatever a browser sends by itself, another site can make it send. So what a cookie admits must come
//! from the module's own pages or from an origin that the route lists: unsafe methods and websockets
//! always, and sub-resources where the browser says that another site asks for them. Navigations are
//! free: a link is no attack, and who may frame the page is said by `frame-ancestors`.

use crate::Reason;
use crate::decide::credential::Source;
use crate::decide::failure::{Failure, Proven};
use crate::decide::visit::Visit;
use crate::policy::Need;
use crate::request::{Caller, SentOrigin, Site};

pub(super) fn is_asked(visit: &Visit<'_>, _: &Need, proven: &Proven) -> bool {
    let by_cookie = proven.token.as_ref().is_some_and(|token| token.source == Source::Cookie);
    let acts = !visit.target.is_safe() || visit.caller.websocket;
    let foreign_part =
        matches!(visit.caller.site, Some(Site::Sibling | Site::Foreign)) && !visit.caller.navigates;
    by_cookie && !visit.is_refresh() && (acts || foreign_part)
}

pub(super) fn check(visit: &Visit<'_>, _: &Need, _: &Proven) -> Result<(), Failure> {
    from_a_known_site(visit).map_err(Failure::from)
}

/// `Sec-Fetch-Site`, which no script can write, else `Origin`. Where they contradict each other nobody is believed:
/// WebKit has said `same-origin` or `none` of what another site's page had sent, and its Origin told.
pub(super) fn from_a_known_site(visit: &Visit<'_>) -> Result<(), Reason> {
    let Caller { site, origin, .. } = &visit.caller;
    match (site, origin) {
        (_, SentOrigin::Known(origin)) if visit.rule.origins.contains(origin) => Ok(()),
        (Some(Site::Own | Site::Hand), SentOrigin::Known(origin)) => {
            let own = origin.is_at(&visit.target.host);
            if own { Ok(()) } else { Err(Reason::OriginForeign) }
        }
        (Some(Site::Hand), SentOrigin::Opaque) => Err(Reason::OriginForeign),
        (Some(Site::Own | Site::Hand), _) => Ok(()),
        (None, SentOrigin::Known(origin)) if Caller::is_own(origin, &visit.target) => Ok(()),
        (None, SentOrigin::Absent) => Err(Reason::OriginMissing),
        _ => Err(Reason::OriginForeign),
    }
}
