//! `requirements → answer`: the edits, the verdict, the plan for the response, the record.

use std::sync::Arc;

use super::credential::Source;
use super::edits::{self, Edit};
use super::failure::{Failure, Proven};
use super::notes::{Note, Notes};
use super::otherwise::Otherwise;
use super::place::Nowhere;
use super::visit::Visit;
use super::waiting::{self, Next};
use super::{Decision, Verdict, audit, exchange};
use crate::Reason;
use crate::origin::Origin;
use crate::policy::{Access, Mode, Module, Need, Policy, Rule, State};
use crate::record::Record;
use crate::reply::{self, Reply};
use crate::request::{self, Caller, Destination, Request, Site, Target, cookie_values, offers};
use crate::response::{Asked, ResponsePlan};

/// A caller who may come in: to the app, to Vigile's own answers, or through the exchange.
pub(crate) fn admitted(visit: Box<Visit<'_>>, proven: Proven) -> Next {
    let by_query = proven.token.as_ref().filter(|token| token.source == Source::Query);
    let answer = match (&visit.rule.access, by_query) {
        (Access::Status(needs), _) => {
            Ok(Some(reply::status(&visit.policy, &visit.module, !needs.is_empty())))
        }
        (Access::Logout, _) => Ok(Some(reply::logout(&visit.module))),
        (_, Some(token)) if visit.is_refresh() => exchange::refresh(&visit, token).map(Some),
        (_, Some(token)) if visit.exchanges() => exchange::exchange(&visit, token).map(Some),
        _ if visit.is_marked() => Ok(Some(exchange::kept(&visit))),
        _ => Ok(None),
    };
    match answer {
        Ok(Some(reply)) => replied(visit, &proven, reply).into(),
        Ok(None) => forwarded(visit, proven),
        Err(reason) => refused(visit, &Failure { proven, ..reason.into() }).into(),
    }
}

/// A caller who may not come in, though a rule was found for the request.
pub(crate) fn refused(mut visit: Box<Visit<'_>>, failure: &Failure) -> Decision {
    let need = visit.rule.access.needs().get(failure.way);
    let detail = audit::detail(&visit, need, failure);
    let notes = visit.notes.take();
    visit.scene().refused(failure, detail, visit.is_refresh(), notes)
}

/// A request that no rule takes.
pub(crate) fn nowhere(
    state: &State,
    request: &Request<'_>,
    caller: &Caller,
    target: Option<&Target<'_>>,
    nowhere: Nowhere,
    mut notes: Notes,
) -> Decision {
    let told = audit::nowhere(target, &nowhere);
    let Nowhere { reason, module, detail } = nowhere;
    let mode = module.as_ref().map_or(state.policy.mode, |module| module.mode);
    let policy = &state.policy;
    let scene = Scene { policy, request, caller, target, module, mode, rule: None, reader: None };
    scene.refused(&Failure::new(reason, detail), told, false, notes.take())
}

fn replied(mut visit: Box<Visit<'_>>, proven: &Proven, reply: Reply) -> Decision {
    let notes = visit.notes.take();
    let mut decision = visit.scene().otherwise(proven, false).replied(reply);
    decision.notes = notes;
    decision
}

/// To the app, unless its body or the number of the caller's requests stands in the way.
fn forwarded(mut visit: Box<Visit<'_>>, proven: Proven) -> Next {
    let Some(told) = edits::forwarding(&visit.rule, &proven) else {
        return refused(visit, &Failure { proven, ..Reason::ClaimUnsendable.into() }).into();
    };
    let wait = match waiting::Wait::of(&mut visit, &proven) {
        Ok(wait) => wait,
        Err(failure) => return refused(visit, &Failure { proven, ..failure }).into(),
    };
    let reason = match (&proven.token, &proven.api_key, &visit.rule.access) {
        (Some(_), _, _) => Reason::AllowedToken,
        (None, Some(_), _) => Reason::AllowedApiKey,
        (None, None, Access::Public) => Reason::AllowedPublic,
        (None, None, access) if access.needs().iter().any(Need::takes_nobody) => {
            Reason::AllowedAnonymous
        }
        (None, None, _) => Reason::AllowedAddress,
    };
    let mut edits = edits::without_credential(&visit.request, &visit.module, &proven);
    edits.extend(told);
    let by_credential = proven.token.is_some() || proven.api_key.is_some();
    let notes = visit.notes.take();
    let scene = visit.scene();
    let response = ResponsePlan::of(&visit.module, by_credential, scene.asked(&visit.module));
    let record = scene.record(reason, None, &proven);
    let mut decision = scene.forwarded(edits, response, record);
    decision.notes = notes;
    wait.then(decision, || {
        let mut otherwise = scene.otherwise(&proven, false);
        otherwise.keep(scene.request);
        otherwise
    })
}

