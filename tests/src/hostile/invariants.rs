//! What holds of every decision, whatever was asked.

use std::collections::BTreeSet;

use vigile_policy::{Decision, Edit, Reason, Request, Rest, UnixTime, Verdict, drive};

use super::Hostile;
use super::model::{Model, parameters};
use super::places::{all, contains, first, presented};
use super::world::World;

pub(super) type Headers = [(String, Vec<u8>)];
pub(super) type Held = Result<(), String>;

/// Decides on a request twice, without and with a memory of it, and looks at all that came of it.
pub fn check(world: &World, hostile: &Hostile) -> Result<Reason, String> {
    let Hostile { headers, body, end_of_stream, peer, .. } = hostile;
    let request = Request { headers, peer: *peer, end_of_stream: *end_of_stream };
    let (state, rest) = (&world.state, Rest { body, permits: true });
    let now = UnixTime(hostile.now);
    let mut memory = world.state.memory([1, 2]);
    let first = drive(state, &request, rest, &mut memory, now);
    let again = drive(state, &request, rest, &mut memory, now);
    same(&first, &again)?;
    // What is remembered is judged anew: eleven minutes later most tokens have ended.
    let later = UnixTime(hostile.now.saturating_add(660));
    let afresh = drive(state, &request, rest, &mut state.memory([3, 4]), later);
    same(&afresh, &drive(state, &request, rest, &mut memory, later))?;
    let model = first.record.module().map(|name| world.model(name));
    let said = Said { world, hostile, request, model, decision: &first };
    said.verdict()?;
    said.edits()?;
    said.credentials()?;
    said.admitted()?;
    said.line(now)?;
    match &first.verdict {
        Verdict::Forward { .. } => said.forwarded()?,
        Verdict::Reply(reply) => said.replied(reply)?,
    }
    said.on_the_way()?;
    Ok(first.record.reason())
}

/// A remembered token costs less, and changes nothing else.
fn same(first: &Decision, again: &Decision) -> Held {
    let replied = match (&first.verdict, &again.verdict) {
        (Verdict::Reply(first), Verdict::Reply(again)) => {
            first.headers().eq(again.headers()) && first.body == again.body
        }
        (Verdict::Forward { .. }, Verdict::Forward { .. }) => true,
        _ => false,
    };
    let alike = first.record.reason() == again.record.reason()
        && first.record.subject() == again.record.subject()
        && first.edits == again.edits
        && replied;
    held(alike, || format!("remembered: {} and {}", first.record.reason(), again.record.reason()))
}

pub(super) fn held(holds: bool, otherwise: impl FnOnce() -> String) -> Held {
    if holds { Ok(()) } else { Err(otherwise()) }
}

pub(super) struct Said<'s> {
    pub(super) world: &'s World,
    pub(super) hostile: &'s Hostile,
    pub(super) request: Request<'s>,
    pub(super) model: Option<&'s Model>,
    pub(super) decision: &'s Decision,
}

