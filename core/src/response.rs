//! What becomes of the app's answer: the module's headers, who may frame it, which caches may keep it.

use std::borrow::Cow;
use std::sync::Arc;

use crate::decide::Edit;
use crate::policy::{Headers, Module};
use crate::reply::Reply;
use crate::request::OFFERED;
use crate::set_cookie;

/// The edits on an answer: of the app, of a filter behind Vigile, or of Vigile itself. It waits across
/// host callbacks, and so owns what it needs.
#[derive(Clone, Debug)]
pub struct ResponsePlan(Plan);

#[derive(Clone, Debug)]
enum Plan {
    /// Nothing is known of the request.
    Nothing,
    /// The answer is not ours. `private`: a credential admitted the request, and shared caches may not
    /// keep the answer. `asked`: what else the request tells.
    Others { module: Arc<Module>, private: bool, asked: Asked },
    /// The answer is ours, and these are its headers. Envoy adds those of its route table to them:
    /// what stands there twice is set once (observed on Envoy 1.40).
    Own(Arc<Reply>),
}

/// What the request tells of its answer.
#[allow(clippy::struct_excessive_bools, reason = "each is a thing of its own")]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    /// A websocket offers the module's own subprotocol, and may need it as the answer.
    pub(crate) subprotocol: bool,
    /// The page that asks is in a frame of another site.
    pub(crate) framed: bool,
    /// The answer goes over https.
    pub(crate) encrypted: bool,
    /// It may be 304 (RFC 9110 §13.1).
    pub(crate) conditional: bool,
}

impl ResponsePlan {
    pub(crate) fn none() -> Self {
        Self(Plan::Nothing)
    }

    pub(crate) fn of(module: &Arc<Module>, by_credential: bool, asked: Asked) -> Self {
        let private = by_credential && !module.shared_cache;
        Self(Plan::Others { module: module.clone(), private, asked })
    }

    pub(crate) fn own(reply: &Arc<Reply>) -> Self {
        Self(Plan::Own(reply.clone()))
    }

    /// The headers that [`Self::edits`] looks at. An answer that has none of them needs not be read: to ask
    /// Envoy for a few that are missing costs less than reading all (docs/decisions/0016).
    pub fn looks_at(&self) -> impl Iterator<Item = &'static str> {
        let (module, private, asked, ours) = match &self.0 {
            Plan::Nothing => (None, false, Asked::default(), false),
            Plan::Others { module, private, asked } => (Some(module), *private, *asked, false),
            Plan::Own(_) => (None, false, Asked::default(), true),
        };
        let sets = |name| module.is_some_and(|module| module.headers.sets(name));
        let embedded = module.is_some_and(|module| module.embed.is_some());
        let private = private && !sets("cache-control");
        let has_own = module.is_some_and(|module| module.own_policy.is_some());
        let caches = SHARED_CACHES.map(|name| (private, name));
        let names = [
            (ours || asked.subprotocol || (asked.conditional && (private || has_own)), ":status"),
            (has_own, "content-security-policy"),
            (embedded && !sets("x-frame-options"), "x-frame-options"),
            (private, "cache-control"),
            (module.is_some_and(|module| partitions_app_cookies(module)), set_cookie::NAME),
        ];
        let names = names.into_iter().chain(caches);
        names.filter_map(|(looked_at, name)| looked_at.then_some(name))
    }

    /// Whether an answer with so many headers is Vigile's own as it was given, to which nobody added any:
    /// then there is nothing to edit. Envoy adds `:status`, and `content-length` to a body.
    pub fn is_as_given(&self, headers: usize) -> bool {
        match &self.0 {
            Plan::Own(reply) => {
                let length = usize::from(!reply.body.is_empty());
                reply.headers().count().saturating_add(1).saturating_add(length) == headers
            }
            Plan::Nothing | Plan::Others { .. } => false,
        }
    }

    /// The edits on an answer with these headers.
    pub fn edits(&self, upstream: &[(String, Vec<u8>)]) -> Vec<Edit<'_>> {
        match &self.0 {
            Plan::Nothing => Vec::new(),
            Plan::Others { module, private, asked } => {
                let mut edits = others(module, *private, upstream);
                if values(upstream, ":status").any(|status| status == b"304") {
                    edits.retain(|edit| !adds(edit, upstream));
                }
                let own = module.headers.set_over_https.iter().filter(|_| asked.encrypted);
                edits.extend(own.map(|(name, value)| set(name, value.as_bytes())));
                edits.extend(chosen(module, *asked, upstream));
                edits.extend(cookies(module, *asked, upstream));
                edits
            }
            Plan::Own(reply) => reply
                .headers()
                .filter(|(name, _)| *name != set_cookie::NAME)
                .filter(|(name, _)| values(upstream, name).nth(1).is_some())
                .map(|(name, value)| set(name, value.as_bytes()))
                .collect(),
        }
    }
}