/// What is known of a request at its end, whether or not a rule was found for it.
struct Scene<'s, 'r> {
    policy: &'s Arc<Policy>,
    request: &'s Request<'r>,
    caller: &'s Caller,
    target: Option<&'s Target<'r>>,
    module: Option<Arc<Module>>,
    mode: Mode,
    rule: Option<&'s Arc<Rule>>,
    /// The page of another site that may read Vigile's own answer.
    reader: Option<Origin>,
}

impl<'r> Visit<'r> {
    fn scene(&self) -> Scene<'_, 'r> {
        Scene {
            policy: &self.policy,
            request: &self.request,
            caller: &self.caller,
            target: Some(&self.target),
            module: Some(self.module.clone()),
            mode: self.module.mode,
            rule: Some(&self.rule),
            reader: self.reader(),
        }
    }
}

impl Scene<'_, '_> {
    fn refused(
        &self,
        failure: &Failure,
        detail: Option<String>,
        refresh: bool,
        notes: Vec<Note>,
    ) -> Decision {
        let mut decision = self.otherwise(&failure.proven, refresh).refused(failure, detail);
        decision.notes = notes;
        decision
    }

    /// What becomes of the request where it does not go to the app as it should.
    fn otherwise(&self, proven: &Proven, refresh: bool) -> Otherwise {
        Otherwise {
            module: self.module.clone(),
            form: reply::Form::of(self.caller, refresh),
            language: request::language(self.request),
            encrypted: self.is_encrypted(),
            reader: self.reader.clone(),
            cleaning: self.cleaning(true),
            record: self.record(Reason::AllowedObserved, None, proven),
            observed: (self.mode == Mode::Observe && !refresh).then(|| self.observed(proven)),
        }
    }

    /// `mode: observe`: what would be refused goes on, without any of its claims to an identity, and
    /// is told nothing (docs/rules.md, rule 13).
    fn observed(&self, proven: &Proven) -> Box<Decision> {
        let response = match &self.module {
            Some(module) => ResponsePlan::of(module, false, self.asked(module)),
            None => ResponsePlan::none(),
        };
        let record = self.record(Reason::AllowedObserved, None, proven);
        Box::new(self.forwarded(Vec::new(), response, record))
    }

    fn forwarded(
        &self,
        edits: Vec<Edit<'static>>,
        response: ResponsePlan,
        record: Record,
    ) -> Decision {
        let mut all = self.cleaning(false);
        all.extend(edits);
        Decision {
            edits: all,
            verdict: Verdict::Forward { bound: None },
            response,
            record,
            lease: None,
            end: None,
            learned: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn is_encrypted(&self) -> bool {
        self.target.is_some_and(Target::takes_strict_transport)
    }

    fn asked(&self, module: &Module) -> Asked {
        let word = module.credentials.subprotocol.as_ref().filter(|_| self.caller.websocket);
        let subprotocol = word.is_some_and(|word| offers(self.request, word));
        let wanted = module.embed.as_ref().is_some_and(|embed| embed.partitions_app_cookies);
        Asked {
            subprotocol,
            framed: wanted && self.is_framed(module),
            encrypted: self.is_encrypted(),
            conditional: ["if-none-match", "if-modified-since"]
                .iter()
                .any(|name| self.request.all(name).next().is_some()),
        }
    }

    /// Whether the page that asks is in a frame of another site: the partitioned cookie is sent nowhere
    /// else (docs/browsers.md), and before there is one the navigation of the frame says so.
    fn is_framed(&self, module: &Module) -> bool {
        let has_twin = module.credentials.cookie.as_ref().is_some_and(|cookie| {
            cookie_values(self.request, &cookie.partitioned).next().is_some()
        });
        match self.caller.destination {
            Destination::Document => false,
            Destination::Frame | Destination::Reissued => {
                has_twin || self.caller.site == Some(Site::Foreign)
            }
            Destination::Unsaid | Destination::Other => has_twin,
        }
    }

    fn cleaning(&self, replying: bool) -> Vec<Edit<'static>> {
        edits::cleaning(self.request, self.target, self.module.as_deref(), replying)
    }

    fn record(&self, reason: Reason, would_refuse: Option<Reason>, proven: &Proven) -> Record {
        Record {
            policy: self.policy.clone(),
            module: self.module.clone(),
            mode: self.mode,
            reason,
            would_refuse,
            detail: None,
            proven: proven.clone(),
            rule: self.rule.cloned(),
            kept: None,
        }
    }
}
