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

pub(super) fn check(visit: &Visit<'_>, _: &Need, proven: &Proven) -> Result<(), Failure> {
    let by_cookie = proven.token.as_ref().is_some_and(|token| token.source == Source::Cookie);
    if !by_cookie || visit.is_refresh() {
        return Ok(());
    }
    let acts = !visit.target.is_safe() || visit.caller.websocket;
    let foreign_part =
        visit.caller.site.is_some_and(|site| site != Site::Own) && !visit.caller.navigates;
    match acts || foreign_part {
        true => from_a_known_site(visit).map_err(Failure::from),
        false => Ok(()),
    }
}

/// `Sec-Fetch-Site`, which no script can write, else `Origin`.
pub(super) fn from_a_known_site(visit: &Visit<'_>) -> Result<(), Reason> {
    match (visit.caller.site, &visit.caller.origin) {
        (Some(Site::Own), _) => Ok(()),
        (_, SentOrigin::Known(origin)) if visit.rule.origins.contains(origin) => Ok(()),
        (None, SentOrigin::Known(origin)) if Caller::is_own(origin, &visit.target) => Ok(()),
        (None, SentOrigin::Absent) => Err(Reason::OriginMissing),
        _ => Err(Reason::OriginForeign),
    }
}
