//! What is known of a decision afterwards: the audit line, the counters, the filter state.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::decide::Proven;
use crate::policy::{ClientAddress, Mode, Module, Policy, Rule};
use crate::request::Request;
use crate::{Reason, UnixTime};

/// The longest text in a log line, in characters: what a client sends fills no disk.
const LONGEST: usize = 256;

/// One decision, for logs, metrics and filter state. Their names are an interface: they change with the
/// schema's version alone.
#[derive(Clone)]
pub struct Record {
    pub(crate) policy: Arc<Policy>,
    pub(crate) module: Option<Arc<Module>>,
    pub(crate) mode: Mode,
    pub(crate) reason: Reason,
    pub(crate) would_refuse: Option<Reason>,
    /// The detail of a refusal: what was wanted, and what stood there.
    pub(crate) detail: Option<String>,
    /// Who it was, as far as that was proven.
    pub(crate) proven: Proven,
    pub(crate) rule: Option<Arc<Rule>>,
    /// What the line tells of a request whose head has gone on by then.
    pub(crate) kept: Option<Kept>,
}

/// Headers by name, as a request has them.
type Kept = Arc<[(String, Vec<u8>)]>;

impl Record {
    /// Why the request was refused, answered or let through.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// In `mode: observe`, why it would have been refused.
    pub fn would_refuse(&self) -> Option<Reason> {
        self.would_refuse
    }

