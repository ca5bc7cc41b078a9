//! How a decision is printed.

use std::borrow::Cow;

use vigile_policy::{Decision, Edit, Note, Reason, Reply, UnixTime, Verdict};

use super::claims;
use super::hidden::Hidden;
use super::policy::Loaded;
use super::request::Asked;

/// What stays the same from the question to the answer.
pub(super) struct Shown<'s> {
    pub(super) hidden: &'s Hidden,
    pub(super) asked: &'s Asked,
    pub(super) time: UnixTime,
    pub(super) body: bool,
}

impl Shown<'_> {
    /// The request, the policy, and what is not set.
    pub(super) fn question(&self, place: &str, loaded: &Loaded) -> String {
        let asked = self.asked;
        let [method, scheme, authority, path] =
            [":method", ":scheme", ":authority", ":path"].map(|name| asked.value(name));
        let address = self.hidden.from(&format!("{method} {scheme}://{authority}{path}"));
        let mut out = vec![
            line("request", &address),
            line("from", &asked.from.to_string()),
            line("at", &self.time.to_string()),
            line("policy", &format!("{place}, digest {}", loaded.state.policy().digest())),
        ];
        let unset = loaded.unset.iter();
        out.extend(
            unset.map(|unset| line("not set", &format!("{}: {}", unset.name, unset.effect))),
        );
        out.concat()
    }

    /// Each check and its outcome.
    pub(super) fn checks(&self, decision: &Decision, loaded: &Loaded) -> String {
        let notes = decision.notes.iter().map(|note| self.note(note));
        let reason = decision.record.would_refuse().unwrap_or(decision.record.reason());
        let judged_blindly = matches!(
            reason,
            Reason::TokenSignature | Reason::ApiKeyInvalid | Reason::AddressNotAllowed
        );
        let unset = loaded.unset.iter().filter(|unset| unset.refuses && judged_blindly);
        let doubts = unset.map(|unset| inner("", &format!("{} is not set, see above", unset.name)));
        format!("\nchecks\n{}{}", notes.collect::<String>(), doubts.collect::<String>())
    }

    fn note(&self, note: &Note) -> String {
        let lines = match note.check {
            Note::TOKEN_HEADER | Note::TOKEN_CLAIMS => claims::lines(&note.outcome, self.time),
            _ => vec![note.outcome.clone()],
        };
        let titles = std::iter::once(note.check).chain(std::iter::repeat(""));
        titles.zip(&lines).map(|(title, line)| inner(title, &self.hidden.from(line))).collect()
    }

    /// The detail of a refusal, where no check has said it.
    fn detail(decision: &Decision) -> Option<Cow<'_, str>> {
        let detail = decision.record.detail()?;
        let said = decision.notes.iter().any(|note| note.outcome.contains(detail.as_ref()));
        (!said).then_some(detail)
    }

    /// The verdict and all that comes of it.
    pub(super) fn answer(&self, decision: &Decision) -> String {
        let record = &decision.record;
        let reason = |reason: Reason| format!("{reason}: {}", reason.meaning().replace('`', ""));
        let mut out = vec![
            "\nanswer\n".to_owned(),
            inner("verdict", record.verdict()),
            inner("reason", &reason(record.reason())),
        ];
        out.extend(record.would_refuse().map(|refused| inner("would be", &reason(refused))));
        out.extend(
            Self::detail(decision).map(|detail| inner("detail", &self.hidden.from(&detail))),
        );
        out.extend(record.subject().map(|subject| inner("subject", &subject)));
        if record.is_logged() {
            let log = record.line(&self.asked.request(), Some(self.asked.from.ip()), self.time);
            out.push(inner("log", &self.hidden.from(&log)));
        }
        out.push(match &decision.verdict {
            Verdict::Reply(reply) => self.reply(reply),
            Verdict::Forward { .. } => self.forward(decision),
        });
        out.concat()
    }

    fn reply(&self, reply: &Reply) -> String {
        let headers = reply.headers().map(|(name, value)| {
            inner("", &format!("{name}: {}", self.hidden.header(name, value)))
        });
        let status = inner("status", &reply.status().to_string());
        format!("{status}{}{}", headers.collect::<String>(), self.reply_body(reply))
    }

    fn reply_body(&self, reply: &Reply) -> String {
        let is_page = reply
            .headers()
            .any(|(name, value)| name == "content-type" && value.starts_with("text/html"));
        let text = String::from_utf8_lossy(&reply.body);
        match (reply.body.is_empty(), is_page && !self.body) {
            (true, _) => String::new(),
            (false, true) => {
                inner("body", &format!("the block page, {} bytes (--body prints it)", text.len()))
            }
            (false, false) => format!("{}\n", inner("body", &self.hidden.from(&text)).trim_end()),
        }
    }

    fn forward(&self, decision: &Decision) -> String {
        let response = decision.response.edits(&[]);
        let part = |title: &str, edits: &[Edit<'_>]| {
            let lines: String = last(edits).into_iter().map(|edit| self.edit(edit)).collect();
            match lines.is_empty() {
                true => inner(title, "nothing is changed"),
                false => format!("  {title}\n{lines}"),
            }
        };
        format!(
            "{}{}",
            part("the app receives", &decision.edits),
            part("its answer gets", &response)
        )
    }

    fn edit(&self, edit: &Edit<'_>) -> String {
        match edit {
            Edit::Remove(name) => inner("", &format!("without {name}")),
            Edit::Set(name, value) | Edit::Add(name, value) => {
                let value = String::from_utf8_lossy(value);
                inner("", &format!("{name}: {}", self.hidden.header(name, &value)))
            }
        }
    }
}

/// The edits that count: of several on one header the last one, and what is added to it.
fn last<'e>(edits: &'e [Edit<'e>]) -> Vec<&'e Edit<'e>> {
    let name = |edit: &Edit<'e>| match edit {
        Edit::Set(name, _) | Edit::Add(name, _) | Edit::Remove(name) => name.clone(),
    };
    let counts = |at: usize, edit: &Edit<'e>| {
        let later = edits.iter().skip(at.saturating_add(1));
        later
            .filter(|later| name(later) == name(edit))
            .all(|later| matches!(later, Edit::Add(..)) && !matches!(edit, Edit::Remove(_)))
    };
    edits.iter().enumerate().filter(|(at, edit)| counts(*at, edit)).map(|(_, edit)| edit).collect()
}

fn line(name: &str, text: &str) -> String {
    format!("{name:<9} {text}\n")
}

fn inner(name: &str, text: &str) -> String {
    format!("  {name:<17} {text}\n")
}
