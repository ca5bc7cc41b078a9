//! What stands between a caller who is let in and the app: the body, and how many requests are under way.
//! These wait across host callbacks, and so own all that they need.

use super::body;
use super::edits::Edit;
use super::failure::{Detail, Failure, Proven};
use super::otherwise::Otherwise;
use super::visit::Visit;
use super::{Bound, Decision, Verdict};
use crate::Reason;
use crate::lease::Lease;
use crate::record::Record;

/// What comes next, once every signature is known.
#[allow(clippy::large_enum_variant, reason = "it lives for one call, or in its stream")]
pub enum Next {
    /// A body to hold and look at.
    Body(Unread),
    /// A place among the caller's requests to take.
    Permit(Unpermitted),
    /// The end.
    Decided(Box<Decision>),
}

/// A request whose body is looked at before the app sees a byte.
pub struct Unread {
    body: body::Held,
    pending: Pending,
}

/// A request that goes to the app if the host can take its lease.
pub struct Unpermitted {
    lease: Lease,
    decision: Box<Decision>,
    otherwise: Otherwise,
}

/// Both ends of a request, while something is still asked.
struct Pending {
    decision: Box<Decision>,
    otherwise: Otherwise,
    lease: Option<Lease>,
}

/// What a request waits for.
pub(super) struct Wait {
    body: body::Next,
    lease: Option<Lease>,
}

impl Wait {
    /// Judges all of it that the head tells.
    pub(super) fn of(visit: &mut Visit<'_>, proven: &Proven) -> Result<Self, Failure> {
        let judged = body::head(visit);
        if visit.rule.body.is_some() {
            visit.notes.add("body", || match &judged {
                Ok(body::Next::Hold(_)) => "is held, and looked at".to_owned(),
                Ok(_) => "holds, by its head".to_owned(),
                Err(failure) => failure.reason.to_string(),
            });
        }
        let bound = visit.rule.concurrency.as_ref();
        let lease = bound.map(|bound| Lease::of(&visit.module, bound, proven));
        Ok(Self { body: judged?, lease })
    }

    pub(super) fn then(
        self,
        mut decision: Decision,
        otherwise: impl FnOnce() -> Otherwise,
    ) -> Next {
        if matches!(self.body, body::Next::Free) && self.lease.is_none() {
            return decision.into();
        }
        let otherwise = otherwise();
        decision.record.kept.clone_from(&otherwise.record.kept);
        let bound = match &self.body {
            // What is observed is not cut.
            body::Next::Stream { most } if otherwise.observed.is_none() => Some(*most),
            _ => None,
        };
        let bound = bound.map(|bytes| {
            let mut cut = otherwise.clone().refused(&Reason::BodyTooLarge.into());
            // The head has gone on, with the edits of its own decision: there is nothing left to edit.
            cut.edits.clear();
            Bound { bytes, cut: Box::new(cut) }
        });
        decision.verdict = Verdict::Forward { bound };
        let pending = Pending { decision: Box::new(decision), otherwise, lease: self.lease };
        match self.body {
            body::Next::Hold(body) => Next::Body(Unread { body, pending }),
            _ => pending.permit(),
        }
    }
}

impl Pending {
    fn permit(self) -> Next {
        let Self { decision, otherwise, lease } = self;
        match lease {
            Some(lease) => Next::Permit(Unpermitted { lease, decision, otherwise }),
            None => Next::Decided(decision),
        }
    }

    fn refused(self, failure: &Failure) -> Box<Decision> {
        refused(&self.decision, self.otherwise, failure)
    }
}

fn refused(decision: &Decision, otherwise: Otherwise, failure: &Failure) -> Box<Decision> {
    let mut refused = otherwise.refused(failure);
    refused.notes.clone_from(&decision.notes);
    Box::new(refused)
}

impl Unread {
    /// How many bytes a host holds; with more, the body is [too large](Self::too_large).
    pub fn at_most(&self) -> usize {
        self.body.at_most()
    }

    /// What the head loses and gains: a stream may end before its body does, and what access logs print of
    /// it then is clean.
    pub fn edits(&self) -> &[Edit<'static>] {
        &self.pending.decision.edits
    }

    /// What is to be told of it if it does.
    pub fn unfinished(&self) -> Record {
        Record {
            reason: Reason::BodyUnfinished,
            would_refuse: None,
            ..self.pending.otherwise.record.clone()
        }
    }

    /// There is more than that.
    pub fn too_large(self) -> Box<Decision> {
        self.pending.refused(&Reason::BodyTooLarge.into())
    }

    /// The whole body.
    pub fn read(self, body: &[u8]) -> Next {
        match self.body.mistakes(body) {
            mistakes if mistakes.is_empty() => self.pending.permit(),
            mistakes => {
                let failure = Failure::new(Reason::BodyInvalid, Detail::Body(mistakes));
                Next::Decided(self.pending.refused(&failure))
            }
        }
    }
}

impl Unpermitted {
    /// What is to be taken, and given back when the stream ends.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The host's answer. A lease that was taken goes with the decision.
    pub fn answered(self, taken: bool) -> Box<Decision> {
        let Self { lease, mut decision, otherwise } = self;
        match taken {
            true => {
                decision.lease = Some(lease);
                decision
            }
            false => refused(&decision, otherwise, &Reason::ConcurrencyFull.into()),
        }
    }
}

impl Next {
    /// The lease that will be asked for, if all goes well.
    pub fn lease(&self) -> Option<&Lease> {
        match self {
            Self::Body(unread) => unread.pending.lease.as_ref(),
            Self::Permit(unpermitted) => Some(&unpermitted.lease),
            Self::Decided(_) => None,
        }
    }

    pub(super) fn decision_mut(&mut self) -> &mut Decision {
        match self {
            Self::Body(unread) => &mut unread.pending.decision,
            Self::Permit(unpermitted) => &mut unpermitted.decision,
            Self::Decided(decision) => decision,
        }
    }
}

impl From<Decision> for Next {
    fn from(decision: Decision) -> Self {
        Self::Decided(Box::new(decision))
    }
}