/// Whether an edit brings what the app did not send again. A browser takes the headers of a 304 for those of the page that
/// it has (RFC 9111 §3.2): what was made of the app's own headers then would be replaced by what is made of none.
fn adds(edit: &Edit<'_>, upstream: &[(String, Vec<u8>)]) -> bool {
    let made = |name: &str| matches!(name, "content-security-policy" | "cache-control");
    matches!(edit, Edit::Set(name, _) if made(name) && values(upstream, name).next().is_none())
}

/// Headers that speak to shared caches, of some kind or of one maker, and count more than Cache-Control there (RFC 9213):
/// nginx, Cloudflare, Vercel, Akamai.
const SHARED_CACHES: [&str; 7] = [
    "surrogate-control",
    "cdn-cache-control",
    "x-accel-expires",
    "cloudflare-cdn-cache-control",
    "vercel-cdn-cache-control",
    "akamai-cache-control",
    "edge-control",
];

fn others<'m>(module: &'m Module, private: bool, upstream: &[(String, Vec<u8>)]) -> Vec<Edit<'m>> {
    let Headers { set: own, remove, .. } = &module.headers;
    let mut edits = Vec::with_capacity(own.len().saturating_add(remove.len()).saturating_add(4));
    let has = |name: &str| values(upstream, name).next().is_some();
    if let Some(own) = &module.own_policy {
        let merged = merged_policy(own, upstream, module.embed.is_some());
        edits.push(set("content-security-policy", merged));
    }
    // frame-ancestors takes its place in every browser that knows it (CSP Level 3 §6.4.2.1); what
    // does not would keep the platform out.
    if module.embed.is_some() && has("x-frame-options") && !module.headers.sets("x-frame-options") {
        edits.push(Edit::Remove("x-frame-options".into()));
    }
    if private && !module.headers.sets("cache-control") {
        edits.push(set("cache-control", private_cache(upstream)));
        let shared = SHARED_CACHES.into_iter().filter(|name| has(name));
        edits.extend(shared.map(|name| Edit::Remove(name.into())));
    }
    edits.extend(remove.iter().map(|name| Edit::Remove(name.into())));
    edits.extend(own.iter().map(|(name, value)| set(name, value.as_bytes())));
    edits
}

/// A browser that offered subprotocols fails a websocket whose answer names none of them (Chromium,
/// though RFC 6455 §4.1 lets a server choose none); the app saw no offer of ours, and so cannot choose it.
fn chosen<'m>(
    module: &'m Module,
    asked: Asked,
    upstream: &[(String, Vec<u8>)],
) -> Option<Edit<'m>> {
    let word = module.credentials.subprotocol.as_ref().filter(|_| asked.subprotocol)?;
    let switches = values(upstream, ":status").any(|status| status == b"101");
    let chose = values(upstream, OFFERED).next().is_some();
    (switches && !chose).then(|| set(OFFERED, word.as_bytes()))
}

fn partitions_app_cookies(module: &Module) -> bool {
    module.embed.as_ref().is_some_and(|embed| embed.partitions_app_cookies)
}

fn cookies(module: &Module, asked: Asked, upstream: &[(String, Vec<u8>)]) -> Vec<Edit<'static>> {
    match (&module.credentials.cookie, partitions_app_cookies(module)) {
        (Some(own), true) => {
            let all: Vec<&[u8]> = values(upstream, set_cookie::NAME).collect();
            set_cookie::edits(&all, own, asked.framed)
        }
        _ => Vec::new(),
    }
}

fn set<'e>(name: &'e str, value: impl Into<Cow<'e, [u8]>>) -> Edit<'e> {
    Edit::Set(name.into(), value.into())
}

fn values<'u>(upstream: &'u [(String, Vec<u8>)], name: &str) -> impl Iterator<Item = &'u [u8]> {
    upstream.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_slice())
}