    /// The detail of a refusal: what was wanted and what stood there, in English, on one line, without any credential.
    pub fn detail(&self) -> Option<Cow<'_, str>> {
        self.detail.as_deref().map(|detail| self.shown(detail))
    }

    /// The module, where one was found.
    pub fn module(&self) -> Option<&str> {
        self.module.as_ref().map(|module| module.name.as_str())
    }

    /// The place of the module in [`Policy::modules`].
    pub fn module_index(&self) -> Option<usize> {
        self.module.as_ref().map(|module| module.index)
    }

    /// Who it was: a token's subject whose signature held, or an API key by its name. On one line and
    /// bounded, since access logs print it as it is.
    pub fn subject(&self) -> Option<Cow<'_, str>> {
        self.named().map(on_one_line)
    }

    fn named(&self) -> Option<&str> {
        match (&self.proven.token, &self.proven.api_key) {
            (Some(token), _) => token.claims.subject.as_deref(),
            (None, key) => key.as_ref().map(|key| key.name.as_str()),
        }
    }

    fn roles(&self) -> Vec<String> {
        match (&self.proven.token, &self.proven.api_key) {
            (Some(token), _) => token.claims.words(&token.issuer.roles_claim),
            (None, Some(key)) => key.roles.clone(),
            (None, None) => Vec::new(),
        }
    }

    /// `allowed`, `refused`, `answered` or `observed`.
    pub fn verdict(&self) -> &'static str {
        match self.reason {
            Reason::AllowedObserved => "observed",
            reason if reason.refuses() => "refused",
            reason if reason.status() == 0 => "allowed",
            _ => "answered",
        }
    }

    /// Whether the policy wants a line of it.
    pub fn is_logged(&self) -> bool {
        self.policy.log.all || self.turns_away()
    }

    /// Whether it is a refusal, carried out or observed.
    pub fn turns_away(&self) -> bool {
        self.reason.refuses() || self.would_refuse.is_some()
    }

    /// The audit line: one JSON object with no token, key, cookie or query in it.
    ///
    /// `address` is the caller's, where the host knows one.
    pub fn line(&self, request: &Request<'_>, address: Option<IpAddr>, now: UnixTime) -> String {
        let request = match &self.kept {
            Some(kept) => Request { headers: kept, ..*request },
            None => *request,
        };
        let header = |name: &str| request.value(name).map(|value| self.bytes_shown(value));
        let mut headers: Vec<(&str, Cow<'_, str>)> = Vec::new();
        for name in self.audited() {
            let known = headers.iter().any(|(known, _)| *known == name);
            if let (false, Some(value)) = (known, header(name)) {
                headers.push((name, value));
            }
        }
        let address = address.map(|address| self.caller(address, &request));
        let roles = self.roles().join(" ");
        let line = Line {
            timestamp: now.to_string(),
            level: if self.turns_away() { "WARNING" } else { "INFO" },
            event: format!("request.{}", self.verdict()),
            module: self.module(),
            reason: self.reason.code(),
            would_refuse: self.would_refuse.map(Reason::code),
            detail: self.detail(),
            user: self.named().map(|user| self.shown(user)),
            role: (!roles.is_empty()).then(|| self.shown(&roles)),
            ip: address.map(|address| self.shown_address(address)),
            method: header(":method"),
            path: request.value(":path").map(|path| self.path_shown(without_query(path)).into()),
            request_id: header("x-request-id"),
            mode: self.mode.as_str(),
            headers,
        };
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// The address that the line tells: behind trusted proxies the caller's, where they say it.
    fn caller(&self, address: IpAddr, request: &Request<'_>) -> IpAddr {
        let ClientAddress::Proxies(_) = &self.policy.client_address else { return address };
        // The port tells nothing here but that there is one.
        let peer = SocketAddr::new(address, u16::MAX);
        let behind = self.policy.client_address.of(peer, request.all("x-forwarded-for"));
        behind.unwrap_or(address)
    }

    /// Keeps what a line tells of the request, for a host that no longer has it by then.
    pub(crate) fn keep(&mut self, request: &Request<'_>) {
        let told = |name: &str| TOLD.contains(&name) || self.audited().any(|known| known == name);
        let told = request.headers.iter().filter(|(name, _)| told(name));
        let kept = |(name, value): &(String, Vec<u8>)| match name.as_str() {
            ":path" => (name.clone(), without_query(value).to_vec()),
            _ => (name.clone(), value.clone()),
        };
        self.kept = Some(told.map(kept).collect());
    }

    /// The headers whose values stand in the line.
    fn audited(&self) -> impl Iterator<Item = &str> {
        let required = self.rule.iter().flat_map(|rule| &rule.require_headers);
        required.map(|required| required.name.as_str())
    }

    fn shown<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let cut = on_one_line(text);
        if self.policy.log.mask_email { without_local_parts(&cut).into() } else { cut }
    }

    fn bytes_shown<'t>(&self, bytes: &'t [u8]) -> Cow<'t, str> {
        match String::from_utf8_lossy(bytes) {
            Cow::Borrowed(text) => self.shown(text),
            Cow::Owned(text) => self.shown(&text).into_owned().into(),
        }
    }

    /// A slash ends a local part here, and `%40` is an `@`.
    fn path_shown(&self, path: &[u8]) -> String {
        let path = String::from_utf8_lossy(path);
        let path = on_one_line(&path);
        let segment = |segment| match self.policy.log.mask_email {
            true => without_local_parts(&unescaped_at(segment)).into(),
            false => Cow::Borrowed(segment),
        };
        without_tokens(&path).split('/').map(segment).collect::<Vec<Cow<'_, str>>>().join("/")
    }

    fn shown_address(&self, address: IpAddr) -> String {
        match (self.policy.log.mask_address, address.to_canonical()) {
            (false, address) => address.to_string(),
            (true, IpAddr::V4(address)) => {
                let [one, two, _, _] = address.octets();
                format!("{one}.{two}.*.*")
            }
            (true, IpAddr::V6(address)) => {
                let [one, two, three, ..] = address.segments();
                format!("{one:x}:{two:x}:{three:x}:*")
            }
        }
    }
}

/// What every line tells of a request.
const TOLD: [&str; 4] = [":method", ":path", "x-forwarded-for", "x-request-id"];

