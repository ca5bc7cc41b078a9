//! Holds a caller who is let in until there is a place and the body is read, and ends the stream afterwards. These wait across host callbacks, and so own all that they need.
//!
//! The place comes first: a body that is begun and not ended is held by the host, and so it counts.

use super::body;
use super::edits::Edit;
use super::failure::{Detail, Failure, Proven};
use super::otherwise::Otherwise;
use super::visit::Visit;
use super::{Bound, Decision, Verdict};
use crate::lease::Lease;
use crate::record::Record;
use crate::{Reason, UnixTime};

/// What comes next, once every signature is known.
#[allow(clippy::large_enum_variant, reason = "it lives for one call, or in its stream")]
pub enum Next {
    /// A place among the caller's requests to take.
    Permit(Unpermitted),
    /// A body to hold and look at.
    Body(Unread),
    /// The end.
    Decided(Box<Decision>),
}

/// A request that goes on if the host can take its lease.
pub struct Unpermitted {
    lease: Lease,
    body: body::Next,
    pending: Pending,
}

/// A request whose body is looked at before the app sees a byte.
pub struct Unread {
    body: body::Held,
    pending: Pending,
}

/// Both ends of a request, while something is still asked.
struct Pending {
    decision: Box<Decision>,
    otherwise: Otherwise,
}

/// The end of a stream whose token ends, or whose API key.
#[derive(Clone)]
pub struct End {
    at: UnixTime,
    otherwise: Box<Otherwise>,
}

/// What a request waits for.
pub(super) struct Wait {
    body: body::Next,
    lease: Option<Lease>,
    end: Option<UnixTime>,
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
        let end = visit.rule.close_at_exp.then(|| proven.ends()).flatten();
        if visit.rule.close_at_exp {
            visit.notes.add("close_at_exp", || match end {
                Some(end) => format!("the stream ends at {end}"),
                None => "what let it in never ends".to_owned(),
            });
        }
        Ok(Self { body: judged?, lease, end })
    }

    pub(super) fn then(
        self,
        mut decision: Decision,
        otherwise: impl FnOnce() -> Otherwise,
    ) -> Next {
        if matches!(self.body, body::Next::Free) && self.lease.is_none() && self.end.is_none() {
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
            let mut cut = otherwise.clone().refused_late(&Reason::BodyTooLarge.into());
            // The head has gone on, with the edits of its own decision: there is nothing left to edit.
            cut.edits.clear();
            Bound { bytes, cut: Box::new(cut) }
        });
        decision.verdict = Verdict::Forward { bound };
        decision.end = self.end.map(|at| End { at, otherwise: Box::new(otherwise.clone()) });
        let pending = Pending { decision: Box::new(decision), otherwise };
        match self.lease {
            Some(lease) => Next::Permit(Unpermitted { lease, body: self.body, pending }),
            None => pending.read(self.body),
        }
    }
}

impl Pending {
    /// Has the body read, where it is to be.
    fn read(self, body: body::Next) -> Next {
        match body {
            body::Next::Hold(body) => Next::Body(Unread { body, pending: self }),
            body::Next::Free | body::Next::Stream { .. } => Next::Decided(self.decision),
        }
    }

    /// What was taken is given back when the stream ends, whatever becomes of it.
    fn refused(self, failure: &Failure) -> Box<Decision> {
        let mut refused = self.otherwise.refused_late(failure);
        refused.notes = self.decision.notes;
        refused.lease = self.decision.lease;
        Box::new(refused)
    }
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

    /// What was taken for it.
    pub fn lease(&self) -> Option<&Lease> {
        self.pending.decision.lease.as_ref()
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
    pub fn read(self, body: &[u8]) -> Box<Decision> {
        match self.body.mistakes(body) {
            mistakes if mistakes.is_empty() => self.pending.decision,
            mistakes => {
                self.pending.refused(&Failure::new(Reason::BodyInvalid, Detail::Body(mistakes)))
            }
        }
    }
}

impl End {
    /// From this second on.
    pub fn at(&self) -> UnixTime {
        self.at
    }

    /// What is to be told and done then: a reply where the app has not begun to answer, else the stream is reset.
    /// Where a policy observes the stream goes on. There is nothing left to edit.
    pub fn ended(self) -> Box<Decision> {
        let mut ended = self.otherwise.refused_late(&Reason::StreamExpired.into());
        ended.edits.clear();
        Box::new(ended)
    }
}

impl Unpermitted {
    /// What is to be taken, and given back when the stream ends.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The host's answer. A lease that was taken goes with the decision.
    pub fn answered(self, taken: bool) -> Next {
        let Self { lease, body, mut pending } = self;
        match taken {
            true => {
                pending.decision.lease = Some(lease);
                pending.read(body)
            }
            false => Next::Decided(pending.refused(&Reason::ConcurrencyFull.into())),
        }
    }
}

impl Next {
    /// The lease that is asked for.
    pub fn lease(&self) -> Option<&Lease> {
        match self {
            Self::Permit(unpermitted) => Some(&unpermitted.lease),
            Self::Body(_) | Self::Decided(_) => None,
        }
    }

    pub(super) fn decision_mut(&mut self) -> &mut Decision {
        match self {
            Self::Body(unread) => &mut unread.pending.decision,
            Self::Permit(unpermitted) => &mut unpermitted.pending.decision,
            Self::Decided(decision) => decision,
        }
    }
}

impl From<Decision> for Next {
    fn from(decision: Decision) -> Self {
        Self::Decided(Box::new(decision))
    }
}
