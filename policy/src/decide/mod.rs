//! The pipeline: `target → module → route → credential → proof → requirements → answer`.

mod answer;
mod credential;
mod edits;
mod exchange;
mod failure;
mod notes;
mod place;
mod proof;
mod requirements;
mod visit;

pub use edits::Edit;
pub(crate) use failure::{Detail, Failure};
pub use notes::Note;
use notes::Notes;
use proof::Trial;
pub use proof::Unverified;
use visit::Visit;

use crate::policy::{Access, State};
use crate::record::Record;
use crate::reply::Reply;
use crate::request::{Caller, Destination, Request, Target};
use crate::response::ResponsePlan;
use crate::token::{Keys, Learned, Memory};
use crate::{Reason, UnixTime};

/// What comes next. Each question owns what it waits for, and only its own answer moves it on.
#[allow(clippy::large_enum_variant, reason = "a question lives for one call, on the stack")]
pub enum Step<'r> {
    /// A signature to verify, answered at once.
    Verify(Unverified<'r>),
    /// The end.
    Decided(Box<Decision>),
}

/// What is to become of a request.
pub struct Decision {
    /// Edits on the request, whatever the verdict: a reply too must lose the token from `:path`, which
    /// access logs print.
    pub edits: Vec<Edit>,
    /// Forward it, or answer it.
    pub verdict: Verdict,
    /// What to do with the app's answer.
    pub response: ResponsePlan,
    /// What to log, count and tell later filters.
    pub record: Record,
    /// Tokens whose signatures held: hand them to [`Memory::learn`].
    pub learned: Vec<Learned>,
    /// Each check and its outcome, where they were asked for.
    pub notes: Vec<Note>,
}

/// Forward, or answer.
pub enum Verdict {
    /// To the app, with the edits.
    Forward,
    /// At once, and complete; the response plan undoes what the host adds to it.
    Reply(Reply),
}

impl State {
    /// Everything that costs no signature. A remembered token goes straight on.
    pub fn decide<'r>(&self, request: &Request<'r>, memory: &Memory, now: UnixTime) -> Step<'r> {
        self.begin(request, memory, now, Notes::Off)
    }

    /// The same, with a note of every check and its outcome.
    pub fn explain<'r>(&self, request: &Request<'r>, memory: &Memory, now: UnixTime) -> Step<'r> {
        self.begin(request, memory, now, Notes::On(Vec::new()))
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
            Err(reason) => {
                return decided(answer::nowhere(
                    self,
                    request,
                    &caller,
                    None,
                    reason.into(),
                    notes,
                ));
            }
        };
        let place = match place::place(&self.policy, &target) {
            Ok(place) => place,
            Err(nowhere) => {
                notes.add("route", || nowhere.reason.to_string());
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
        let visit = Visit {
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
        };
        visit.enter(memory)
    }
}

impl<'r> Visit<'r> {
    fn enter(self, memory: &Memory) -> Step<'r> {
        let top_level = self.caller.destination == Destination::Document
            && self.module.embed.as_ref().is_some_and(|embed| embed.only);
        match &self.rule.access {
            Access::Public => decided(answer::admitted(self, failure::Proven::default())),
            Access::Status(needs) if needs.is_empty() => {
                decided(answer::admitted(self, failure::Proven::default()))
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
    Step::Decided(Box::new(decision))
}

/// The whole host, in software: what tests, `explain`, the fuzzer and Unit run.
pub fn drive(
    state: &State,
    request: &Request<'_>,
    memory: &mut Memory,
    now: UnixTime,
) -> Box<Decision> {
    finish(state.decide(request, memory, now), state.keys(), memory)
}

/// Answers every question of a step in software, and remembers what was learned.
pub fn finish(mut step: Step<'_>, keys: &Keys, memory: &mut Memory) -> Box<Decision> {
    loop {
        step = match step {
            Step::Verify(asked) => {
                let signed_by = keys.verify(&asked.question());
                asked.answered(signed_by, memory)
            }
            Step::Decided(mut decision) => {
                for learned in decision.learned.drain(..) {
                    memory.learn(learned);
                }
                return decision;
            }
        }
    }
}
