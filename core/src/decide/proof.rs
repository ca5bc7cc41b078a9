//! `credential → proof`: who the caller is. Each way in that the rule offers is tried in turn; what
//! costs no signature is looked at first (docs/rules.md, rule 6).

use std::sync::Arc;

use super::Step;
use super::credential::{self, Presented, Source};
use super::failure::{Detail, Failure, Proven};
use super::requirements;
use super::visit::Visit;
use super::waiting::Next;
use super::{answer, audit};
use crate::Reason;
use crate::policy::{Issuer, Need};
use crate::token::{Claims, KeyId, Learned, Memory, Parsed, Question};

/// A token whose signature holds.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) claims: Arc<Claims>,
    pub(crate) source: Source,
    pub(crate) issuer: Arc<Issuer>,
    /// Of a cookie beside a good token in the query: whose session is open here already.
    pub(crate) beside: Option<Arc<Claims>>,
}

/// A request on trial: which way in is being tried, and what was found on those before it.
pub(crate) struct Trial<'r> {
    visit: Box<Visit<'r>>,
    way: usize,
    furthest: Option<Failure>,
    learned: Vec<Learned>,
    verified: Vec<Verified<'r>>,
}

/// A token whose signature was asked for, the issuer by whose keys, and what came of it: no way in asks again.
type Verified<'r> = (usize, &'r [u8], Result<Arc<Claims>, Failure>);

/// A token that waits for its signature to be verified. It borrows the request: the host answers at
/// once.
pub struct Unverified<'r> {
    trial: Box<Trial<'r>>,
    parsed: Parsed<'r>,
    aim: Aim<'r>,
}

/// What a token is looked at for.
#[derive(Clone)]
struct Aim<'r> {
    issuer: Arc<Issuer>,
    proven: Proven,
    presented: Presented<'r>,
    part: Part,
}

/// The part that a token plays.
#[derive(Clone)]
enum Part {
    /// It is to admit the request.
    Entry(Source),
    /// It is a cookie, and the token in the query of a navigation failed by expiry alone.
    Instead,
    /// It is a cookie beside a good token in the query: the later one of a subject is kept.
    Beside(Arc<Claims>),
}

