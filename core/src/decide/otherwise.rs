//! What becomes of a request that does not go to the app as it should: made while the request is at hand,
//! and kept across host callbacks, since a body is read long after.

use std::sync::Arc;

use super::edits::Edit;
use super::failure::Failure;
use super::{Decision, Verdict, audit};
use crate::Reason;
use crate::origin::Origin;
use crate::policy::Module;
use crate::reason::Language;
use crate::record::Record;
use crate::reply::{self, Form, Reply};
use crate::request::Request;
use crate::response::ResponsePlan;

/// It owns what it needs.
#[derive(Clone)]
pub(crate) struct Otherwise {
    pub(crate) module: Option<Arc<Module>>,
    pub(crate) form: Form,
    pub(crate) language: Language,
    pub(crate) encrypted: bool,
    /// The page of another site that may read the answer.
    pub(crate) reader: Option<Origin>,
    /// What the request loses before it is answered.
    pub(crate) cleaning: Vec<Edit<'static>>,
    pub(crate) record: Record,
    /// In `mode: observe`, what goes on in place of a refusal.
    pub(crate) observed: Option<Box<Decision>>,
}

impl Otherwise {
    /// The request's head may be gone when this is told.
    pub(crate) fn keep(&mut self, request: &Request<'_>) {
        self.record.keep(request);
        if let Some(observed) = &mut self.observed {
            observed.record.kept.clone_from(&self.record.kept);
        }
    }

    /// The refusal; `detail` is for the operator.
    pub(crate) fn refused(mut self, failure: &Failure, detail: Option<String>) -> Decision {
        match self.observed {
            Some(mut observed) if !failure.reason.holds_when_observed() => {
                observed.record.would_refuse = Some(failure.reason);
                observed.record.detail = detail;
                *observed
            }
            _ => {
                self.record.detail = detail;
                let reply = reply::refusal(self.module.as_ref(), self.form, self.language, failure);
                self.replied(reply)
            }
        }
    }

    /// The refusal once the head of the request is gone.
    pub(crate) fn refused_late(self, failure: &Failure) -> Decision {
        let rule = self.record.rule.as_deref();
        let detail = rule.and_then(|rule| audit::after_the_head(rule, failure));
        self.refused(failure, detail)
    }

    pub(crate) fn replied(self, mut reply: Reply) -> Decision {
        let over_https =
            self.module.iter().filter_map(|module| module.headers.set_over_https.as_ref());
        for (name, value) in over_https.filter(|_| self.encrypted) {
            reply.set(name.clone(), value.clone());
        }
        if let Some(origin) = &self.reader {
            reply.allow_origin(origin);
            let query = self.module.as_ref().and_then(|module| module.credentials.query.clone());
            // The platform's page may have sent the token by another name.
            if let Some(name) = query.filter(|_| reply.reason() == Reason::TokenMissing) {
                reply.set("vigile-parameter", name);
            }
        }
        let reply = Arc::new(reply);
        Decision {
            edits: self.cleaning,
            record: Record { reason: reply.reason(), would_refuse: None, ..self.record },
            response: ResponsePlan::own(&reply),
            verdict: Verdict::Reply(reply),
            lease: None,
            end: None,
            learned: Vec::new(),
            notes: Vec::new(),
        }
    }
}
