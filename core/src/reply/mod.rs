//! What Vigile answers itself: refusals in the caller's language, the exchange, the status.

mod logout;
mod page;
mod status;
mod words;

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;

use crate::Reason;
use crate::body::Mistake;
use crate::decide::{Detail, Failure};
use crate::origin::Origin;
use crate::policy::{Embed, Headers, Module};
use crate::reason::Language;
use crate::request::{Caller, Destination};
pub(crate) use logout::logout;
pub(crate) use status::{Security, status};

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Reply {
    reason: Reason,
    module: Option<Arc<Module>>,
    /// What it has beside, or in place of, what every answer has.
    own: Vec<(Cow<'static, str>, Cow<'static, str>)>,
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
            Destination::Document | Destination::Frame | Destination::Reissued => {
                Self::Page(caller.destination)
            }
            Destination::Unsaid if caller.accepts_html => Self::Page(Destination::Unsaid),
            Destination::Unsaid | Destination::Other => Self::Json,
        }
    }
}

/// What Vigile's answers depend on (RFC 9110 §12.5.5), for caches that would keep them all the same.
const VARY: &str = "Accept, Accept-Language, Authorization, Cookie, Origin, Sec-Fetch-Dest, Sec-Fetch-Mode, Sec-Fetch-Site";

/// What every answer of Vigile carries, where its module says nothing else.
const ALWAYS: [(&str, &str); 4] = [
    ("cache-control", "no-store"),
    ("vary", VARY),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
];

/// The policy of an answer of no module, which loads nothing and is framed by nobody.
const NOWHERE: (&str, &str) = (
    "content-security-policy",
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// What every answer of a module carries: made at load, since a flood of refusals is made of these.
pub(crate) fn always(headers: &Headers, embed: Option<&Embed>) -> Vec<(String, String)> {
    let policy = content_policy("", embed);
    let ours = || ALWAYS.into_iter().chain([(NOWHERE.0, policy.as_str())]);
    let theirs = headers.set.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let theirs = theirs.filter(|(name, _)| ours().all(|(known, _)| known != *name));
    theirs.chain(ours()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

impl Reply {
    /// An answer without a body, with what every answer of Vigile carries.
    pub(crate) fn of(reason: Reason, module: Option<&Arc<Module>>) -> Self {
        let own = vec![("vigile-reason".into(), reason.code().into())];
        Self { reason, module: module.cloned(), own, body: Vec::new() }
    }

    /// Its headers: names in lower case, values in visible ASCII. Only `set-cookie` stands more than once.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        let nowhere = ALWAYS.into_iter().chain([NOWHERE]).filter(|_| self.module.is_none());
        let always = self.module.iter().flat_map(|module| &module.answers);
        let always = always.map(|(name, value)| (name.as_str(), value.as_str())).chain(nowhere);
        let own = self.own.iter().map(|(name, value)| (name.as_ref(), value.as_ref()));
        always.filter(|(name, _)| self.own.iter().all(|(known, _)| known != name)).chain(own)
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
    pub(crate) fn set(
        &mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Cow<'static, str>>,
    ) {
        let name = name.into();
        self.own.retain(|(known, _)| *known != name);
        self.own.push((name, value.into()));
    }

    /// Adds one value more.
    pub(crate) fn add(&mut self, name: &'static str, value: String) {
        self.own.push((name.into(), value.into()));
    }

    fn with_body(mut self, content_type: &'static str, body: Vec<u8>) -> Self {
        self.set("content-type", content_type);
        self.body = body;
        self
    }

    fn with_json(self, body: &impl Serialize) -> Self {
        self.with_body("application/json", serde_json::to_vec(body).unwrap_or_default())
    }

    /// Lets the page that asked read the answer, credentials and all (Fetch §3.2.3). The caller of this
    /// has compared the origin with the policy.
    pub(crate) fn allow_origin(&mut self, origin: &Origin) {
        self.set("access-control-allow-origin", origin.to_string());
        self.set("access-control-allow-credentials", "true");
        self.set("access-control-expose-headers", "vigile-reason, vigile-parameter");
    }
}

/// The policy of an answer that loads nothing but `sources`, framed by whom the module may be framed.
fn content_policy(sources: &str, embed: Option<&Embed>) -> String {
    let ancestors =
        embed.map_or("frame-ancestors 'none'".to_owned(), |embed| embed.ancestors.directive());
    format!("default-src 'none'; {sources}base-uri 'none'; form-action 'none'; {ancestors}")
}

/// A refusal in the form that its reader can use.
pub(crate) fn refusal(
    module: Option<&Arc<Module>>,
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
    let module = module.map(Arc::as_ref);
    match form {
        Form::Page(destination) => page::page(reply, module, destination, language, failure),
        Form::Json => {
            let embedded = module.is_some_and(|module| module.embed.is_some());
            let title = failure.reason.title();
            reply.with_json(&Refusal {
                detail: match &failure.detail {
                    // Gradio shows `detail` as a toast when it is a string, and throws on an object.
                    _ if embedded => Words::Message(words::message(failure, module, language)),
                    Detail::Body(mistakes) => Words::Mistakes(mistakes),
                    _ => Words::Titled {
                        error: title,
                        message: words::message(failure, module, Language::English),
                    },
                },
            })
        }
    }
}

/// A refusal in JSON.
#[derive(Serialize)]
struct Refusal<'r> {
    detail: Words<'r>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Words<'r> {
    Message(Cow<'static, str>),
    /// The shape that clients of FastAPI know.
    Mistakes(&'r [Mistake]),
    Titled {
        error: &'static str,
        message: Cow<'static, str>,
    },
}

/// RFC 6750 §3: no error code where nothing was presented; never an echo of what was.
fn challenge(module: Option<&Arc<Module>>, reason: Reason) -> String {
    let realm = module.map_or("vigile", |module| module.name.as_str());
    match reason {
        Reason::TokenMissing | Reason::CookieBlocked | Reason::ApiKeyMissing => {
            format!("Bearer realm=\"{realm}\"")
        }
        _ => format!("Bearer realm=\"{realm}\", error=\"invalid_token\""),
    }
}
