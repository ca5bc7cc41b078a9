//! One request whose rule is known, on its way through the pipeline.

use std::sync::Arc;

use super::failure::{Detail, Failure};
use super::notes::Notes;
use super::place::Place;
use crate::origin::Origin;
use crate::policy::{Issuer, Mode, Module, Need, Policy, Rule};
use crate::request::{Caller, Destination, MARK, Request, SentOrigin, Target, parameter_values};
use crate::token::{Claims, Keys, Parsed};
use crate::{Reason, UnixTime};

/// What is known of a request before anybody is believed.
pub(crate) struct Visit<'r> {
    pub(crate) policy: Arc<Policy>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) request: Request<'r>,
    pub(crate) target: Target<'r>,
    pub(crate) caller: Caller,
    pub(crate) module: Arc<Module>,
    pub(crate) place: Place,
    pub(crate) rule: Arc<Rule>,
    pub(crate) now: UnixTime,
    pub(crate) notes: Notes,
}

impl Visit<'_> {
    pub(crate) fn is_refresh(&self) -> bool {
        self.place.is_refresh()
    }

    /// A browser goes to a page: GET or HEAD, which a redirect may answer.
    pub(crate) fn navigates(&self) -> bool {
        self.caller.navigates && self.target.is_get()
    }

    /// Whether a good token in the query is to become a cookie: in a tab or a frame (what `<object>` and `<embed>` ask for
    /// navigates, too), and where the route has no cookie of its own, which is no session.
    pub(crate) fn exchanges(&self) -> bool {
        let has_own = |need: &Need| need.token.as_ref().is_some_and(|token| token.cookie.is_some());
        self.navigates()
            && self.caller.destination != Destination::Other
            && !self.rule.access.needs().iter().any(has_own)
            && !self.is_refresh()
            && self.module.mode == Mode::Enforce
            && self.module.credentials.cookie.is_some()
    }

    /// Tells that a navigation goes to an address to which an exchange has led: the browser was given a cookie on the way.
    pub(crate) fn is_marked(&self) -> bool {
        let query = self.target.query.unwrap_or_default();
        self.navigates()
            && self.module.mode == Mode::Enforce
            && self.module.credentials.query.is_some()
            && parameter_values(query, MARK).next().is_some()
    }

    /// Whether the page that asks is the platform, or one that may frame the module.
    pub(crate) fn asked_by_platform(&self) -> bool {
        self.caller.page(&self.request).is_some_and(|page| {
            self.module.platform.as_ref() == Some(&page) || self.is_ancestor(&page)
        })
    }

    /// Whether the browser says that a page which may frame the module asks.
    pub(crate) fn asked_by_ancestor(&self) -> bool {
        matches!(&self.caller.origin, SentOrigin::Known(origin) if self.is_ancestor(origin))
    }

    /// The page of another site that may read Vigile's own answer: it refreshes a session, or ends one.
    pub(crate) fn reader(&self) -> Option<Origin> {
        match &self.caller.origin {
            SentOrigin::Known(origin)
                if (self.is_refresh() || self.rule.access.is_logout())
                    && self.is_ancestor(origin) =>
            {
                Some(origin.clone())
            }
            _ => None,
        }
    }

    fn is_ancestor(&self, page: &Origin) -> bool {
        let embed = self.module.embed.as_ref();
        embed.is_some_and(|embed| embed.ancestors.contain(page, &self.target.origin()))
    }

    /// Reads a token and looks at all that costs no signature.
    pub(crate) fn parse<'t>(
        &self,
        token: &'t [u8],
        issuer: &Issuer,
    ) -> Result<Parsed<'t>, Failure> {
        let Issuer { algorithms, types, .. } = issuer;
        let parsed = Parsed::parse(token, algorithms, types, &self.policy.claims)
            .map_err(|unread| Failure::new(unread.reason(), Detail::Unread(unread)))?;
        if let Err(reason) = self.accepts(&parsed.claims, issuer) {
            return Err(Failure::new(reason, Detail::Claims(Arc::new(parsed.claims))));
        }
        match self.keys.knows(issuer.index, &parsed) {
            true => Ok(parsed),
            false => Err(Failure::signed(Reason::TokenKeyUnknown, parsed.algorithm, parsed.kid)),
        }
    }

    /// Adds a note, where notes are taken.
    pub(crate) fn note(&mut self, check: &'static str, outcome: impl FnOnce(&Self) -> String) {
        if self.notes.are_taken() {
            let outcome = outcome(self);
            self.notes.add(check, || outcome);
        }
    }

    /// Whether these claims are for now, for us and for this module.
    pub(crate) fn accepts(&self, claims: &Claims, issuer: &Issuer) -> Result<(), Reason> {
        issuer.accepts(claims, self.now)?;
        let Some(bound) = &self.module.module_claim else { return Ok(()) };
        match claims.text(bound) {
            Some(name) if name == self.module.name => Ok(()),
            _ => Err(Reason::TokenModule),
        }
    }
}
