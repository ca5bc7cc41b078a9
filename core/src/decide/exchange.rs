//! A token in the query becomes a cookie (docs/rules.md, rule 8, and docs/browsers.md).

use percent_encoding::{AsciiSet, CONTROLS, percent_encode};

use super::credential;
use super::edits::{Cut, path_without_token};
use super::proof::Known;
use super::visit::Visit;
use crate::policy::CookieName;
use crate::reply::Reply;
use crate::request::{Destination, MARK, Site, cookie_values};
use crate::token::{Claims, glimpse};
use crate::{Reason, UnixTime};

/// Browsers drop a cookie whose name and value are longer, in silence (RFC 6265bis §5.6).
const MOST: usize = 4096;

/// How much longer than its token a cookie is kept, in seconds. A browser that still sends it can be told
/// that the session has ended (`token.expired`), rather than that there was none; and a `leeway` holds for
/// browsers too. What it admits ends with the token.
const KEPT: i64 = 24 * 60 * 60;

/// 303 to the same address without the token, with the cookie.
pub(crate) fn exchange(visit: &Visit<'_>, token: &Known) -> Result<Reply, Reason> {
    let known = token.beside.as_deref();
    // A frame of another site's looks like the platform's, and can send itself here: its only ancestor is the platform then,
    // too. Referer and Origin alone tell them apart (docs/decisions/0009).
    // What is sent once more may be a download of a frame of another site, which brings no cookie: the session that is open
    // does not show then.
    let reissued = visit.caller.destination == Destination::Reissued;
    if (reissued || replaces_another(visit, token)) && !visit.asked_by_platform() {
        return Err(Reason::ExchangeSubject);
    }
    let mut reply = Reply::of(Reason::ExchangeDone, Some(&visit.module));
    reply.set("location", location(visit, may_keep_nothing(visit)));
    if known.is_none_or(|known| !outlives(known, &token.claims)) {
        reply.set("set-cookie", cookie(visit, &token.claims)?);
    }
    Ok(reply)
}

/// Tells that nothing shows yet that the browser keeps a cookie in a frame of another site: then the address that it is led to
/// says that there was a token, and a visit there without a cookie is told from one without a session.
fn may_keep_nothing(visit: &Visit<'_>) -> bool {
    let framed = matches!(visit.caller.destination, Destination::Frame | Destination::Reissued);
    framed
        && visit.module.credentials.cookie.as_ref().is_some_and(|cookie| {
            let is_there = |name: &str| cookie_values(&visit.request, name).next().is_some();
            is_foreign(visit, cookie) && !cookie.names().into_iter().any(is_there)
        })
}

/// 303 to the same address without the mark: the browser has kept the cookie.
pub(crate) fn kept(visit: &Visit<'_>) -> Reply {
    let mut reply = Reply::of(Reason::ExchangeKept, Some(&visit.module));
    reply.set("location", location(visit, false));
    reply
}

/// 204 with the cookie, for the platform's page.
pub(crate) fn refresh(visit: &Visit<'_>, token: &Known) -> Result<Reply, Reason> {
    let mut reply = Reply::of(Reason::RefreshDone, Some(&visit.module));
    reply.set("set-cookie", cookie(visit, &token.claims)?);
    Ok(reply)
}

/// Whether a session is there that is not, or in a frame may not be, the token's subject's. A cookie that
/// admits nothing any more is a visitor's all the same, and his page may still be open.
fn replaces_another(visit: &Visit<'_>, token: &Known) -> bool {
    match (&token.beside, &visit.module.credentials.cookie) {
        (Some(known), _) => !known.is_of_the_same(&token.claims),
        (None, Some(name))
            if matches!(visit.caller.destination, Destination::Frame | Destination::Reissued) =>
        {
            let is_anothers = |cookie: &[u8]| {
                !glimpse(cookie).is_some_and(|ended| ended.is_of_the_same(&token.claims))
            };
            [&name.plain, &name.partitioned]
                .into_iter()
                .any(|name| cookie_values(&visit.request, name).any(is_anothers))
        }
        (None, _) => false,
    }
}

/// Whether the session that is open belongs to the same subject and ends later.
fn outlives(known: &Claims, new: &Claims) -> bool {
    let end = |claims: &Claims| claims.expires.unwrap_or(UnixTime(i64::MAX));
    known.is_of_the_same(new) && end(known) > end(new)
}

/// `__Host-` demands Secure and Path=/ (RFC 6265bis §4.1.3.2). In another site's page only a partitioned
/// cookie lives (docs/browsers.md); in a tab of its own `Lax` keeps cross-site posts out.
fn cookie(visit: &Visit<'_>, claims: &Claims) -> Result<String, Reason> {
    let name = visit.module.credentials.cookie.as_ref().ok_or(Reason::TokenMissing)?;
    let token = credential::query_token(visit, true).ok().flatten().ok_or(Reason::TokenMissing)?;
    if !visit.target.secure && !visit.target.host.is_local() {
        return Err(Reason::ExchangeInsecure);
    }
    let (name, kind) = kind(visit, name);
    let value = String::from_utf8_lossy(token);
    if name.len().saturating_add(value.len()) > MOST {
        return Err(Reason::ExchangeTooLarge);
    }
    let age = claims.expires.map(|end| end.since(visit.now).saturating_add(KEPT));
    let age = age.map(|age| format!("; Max-Age={age}"));
    Ok(format!("{name}={value}; Path=/; Secure; HttpOnly; {kind}{}", age.unwrap_or_default()))
}

fn kind<'n>(visit: &Visit<'_>, name: &'n CookieName) -> (&'n str, &'static str) {
    let in_a_tab = visit.caller.destination == Destination::Document;
    // Who is meant for no frame needs no cookie there, and another site's page could plant one.
    match is_foreign(visit, name) && !in_a_tab && visit.module.embed.is_some() {
        true => (&name.partitioned, "SameSite=None; Partitioned"),
        false => (&name.plain, "SameSite=Lax"),
    }
}

/// Tells that the page around is another site's. A page of the module's own may ask, in whatever frame: then the cookie that is
/// there tells. The plain one is sent to no page of another site.
fn is_foreign(visit: &Visit<'_>, name: &CookieName) -> bool {
    let is_there = |name: &str| cookie_values(&visit.request, name).next().is_some();
    visit.caller.site == Some(Site::Foreign)
        || (is_there(&name.partitioned) && !is_there(&name.plain))
}

/// What a Location holds as it stands: visible ASCII without what URL parsers quote or turn.
const QUOTED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The address without the token, with a mark where it is to have one. It begins with exactly one slash, since
/// `//evil.example` and `/\evil.example` are other sites to a browser.
fn location(visit: &Visit<'_>, marked: bool) -> String {
    let path = path_without_token(&visit.target, &visit.module, Cut::Own);
    let path = path.unwrap_or_else(|| visit.target.whole());
    let slashes = path.iter().take_while(|byte| matches!(byte, b'/' | b'\\')).count();
    let rest = path.get(slashes..).unwrap_or_default();
    let mark = match (marked, rest.contains(&b'?')) {
        (false, _) => String::new(),
        (true, false) => format!("?{MARK}"),
        (true, true) => format!("&{MARK}"),
    };
    format!("/{}{mark}", percent_encode(rest, QUOTED))
}
