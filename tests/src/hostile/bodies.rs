//! Bodies that nobody honest sends, and what holds on their way: of what is held until it was looked at, and of
//! what counts as under way.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use vigile_policy::{Decision, Next, Reason, UnixTime, Unread, Verdict, verify};

use super::invariants::{Held, Said, held};
use super::places::{applied, first};
use super::routes::Reading;
use super::world::World;
use super::{Headers, Tape, WORDS, credential};

/// What a request brings behind its head, and whether its head says that nothing does.
pub(super) fn draw(tape: &mut Tape<'_>, world: &World, headers: &mut Headers) -> (Vec<u8>, bool) {
    if tape.chance(150) {
        return (Vec::new(), !tape.chance(8));
    }
    let reader = match !world.readers.is_empty() && tape.chance(200) {
        true => Some(tape.pick(&world.readers)),
        false => None,
    };
    if let Some((host, reading)) = reader {
        *headers = to_a_reader(tape, world, host, reading);
    }
    let body = body(tape, world, reader.map_or(65_536, |(_, reading)| reading.max_bytes));
    let mut kinds = vec!["application/json", "application/json; charset=utf-16", "image/png", ""];
    kinds.extend(["text/plain, application/json", "Application/JSON; charset=UTF-8"]);
    let own = reader.iter().flat_map(|(_, reading)| &reading.media_types);
    kinds.extend(own.map(String::as_str).cycle().take(20));
    headers.push(("content-type".into(), tape.pick(&kinds).as_bytes().to_vec()));
    match tape.byte() {
        0..=149 => headers.push(("content-length".into(), body.len().to_string().into_bytes())),
        150..=239 => headers.push(("transfer-encoding".into(), b"chunked".to_vec())),
        _ => headers.push(("content-length".into(), tape.pick(&WORDS).as_bytes().to_vec())),
    }
    (body, false)
}

fn body(tape: &mut Tape<'_>, world: &World, most: u64) -> Vec<u8> {
    let most = usize::try_from(most.min(200_000)).unwrap();
    let mut body = match tape.byte() {
        0..=179 => json(tape, world, 0),
        180..=209 => tape.bytes(80),
        _ => vec![b' '; most + tape.below(3)],
    };
    if !body.is_empty() && tape.chance(30) {
        let at = tape.below(body.len());
        body[at] ^= 1 << tape.below(8);
    }
    body
}

