//! What Vigile answers itself: refusals in the caller's language, the exchange, the status.

mod again;
mod logout;
mod page;
mod status;
mod words;

use serde_json::json;

use crate::Reason;
use crate::body::Mistake;
use crate::decide::{Detail, Failure};
use crate::policy::Module;
use crate::reason::Language;
use crate::request::{Caller, Destination, SentOrigin};
pub(crate) use again::again;
pub(crate) use logout::logout;
pub(crate) use status::status;

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Reply {
    reason: Reason,
    /// Names in lower case, values in visible ASCII.
    pub headers: Vec<(String, String)>,
    /// The body; a host sends none to HEAD.
    pub body: Vec<u8>,
}

/// How a refusal is written (docs/rules.md, rule 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// The block page, in a tab of its own, in a frame, or nobody said where.
    Page(Destination),
    Json,
}

impl Form {
    pub(crate) fn of(caller: &Caller, refresh: bool) -> Self {
        match caller.destination {
            _ if refresh => Self::Json,
            Destination::Document | Destination::Frame => Self::Page(caller.destination),
            Destination::Unsaid if caller.accepts_html => Self::Page(Destination::Unsaid),
            Destination::Unsaid | Destination::Other => Self::Json,
        }
    }
}

/// What Vigile's answers depend on (RFC 9110 §12.5.5), for caches that would keep them all the same.
const VARY: &str = "Accept, Accept-Language, Authorization, Cookie, Origin, Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site";

impl Reply {
    /// An answer without a body, with what every answer of Vigile carries.
    pub(crate) fn of(reason: Reason, module: Option<&Module>) -> Self {
        let mut reply = Self { reason, headers: Vec::new(), body: Vec::new() };
        for (name, value) in module.map(|module| module.headers.set.as_slice()).unwrap_or_default()
        {
            reply.set(name, value);
        }
        reply.set("cache-control", "no-store");
        reply.set("vary", VARY);
        reply.set("referrer-policy", "no-referrer");
        reply.set("x-content-type-options", "nosniff");
        reply.set("vigile-reason", reason.code());
        reply.set("content-security-policy", content_policy("", module));
        reply
    }

    /// Why it was given.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Its status.
    pub fn status(&self) -> u16 {
        self.reason.status()
    }

    /// Sets a header; it stands once.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Adds one value more.
    pub(crate) fn add(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    fn with_body(mut self, content_type: &'static str, body: Vec<u8>) -> Self {
        self.set("content-type", content_type);
        self.body = body;
        self
    }

    fn with_json(self, body: &serde_json::Value) -> Self {
        self.with_body("application/json", body.to_string().into_bytes())
    }

    /// Lets the page that asked read the answer, credentials and all (Fetch §3.2.3). The caller of this
    /// has compared the origin with the policy.
    pub(crate) fn allow_origin(&mut self, caller: &Caller) {
        if let SentOrigin::Known(origin) = &caller.origin {
            self.set("access-control-allow-origin", origin.to_string());
            self.set("access-control-allow-credentials", "true");
            self.set("access-control-expose-headers", "vigile-reason");
        }
    }
}

/// The policy of an answer that loads nothing but `sources`, framed by whom the module may be framed.
fn content_policy(sources: &str, module: Option<&Module>) -> String {
    let embed = module.and_then(|module| module.embed.as_ref());
    let ancestors =
        embed.map_or("frame-ancestors 'none'".to_owned(), |embed| embed.ancestors.directive());
    format!("default-src 'none'; {sources}base-uri 'none'; form-action 'none'; {ancestors}")
}

/// A refusal in the form that its reader can use.
pub(crate) fn refusal(
    module: Option<&Module>,
    form: Form,
    language: Language,
    failure: &Failure,
) -> Reply {
    let mut reply = Reply::of(failure.reason, module);
    if let Detail::Allow(methods) = &failure.detail {
        reply.set("allow", methods.clone());
    }
    if failure.reason == Reason::ConcurrencyFull {
        reply.set("retry-after", "1");
    }
    if failure.reason.status() == 401 {
        reply.set("www-authenticate", challenge(module, failure.reason));
    }
    match form {
        Form::Page(destination) => page::page(reply, module, destination, language, failure),
        Form::Json => {
            let embedded = module.is_some_and(|module| module.embed.is_some());
            let body = match (&failure.detail, embedded) {
                // Gradio shows `detail` as a toast when it is a string, and throws on an object.
                (_, true) => json!({ "detail": words::message(failure, language) }),
                // The shape that clients of FastAPI know.
                (Detail::Body(mistakes), false) => {
                    let all: Vec<_> = mistakes.iter().map(Mistake::json).collect();
                    json!({ "detail": all })
                }
                (_, false) => json!({ "detail": {
                    "error": failure.reason.title(),
                    "message": words::message(failure, Language::English),
                } }),
            };
            reply.with_json(&body)
        }
    }
}

/// RFC 6750 §3: no error code where nothing was presented; never an echo of what was.
fn challenge(module: Option<&Module>, reason: Reason) -> String {
    let realm = module.map_or("vigile", |module| module.name.as_str());
    match reason {
        Reason::TokenMissing | Reason::ApiKeyMissing => format!("Bearer realm=\"{realm}\""),
        _ => format!("Bearer realm=\"{realm}\", error=\"invalid_token\""),
    }
}