/// Also where the `?` is escaped, as when an address was encoded twice.
fn without_query(path: &[u8]) -> &[u8] {
    let begins = |at: &usize| {
        let rest = path.get(*at..).unwrap_or_default();
        let escaped = rest.get(..3).is_some_and(|three| three.eq_ignore_ascii_case(b"%3f"));
        rest.first() == Some(&b'?') || escaped
    };
    let end = (0..path.len()).find(begins).unwrap_or(path.len());
    path.get(..end).unwrap_or_default()
}

/// A path with `(token)` for segments that hold one: the JSON of a header begins as `eyJ` in base64url, and two dots
/// follow (RFC 7519 §3).
fn without_tokens(path: &str) -> Cow<'_, str> {
    let holds = |segment: &str| {
        segment
            .find("eyJ")
            .and_then(|at| segment.get(at..))
            .is_some_and(|token| token.matches('.').count() >= 2)
    };
    if !path.split('/').any(holds) {
        return path.into();
    }
    let shown = |segment| if holds(segment) { "(token)" } else { segment };
    path.split('/').map(shown).collect::<Vec<_>>().join("/").into()
}

#[derive(Serialize)]
struct Line<'l> {
    timestamp: String,
    level: &'static str,
    event: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<&'l str>,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    would_refuse: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'l, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'l, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<Cow<'l, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<Cow<'l, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<Cow<'l, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<Cow<'l, str>>,
    mode: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "as_map")]
    headers: Vec<(&'l str, Cow<'l, str>)>,
}

fn as_map<S: Serializer>(
    headers: &[(&str, Cow<'_, str>)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(headers.iter().map(|(name, value)| (name, value)))
}

/// Bounded, and without what would begin another line or turn one around in a reader's terminal:
/// control characters (C1 among them, which JSON does not escape), line separators, bidi controls.
fn on_one_line(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return text.into();
    }
    let turns = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .take(LONGEST)
        .map(|c| if turns(c) { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// A text with its `%40` read, where any stands in it.
fn unescaped_at(text: &str) -> Cow<'_, str> {
    if text.contains("%40") { text.replace("%40", "@").into() } else { text.into() }
}

/// `alice@example.org` → `***@example.org`, wherever it stands.
fn without_local_parts(text: &str) -> String {
    let local = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c);
    let parts: Vec<&str> = text.split('@').collect();
    let last = parts.len().saturating_sub(1);
    let masked = parts.iter().enumerate().map(|(at, part)| match part.trim_end_matches(local) {
        before if at < last && before.len() < part.len() => format!("{before}***"),
        _ => (*part).to_owned(),
    });
    masked.collect::<Vec<_>>().join("@")
}

#[cfg(test)]
mod tests {
    use super::{on_one_line, unescaped_at, without_local_parts, without_query, without_tokens};

    #[test]
    fn no_text_begins_another_line() {
        assert_eq!(on_one_line("a\r\nb\u{85}c\u{2028}d\u{202e}é"), "a��b�c�d�é");
        assert_eq!(on_one_line(&"é".repeat(300)).chars().count(), 256);
    }

    #[test]
    fn no_query_and_no_token_stands_in_a_path() {
        assert_eq!(without_query(b"/a%3Ftoken=x"), b"/a");
        assert_eq!(without_query(b"/a?b"), b"/a");
        assert_eq!(without_query(b"/a%3"), b"/a%3");
        assert_eq!(without_tokens("/open/eyJhbGci.eyJleHAi.c2ln/x"), "/open/(token)/x");
        assert_eq!(without_tokens("/assets/jquery.min.js"), "/assets/jquery.min.js");
    }

    #[test]
    fn local_parts_of_addresses_are_masked() {
        assert_eq!(without_local_parts("alice@example.org"), "***@example.org");
        assert_eq!(without_local_parts("for a.b+c@x.org, (d@y.org)"), "for ***@x.org, (***@y.org)");
        assert_eq!(without_local_parts("no address"), "no address");
        assert_eq!(unescaped_at("alice%40example.org"), "alice@example.org");
        assert_eq!(without_local_parts("@handle @"), "@handle @");
    }
}