type Tried<'r> = Result<Step<'r>, (Box<Trial<'r>>, Failure)>;

impl<'r> Trial<'r> {
    pub(crate) fn of(visit: Box<Visit<'r>>, memory: &Memory) -> Step<'r> {
        let trial =
            Self { visit, way: 0, furthest: None, learned: Vec::new(), verified: Vec::new() };
        Box::new(trial).run(memory)
    }

    /// Tries the remaining ways in; with none left, the failure that got furthest is the answer.
    fn run(mut self: Box<Self>, memory: &Memory) -> Step<'r> {
        let rule = self.visit.rule.clone();
        while let Some(need) = rule.access.needs().get(self.way) {
            match self.attempt(need, memory) {
                Ok(step) => return step,
                Err((trial, failure)) => {
                    self = trial;
                    self.note_failure(failure);
                }
            }
        }
        let failure = self.furthest.take().unwrap_or_else(|| Reason::TokenMissing.into());
        self.settled(|visit| answer::refused(visit, &failure).into())
    }

    fn note_failure(&mut self, mut failure: Failure) {
        failure.way = self.way;
        // What contradicts itself is refused whatever the other ways would say.
        let last =
            matches!(failure.reason, Reason::CredentialRepeated | Reason::CredentialConflict);
        self.way = if last { usize::MAX } else { self.way.saturating_add(1) };
        let further = self.furthest.as_ref().is_none_or(|known| failure.depth() > known.depth());
        if last || further {
            self.furthest = Some(failure);
        }
    }

    fn settled(self, answer: impl FnOnce(Box<Visit<'r>>) -> Next) -> Step<'r> {
        let mut next = answer(self.visit);
        next.decision_mut().learned = self.learned;
        Step::Next(next)
    }

    fn attempt(mut self: Box<Self>, need: &Need, memory: &Memory) -> Tried<'r> {
        let mut proven = Proven::default();
        if !need.api_keys.is_empty() {
            match credential::api_key(&self.visit, need) {
                Ok(key) => {
                    self.visit
                        .notes
                        .add("api_key", || format!("{} in {}", key.name, key.place.name));
                    proven.api_key = Some(key);
                }
                Err(failure) => {
                    self.visit.note("api_key", |visit| audit::outcome(visit, need, &failure));
                    return Err((self, failure));
                }
            }
        }
        let Some(token) = &need.token else { return self.proven(need, proven) };
        let presented = match credential::tokens(&self.visit, token) {
            Ok(presented) => presented,
            Err(contradiction) => {
                let failure = contradiction.into();
                self.visit.note("token", |visit| audit::outcome(visit, need, &failure));
                return self.failed(failure, proven);
            }
        };
        let (source, text) = match (presented.explicit, presented.cookie) {
            (Some(explicit), _) => explicit,
            (None, Some(cookie)) => (Source::Cookie, cookie),
            (None, None) if token.optional => {
                self.visit.notes.add("token", || "none in its places, and it is optional".into());
                return self.proven(need, proven);
            }
            (None, None) => {
                let reason = match self.visit.is_marked() {
                    true => Reason::CookieBlocked,
                    false => Reason::TokenMissing,
                };
                let failure = reason.into();
                self.visit.note("token", |visit| audit::outcome(visit, need, &failure));
                return self.failed(failure, proven);
            }
        };
        let aim =
            Aim { issuer: token.issuer.clone(), proven, presented, part: Part::Entry(source) };
        self.examine(need, aim, text, memory)
    }

    fn failed(self: Box<Self>, failure: impl Into<Failure>, proven: Proven) -> Tried<'r> {
        let failure = Failure { proven, ..failure.into() };
        Err((self, failure))
    }

    /// Looks at a token, and asks for its signature unless it is remembered.
    fn examine(
        mut self: Box<Self>,
        need: &Need,
        aim: Aim<'r>,
        text: &'r [u8],
        memory: &Memory,
    ) -> Tried<'r> {
        self.visit.notes.add_token(text);
        let issuer = aim.issuer.index;
        let known = self.verified.iter().find(|(of, token, _)| *of == issuer && *token == text);
        if let Some(judged) = known.map(|(_, _, judged)| judged.clone()) {
            return self.judged(need, aim, judged, memory);
        }
        let generation = self.visit.keys.generation();
        let judged = match memory.recall(text, aim.issuer.index, generation) {
            Some(recalled) => {
                self.learned.extend(recalled.again);
                match self.visit.accepts(&recalled.claims, &aim.issuer) {
                    Ok(()) => Ok(recalled.claims),
                    Err(reason) => Err(Failure::new(reason, Detail::Claims(recalled.claims))),
                }
            }
            None => match self.visit.parse(text, &aim.issuer) {
                Ok(parsed) => return Ok(Step::Verify(Unverified { trial: self, parsed, aim })),
                Err(failure) => Err(failure),
            },
        };
        self.judged(need, aim, judged, memory)
    }

    /// Goes on with a token that was believed or refused.
    fn judged(
        mut self: Box<Self>,
        need: &Need,
        mut aim: Aim<'r>,
        judged: Result<Arc<Claims>, Failure>,
        memory: &Memory,
    ) -> Tried<'r> {
        self.visit.note("token", |visit| aim.part.outcome(visit, need, &judged));
        let cookie = aim.presented.cookie;
        let (claims, source, beside) = match (aim.part.clone(), judged, cookie) {
            (Part::Entry(Source::Query), Ok(claims), Some(cookie)) if self.visit.exchanges() => {
                aim.part = Part::Beside(claims);
                return self.examine(need, aim, cookie, memory);
            }
            (Part::Entry(Source::Query), Err(failure), Some(cookie))
                if failure.reason == Reason::TokenExpired && self.visit.navigates() =>
            {
                aim.part = Part::Instead;
                return self.examine(need, aim, cookie, memory);
            }
            (Part::Entry(source), Ok(claims), _) => (claims, source, None),
            (Part::Entry(_), Err(failure), _) => return self.failed(failure, aim.proven),
            (Part::Instead, Ok(claims), _) => (claims, Source::Cookie, None),
            (Part::Instead, Err(_), _) => return self.failed(Reason::TokenExpired, aim.proven),
            (Part::Beside(claims), beside, _) => (claims, Source::Query, beside.ok()),
        };
        let token = Known { claims, source, issuer: aim.issuer, beside };
        self.proven(need, Proven { token: Some(token), ..aim.proven })
    }

    /// The caller is known: what else is required?
    fn proven(mut self: Box<Self>, need: &Need, proven: Proven) -> Tried<'r> {
        match requirements::check(&mut self.visit, need, &proven) {
            Ok(()) => Ok(self.settled(|visit| answer::admitted(visit, proven))),
            Err(failure) => Err((self, failure)),
        }
    }
}

impl<'r> Unverified<'r> {
    /// What the host is asked: did one of these keys sign this token?
    pub fn question(&self) -> Question<'_> {
        Question {
            issuer: self.aim.issuer.index,
            algorithm: self.parsed.algorithm,
            kid: self.parsed.kid.as_deref(),
            message: self.parsed.message,
            signature: &self.parsed.signature,
        }
    }

    /// The host's answer: the key whose signature holds, or none.
    pub fn answered(self, signed_by: Option<KeyId>, memory: &Memory) -> Step<'r> {
        let Self { mut trial, parsed, aim } = self;
        let rule = trial.visit.rule.clone();
        let Some(need) = rule.access.needs().get(trial.way) else { return trial.run(memory) };
        let judged = match signed_by {
            Some(key) => {
                let (token, claims) = (parsed.text.into(), Arc::new(parsed.claims));
                trial.learned.push(Learned { token, claims: Arc::clone(&claims), key });
                Ok(claims)
            }
            None => Err(Failure::signed(Reason::TokenSignature, parsed.algorithm, parsed.kid)),
        };
        trial.verified.push((aim.issuer.index, parsed.text, judged.clone()));
        match trial.judged(need, aim, judged, memory) {
            Ok(step) => step,
            Err((mut trial, failure)) => {
                trial.note_failure(failure);
                trial.run(memory)
            }
        }
    }
}

impl Part {
    fn outcome(
        &self,
        visit: &Visit<'_>,
        need: &Need,
        judged: &Result<Arc<Claims>, Failure>,
    ) -> String {
        let source = match self {
            Self::Entry(source) => source.as_str(),
            Self::Instead => "cookie, in place of an expired token in the query",
            Self::Beside(_) => "cookie, beside a good token in the query",
        };
        match judged {
            Ok(claims) => format!(
                "good, of {}, from the {source}",
                claims.subject.as_deref().unwrap_or("nobody by name")
            ),
            Err(failure) => match audit::detail(visit, Some(need), failure) {
                Some(detail) => format!("{}, from the {source}: {detail}", failure.reason),
                None => format!("{}, from the {source}", failure.reason),
            },
        }
    }
}