impl Said<'_> {
    pub(super) fn reason(&self) -> Reason {
        self.decision.record.reason()
    }

    fn verdict(&self) -> Held {
        let (record, reason) = (&self.decision.record, self.reason());
        let fits = match &self.decision.verdict {
            Verdict::Forward { .. } => !reason.refuses() && reason.status() == 0,
            Verdict::Reply(reply) => {
                reply.status() == reason.status() && (200..600).contains(&reply.status())
            }
        };
        held(fits, || format!("{reason} and its verdict"))?;
        let observed = record.would_refuse().is_some();
        held(observed == (reason == Reason::AllowedObserved), || "observed".into())?;
        let observes = match self.model {
            Some(model) => model.observes,
            None => self.world.state.policy().observes(None),
        };
        held(!observed || observes, || format!("{reason} where nothing is observed"))
    }

    /// What is written holds no line break and no NUL that was not there before.
    fn edits(&self) -> Held {
        for edit in &self.decision.edits {
            let (Edit::Set(name, value) | Edit::Add(name, value)) = edit else { continue };
            let breaks = |value: &[u8]| value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0));
            let before = all(self.request.headers, name).any(breaks);
            held(before || !breaks(value), || format!("{name}: {}", value.escape_ascii()))?;
            held(!name.is_empty() && *name == name.to_lowercase(), || {
                format!("the name {name:?}")
            })?;
        }
        let upstream = [
            (
                "content-security-policy".to_owned(),
                b"default-src *;frame-ancestors 'none',".to_vec(),
            ),
            ("x-frame-options".to_owned(), b"DENY".to_vec()),
            ("surrogate-control".to_owned(), b"max-age=1".to_vec()),
            ("cache-control".to_owned(), vec![0xff, b',', b'=', b',']),
            ("set-cookie".to_owned(), vec![0xff, b';', b'=', b';']),
            ("set-cookie".to_owned(), b";;samesite".to_vec()),
        ];
        let plan = &self.decision.response;
        let unseen = upstream.iter().filter(|(name, _)| !plan.looks_at().any(|seen| seen == name));
        let unseen: Vec<_> = unseen.cloned().collect();
        held(plan.edits(&unseen) == plan.edits(&[]), || "a header that is not looked at".into())?;
        for edit in plan.edits(&upstream) {
            if let Edit::Set(name, value) | Edit::Add(name, value) = edit {
                held(!value.is_empty() && !value.contains(&b'\n'), || format!("answer's {name}"))?;
            }
        }
        Ok(())
    }

    /// Nobody is let in, believed or named without a credential that holds, in a place where the module
    /// looks for one.
    fn credentials(&self) -> Held {
        let reason = self.reason();
        let good = self.good_in_places();
        let by_credential = matches!(
            reason,
            Reason::AllowedToken
                | Reason::AllowedApiKey
                | Reason::ExchangeDone
                | Reason::RefreshDone
        );
        held(!by_credential || !good.is_empty(), || format!("{reason} without a credential"))?;
        let named = self.decision.record.subject();
        held(named.is_none() || !good.is_empty(), || format!("{named:?} without a credential"))?;
        held(!by_credential || self.model.is_some(), || "no module".into())
    }

    /// Credentials that hold now, from the places where the module looks.
    pub(super) fn good_in_places(&self) -> BTreeSet<&str> {
        let Some(model) = self.model else { return BTreeSet::new() };
        let presented = presented(self.request.headers, model);
        let is_there = |good: &str| presented.iter().any(|one| one == good.as_bytes());
        let now = self.hostile.now;
        let leeway = 300;
        let tokens = self.world.good_tokens.iter().filter(|token| now < token.ends(leeway));
        let keys = self.world.good_keys.iter().map(String::as_str);
        tokens.map(|token| token.text.as_str()).chain(keys).filter(|good| is_there(good)).collect()
    }

    fn line(&self, now: UnixTime) -> Held {
        let line =
            self.decision.record.line(&self.request, self.hostile.peer.map(|peer| peer.ip()), now);
        let audited = self.model.map_or(0, |model| model.audited);
        held(line.len() < 6000 + 1100 * audited, || format!("{} bytes of audit line", line.len()))?;
        held(!line.chars().any(char::is_control), || format!("a control character in {line:?}"))?;
        let json: serde_json::Value =
            serde_json::from_str(&line).map_err(|error| error.to_string())?;
        held(json.is_object(), || line.clone())?;
        self.tells_no_credential("the audit line", line.as_bytes())
    }

    /// No credential that was presented where one belongs stands in `output`, unless the caller wrote it
    /// elsewhere too.
    pub(super) fn tells_no_credential(&self, what: &str, output: &[u8]) -> Held {
        let Some(model) = self.model else { return Ok(()) };
        let presented = presented(self.request.headers, model);
        for secret in presented.iter().filter(|text| is_like_one(text)) {
            let told = contains(output, secret);
            held(!told || self.strays(model, secret), || {
                format!("{what} tells {}: {}", secret.escape_ascii(), output.escape_ascii())
            })?;
        }
        Ok(())
    }

    /// Whether a credential stands where none belongs: in the path, in a header that is logged.
    fn strays(&self, model: &Model, secret: &[u8]) -> bool {
        let places = |name: &str| {
            name == "cookie"
                || model.header.as_deref() == Some(name)
                || model.key_headers.contains(name)
                || (name == "sec-websocket-protocol" && model.subprotocol.is_some())
        };
        let path = first(self.request.headers, ":path").unwrap_or_default();
        let foreign = |(name, value): &(Vec<u8>, Vec<u8>)| {
            model.query.as_ref().is_none_or(|query| query.as_bytes() != name)
                && (contains(value, secret) || contains(name, secret))
        };
        contains(path.split(|byte| *byte == b'?').next().unwrap_or_default(), secret)
            || parameters(path).iter().any(foreign)
            || self
                .request
                .headers
                .iter()
                .any(|(name, value)| !places(name) && name != ":path" && contains(value, secret))
    }
}

/// As long as a key at least, and of what tokens and keys are written with (RFC 6750 §2.1): a caller can
/// present the words of an answer as well, and they stand in it.
fn is_like_one(text: &[u8]) -> bool {
    text.len() >= 32 && text.iter().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=".contains(b))
}