/// The app's policies and the module's own. Several policies intersect (CSP Level 3 §8.1): so the app's
/// frame-ancestors go, where the module says who may frame it, and the rest stays.
fn merged_policy(own: &str, upstream: &[(String, Vec<u8>)], embedded: bool) -> Vec<u8> {
    let policies = values(upstream, "content-security-policy")
        .flat_map(|value| value.split(|byte| *byte == b','));
    let mut merged: Vec<Vec<u8>> =
        policies.map(|policy| without_ancestors(policy, embedded)).collect();
    merged.retain(|policy| !policy.is_empty());
    merged.push(own.as_bytes().to_vec());
    merged.join(b", ".as_slice())
}

fn without_ancestors(policy: &[u8], embedded: bool) -> Vec<u8> {
    let directives = policy.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let names_ancestors = |directive: &[u8]| {
        let name = directive.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        name.eq_ignore_ascii_case(b"frame-ancestors")
    };
    let kept = directives
        .filter(|directive| !(directive.is_empty() || (embedded && names_ancestors(directive))));
    kept.collect::<Vec<_>>().join(b"; ".as_slice())
}

/// Cache-Control for one reader: `public` and `s-maxage` go, `private` comes (RFC 9111 §5.2.2). Where
/// the app said nothing, a shared cache might guess.
fn private_cache(upstream: &[(String, Vec<u8>)]) -> Vec<u8> {
    let directives = values(upstream, "cache-control").flat_map(directives);
    let name = |directive: &[u8]| {
        let name = directive.split(|byte| *byte == b'=').next().unwrap_or_default();
        name.trim_ascii().to_ascii_lowercase()
    };
    let shared =
        |directive: &&[u8]| matches!(name(directive).as_slice(), b"public" | b"s-maxage" | b"");
    let mut kept: Vec<&[u8]> =
        directives.map(<[u8]>::trim_ascii).filter(|one| !shared(one)).collect();
    // With a list of headers `private` speaks of these alone, and beside `must-understand` a cache may pass over
    // `no-store` (§5.2.2.7, §5.2.2.3).
    let whole = |word: &[u8]| kept.iter().any(|one| one.eq_ignore_ascii_case(word));
    if !whole(b"private") && (!whole(b"no-store") || whole(b"must-understand")) {
        kept.insert(0, b"private");
    }
    kept.join(b", ".as_slice())
}

/// The directives of one header: a comma between quotes parts none (RFC 9110 §5.6.4).
fn directives(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut quoted = false;
    value.split(move |byte| {
        quoted ^= *byte == b'"';
        *byte == b',' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::{merged_policy, private_cache};

    fn headers(name: &str, values: &[&str]) -> Vec<(String, Vec<u8>)> {
        values.iter().map(|value| (name.to_owned(), value.as_bytes().to_vec())).collect()
    }

    #[test]
    fn what_a_credential_admitted_is_one_readers() {
        let cache = |values: &[&str]| {
            String::from_utf8_lossy(&private_cache(&headers("cache-control", values))).into_owned()
        };
        assert_eq!(cache(&[]), "private");
        assert_eq!(cache(&["public, max-age=60, S-MaxAge=9"]), "private, max-age=60");
        assert_eq!(cache(&["no-store"]), "no-store");
        assert_eq!(cache(&["max-age=1", "Private"]), "max-age=1, Private");
        assert_eq!(cache(&["immutable,,"]), "private, immutable");
        assert_eq!(cache(&["must-understand, no-store"]), "private, must-understand, no-store");
        assert_eq!(cache(&["private=\"set-cookie\""]), "private, private=\"set-cookie\"");
        assert_eq!(cache(&["no-cache=\"a, private, b\""]), "private, no-cache=\"a, private, b\"");
    }

    #[test]
    fn the_apps_policy_stays_but_for_its_ancestors() {
        let merged = |values: &[&str], embedded| {
            let upstream = headers("content-security-policy", values);
            String::from_utf8_lossy(&merged_policy("frame-ancestors 'self'", &upstream, embedded))
                .into_owned()
        };
        assert_eq!(merged(&[], true), "frame-ancestors 'self'");
        assert_eq!(
            merged(
                &[
                    "default-src 'self'; FRAME-ANCESTORS 'none';, frame-ancestors 'none'",
                    "img-src *"
                ],
                true
            ),
            "default-src 'self', img-src *, frame-ancestors 'self'"
        );
        assert_eq!(
            merged(&["frame-ancestors 'none'"], false),
            "frame-ancestors 'none', frame-ancestors 'self'"
        );
    }
}
