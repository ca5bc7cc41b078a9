//! The pipeline: `target → module → route → credential → proof → requirements → answer`.

mod answer;
mod audit;
mod body;
mod clash;
mod credential;
mod edits;
mod exchange;
mod failure;
mod notes;
mod otherwise;
mod place;
mod proof;
mod requirements;
mod visit;
mod waiting;

use std::sync::Arc;

pub use edits::{Edit, apply};
pub(crate) use failure::{Detail, Failure, Proven};
pub use notes::Note;
use notes::Notes;
use place::Nowhere;
use proof::Trial;
pub use proof::Unverified;
use visit::Visit;
pub use waiting::{End, Next, Unpermitted, Unread};

use crate::lease::Lease;
use crate::policy::{Access, State};
use crate::record::Record;
use crate::reply::Reply;
use crate::request::{Caller, Destination, Request, Target};
use crate::response::ResponsePlan;
use crate::token::{KeyId, Learned, Memory, Question};
use crate::{Reason, UnixTime};

/// What comes next. Each question owns what it waits for, and only its own answer moves it on.
#[allow(clippy::large_enum_variant, reason = "a question lives for one call, on the stack")]
pub enum Step<'r> {
    /// A signature to verify, answered at once.
    Verify(Unverified<'r>),
    /// No signature is left to verify.
    Next(Next),
}

/// What is to become of a request.
#[derive(Clone)]
pub struct Decision {
    /// Edits on the request, whatever the verdict: a reply too must lose the token from `:path`, which
    /// access logs print.
    pub edits: Vec<Edit<'static>>,
    /// Forward it, or answer it.
    pub verdict: Verdict,
    /// What to do with the app's answer.
    pub response: ResponsePlan,
    /// What to log, count and tell later filters.
    pub record: Record,
    /// What was taken for the request, to be given back when its stream ends.
    pub lease: Option<Lease>,
    /// Ends its stream, where a route says so.
    pub end: Option<End>,
    /// Tokens whose signatures held: hand them to [`Memory::learn`].
    pub learned: Vec<Learned>,
    /// Each check and its outcome, where they were asked for.
    pub notes: Vec<Note>,
}

/// Forward, or answer.
#[derive(Clone)]
pub enum Verdict {
    /// To the app, with the edits.
    Forward {
        /// How much of a body goes with it, where that is bounded.
        bound: Option<Bound>,
    },
    /// At once, and complete; the response plan undoes what the host adds to it.
    Reply(Arc<Reply>),
}

/// The end of a body that is not held.
#[derive(Clone)]
pub struct Bound {
    /// How many bytes go to the app.
    pub bytes: u64,
    /// What becomes of the request with one more: its head has gone on, so that no edit is left to make.
    pub cut: Box<Decision>,
}

/// What a host knows beside the request, for [`drive`].
#[derive(Clone, Copy, Debug)]
pub struct Rest<'b> {
    /// The whole body.
    pub body: &'b [u8],
    /// Whether a lease can be taken.
    pub permits: bool,
}

impl Rest<'static> {
    /// No body, and a place for every request.
    pub const NONE: Self = Self { body: &[], permits: true };
}