/// The head of a request to a route that reads bodies, by somebody who may be let in.
fn to_a_reader(tape: &mut Tape<'_>, world: &World, host: &str, reading: &Reading) -> Headers {
    // The first is what most policies let in.
    let token = match tape.byte() {
        0..=39 => credential(tape, world),
        40..=99 => tape.pick(&world.good_tokens).text.clone().into_bytes(),
        _ => world.good_tokens[0].text.clone().into_bytes(),
    };
    let method = reading.methods.first().map_or("POST", String::as_str);
    let bearer = [b"Bearer ".as_slice(), &token].concat();
    let mut headers: Headers = [
        (":method", method.as_bytes().to_vec()),
        (":authority", host.as_bytes().to_vec()),
        (":scheme", b"https".to_vec()),
        (":path", reading.path.clone().into_bytes()),
        ("authorization", bearer),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    if tape.chance(20) {
        headers.push(("content-encoding".into(), tape.pick(&WORDS).as_bytes().to_vec()));
    }
    headers
}

/// An object of the names that the policy's bodies have, some of them twice or in another case.
fn json(tape: &mut Tape<'_>, world: &World, depth: usize) -> Vec<u8> {
    let mut members = Vec::new();
    for _ in 0..tape.below(5) {
        let mut name = tape.pick(&world.fields).clone();
        if tape.chance(10) {
            name = name.to_uppercase();
        }
        members.push([format!("{name:?}:").into_bytes(), value(tape, world, depth)].concat());
    }
    [b"{".as_slice(), &members.join(&b','), b"}"].concat()
}

fn value(tape: &mut Tape<'_>, world: &World, depth: usize) -> Vec<u8> {
    match tape.byte() {
        0..=119 => serde_json::to_vec(&tape.pick(&WORDS)).unwrap(),
        120..=139 => serde_json::to_vec(&"x9".repeat(tape.below(6000))).unwrap(),
        140..=159 => tape.byte().to_string().into_bytes(),
        160..=179 => {
            tape.pick(&["true", "null", "-0", "1e3", "42.0", "1e999", "01"]).as_bytes().to_vec()
        }
        180..=209 if depth < 4 => json(tape, world, depth + 1),
        210..=239 if depth < 4 => {
            let items: Vec<_> = (0..tape.below(4)).map(|_| value(tape, world, depth + 1)).collect();
            [b"[".as_slice(), &items.join(&b','), b"]"].concat()
        }
        _ => b"[".repeat(tape.below(300)),
    }
}

impl Said<'_> {
    /// The same request step by step: with a place for it, and without.
    pub(super) fn on_the_way(&self) -> Held {
        self.steps(true)?;
        self.steps(false)
    }

    fn steps(&self, permits: bool) -> Held {
        let (state, body) = (&self.world.state, self.hostile.body.as_slice());
        let mut memory = state.memory([1, 2]);
        let step = state.decide(&self.request, &memory, UnixTime(self.hostile.now));
        let mut next = verify(step, |question| state.keys().verify(question), &mut memory);
        let (mut counts, mut holds) = (false, false);
        let decision = loop {
            next = match next {
                Next::Permit(unpermitted) => {
                    held(!counts && !holds, || "a place is asked for late".into())?;
                    counts = true;
                    unpermitted.answered(permits)
                }
                Next::Body(unread) => {
                    holds = true;
                    self.unread(&unread)?;
                    let taken = counts && unread.lease().is_some();
                    held(taken == counts, || "held, and not counted".into())?;
                    break match body.len() > unread.at_most() {
                        true => unread.too_large(),
                        false => unread.read(body),
                    };
                }
                Next::Decided(decision) => break decision,
            }
        };
        let taken = decision.lease.is_some();
        held(taken == (counts && permits), || format!("taken: {taken}, asked: {counts}"))?;
        if counts && !permits {
            held(!holds, || "held without a place".into())?;
            return held(why(&decision) == Reason::ConcurrencyFull, || why(&decision).to_string());
        }
        self.outcome(&decision, holds)
    }

    fn outcome(&self, decision: &Decision, holds: bool) -> Held {
        let body = self.hostile.body.as_slice();
        let Verdict::Forward { bound } = &decision.verdict else { return Ok(()) };
        if decision.record.would_refuse().is_some() {
            return Ok(());
        }
        let nothing = body.is_empty();
        held(!holds || nothing || is_unique(body), || {
            format!("let through: {}", body.escape_ascii())
        })?;
        let path = first(self.request.headers, ":path").unwrap_or_default();
        let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
        let method = first(self.request.headers, ":method").unwrap_or_default();
        let reads = self.model.into_iter().flat_map(|model| &model.reading);
        let reads = reads.filter(|reading| reading.takes(method, path));
        let said = reads.map(|reading| reading.max_bytes).min();
        let large = |most: u64| u64::try_from(body.len()).unwrap() > most;
        // What is observed is not cut, and no head tells that it would have been.
        let observes = self.model.is_some_and(|model| model.observes);
        let passes = observes || self.reason() == Reason::BodyTooLarge;
        let through = said.is_some_and(large) && !passes;
        held(!through, || format!("{} bytes, where {said:?} are taken", body.len()))?;
        // What is larger than the bound is cut by the host, and `drive` says so.
        let most = bound.as_ref().map_or(u64::MAX, |bound| bound.bytes);
        let cut = self.reason() == Reason::BodyTooLarge;
        held(large(most) == cut, || format!("{} bytes of {most}: {}", body.len(), self.reason()))
    }

    /// A stream may end while its body is held: access logs print the head as it is then.
    fn unread(&self, unread: &Unread) -> Held {
        held(unread.at_most() <= 1 << 20, || format!("{} bytes are held", unread.at_most()))?;
        self.clean(&applied(self.request.headers, unread.edits()))?;
        let record = unread.unfinished();
        held(record.reason() == Reason::BodyUnfinished, || record.reason().to_string())?;
        let line = record.line(&self.request, None, UnixTime(self.hostile.now));
        self.tells_no_credential("the line of a body that did not end", line.as_bytes())
    }
}

fn why(decision: &Decision) -> Reason {
    decision.record.would_refuse().unwrap_or(decision.record.reason())
}

/// Whether these bytes are JSON in which no member stands twice, as another reader has it.
fn is_unique(body: &[u8]) -> bool {
    serde_json::from_slice::<Unique>(body).is_ok()
}

struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON in which no member stands twice")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self, A::Error> {
        while items.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("a member stands twice"));
            }
            members.next_value::<Self>()?;
        }
        Ok(self)
    }
}