impl State {
    /// Everything that costs no signature. A remembered token goes straight on.
    pub fn decide<'r>(&self, request: &Request<'r>, memory: &Memory, now: UnixTime) -> Step<'r> {
        self.begin(request, memory, now, Notes::Off)
    }

    /// The same, with a note of every check and its outcome.
    pub fn explain<'r>(&self, request: &Request<'r>, memory: &Memory, now: UnixTime) -> Step<'r> {
        let mut step = self.begin(request, memory, now, Notes::On(Vec::new()));
        if let Step::Next(next) = &mut step {
            clash::note(&self.policy, request, next.decision_mut());
        }
        step
    }

    fn begin<'r>(
        &self,
        request: &Request<'r>,
        memory: &Memory,
        now: UnixTime,
        mut notes: Notes,
    ) -> Step<'r> {
        let caller = Caller::of(request);
        let target = match Target::of(request) {
            Ok(target) => target,
            Err(problem) => {
                let nowhere = Nowhere::malformed(problem);
                return decided(answer::nowhere(self, request, &caller, None, nowhere, notes));
            }
        };
        let place = match place::place(&self.policy, &target) {
            Ok(place) => place,
            Err(nowhere) => {
                return decided(answer::nowhere(
                    self,
                    request,
                    &caller,
                    Some(&target),
                    nowhere,
                    notes,
                ));
            }
        };
        let (policy, keys) = (self.policy.clone(), self.keys.clone());
        let (module, rule) = (place.module.clone(), place.rule());
        notes.add("module", || module.name.clone());
        notes.add("route", || place.shown());
        let visit = Box::new(Visit {
            policy,
            keys,
            request: *request,
            target,
            caller,
            module,
            place,
            rule,
            now,
            notes,
        });
        visit.enter(memory)
    }
}

impl<'r> Visit<'r> {
    fn enter(self: Box<Self>, memory: &Memory) -> Step<'r> {
        let top_level = self.caller.destination == Destination::Document
            && self.module.embed.as_ref().is_some_and(|embed| embed.only);
        match &self.rule.access {
            Access::Logout => Step::Next(match requirements::may_log_out(&self) {
                Ok(()) => answer::admitted(self, Proven::default()),
                Err(failure) => answer::refused(self, &failure).into(),
            }),
            Access::Public => Step::Next(answer::admitted(self, Proven::default())),
            Access::Status(needs) if needs.is_empty() => {
                Step::Next(answer::admitted(self, Proven::default()))
            }
            Access::Guarded(_) if self.is_refresh() && !self.asked_by_ancestor() => {
                decided(answer::refused(self, &Reason::RefreshOrigin.into()))
            }
            Access::Guarded(_) if top_level && !self.is_refresh() => {
                decided(answer::refused(self, &Reason::EmbedTopLevel.into()))
            }
            Access::Status(_) | Access::Guarded(_) => Trial::of(self, memory),
        }
    }
}

fn decided<'r>(decision: Decision) -> Step<'r> {
    Step::Next(decision.into())
}

/// The whole host, in software: what tests, `explain` and the fuzzer run.
pub fn drive(
    state: &State,
    request: &Request<'_>,
    rest: Rest<'_>,
    memory: &mut Memory,
    now: UnixTime,
) -> Box<Decision> {
    let step = state.decide(request, memory, now);
    finish(verify(step, |question| state.keys().verify(question), memory), rest)
}

/// Answers every question after a signature, and remembers what was learned.
pub fn verify(
    mut step: Step<'_>,
    answer: impl Fn(&Question<'_>) -> Option<KeyId>,
    memory: &mut Memory,
) -> Next {
    loop {
        step = match step {
            Step::Verify(asked) => {
                let signed_by = answer(&asked.question());
                asked.answered(signed_by, memory)
            }
            Step::Next(mut next) => {
                for learned in next.decision_mut().learned.drain(..) {
                    memory.learn(learned);
                }
                return next;
            }
        }
    }
}

/// Answers all that is left by what is known of the rest.
pub fn finish(mut next: Next, rest: Rest<'_>) -> Box<Decision> {
    loop {
        next = match next {
            Next::Permit(unpermitted) => unpermitted.answered(rest.permits),
            Next::Body(unread) if rest.body.len() > unread.at_most() => return unread.too_large(),
            Next::Body(unread) => return unread.read(rest.body),
            Next::Decided(decision) => return decided_for(decision, rest),
        }
    }
}

/// With the whole body at hand, a bound is exceeded or not.
fn decided_for(decision: Box<Decision>, rest: Rest<'_>) -> Box<Decision> {
    let sent = u64::try_from(rest.body.len()).unwrap_or(u64::MAX);
    match decision.verdict {
        Verdict::Forward { bound: Some(bound) } if sent > bound.bytes => {
            Box::new(Decision { edits: decision.edits, ..*bound.cut })
        }
        _ => decision,
    }
}
