//! Where credentials are looked for, and what stood near.

use super::words::Sentence;
use crate::decide::credential;
use crate::decide::visit::Visit;
use crate::policy::{CookieName, Credentials, HeaderPlace, Need, TokenNeed};
use crate::request::{Destination, cookie_values, offers_like, parameter_values};
use crate::token::looks_like_a_token;

/// `token.missing`: where a token would have been read, and what stood in its place.
#[cold]
pub(super) fn no_token(said: &mut Sentence, visit: &Visit<'_>, need: &TokenNeed) {
    let cookie = need.cookie.as_ref().or(visit.module.credentials.cookie.as_ref());
    said.say(&["a token is read from "]);
    read(said, visit, cookie);
    said.say(&[NONE]);
    stray(said, stray_header(visit));
    stray(said, stray_parameter(visit));
    stray(said, stray_subprotocol(visit));
    stray(said, stray_cookie(visit, need, cookie));
}

/// `api_key.missing`: the same of a key.
#[cold]
pub(super) fn no_key(said: &mut Sentence, visit: &Visit<'_>, need: &Need) {
    let places = credential::places(need);
    said.say(&["an API key is read from "]);
    said.any_of(places.len(), &mut |said, at| {
        if let Some(place) = places.get(at) {
            header(said, place);
        }
    });
    said.say(&[NONE]);
    let Some(value) = visit.request.all(HeaderPlace::BEARER).next() else { return };
    stray(
        said,
        Some(match HeaderPlace::behind_bearer(value) {
            _ if !places.iter().any(|place| place.is_bearer()) => {
                "Authorization is there, and is not where this key belongs"
            }
            Some(token) if looks_like_a_token(token) => {
                "what stands behind Bearer has three parts between dots, which is a token here"
            }
            _ => without_credential(value),
        }),
    );
}

const NONE: &str = ", and none is there";

#[cold]
fn stray(said: &mut Sentence, stray: Option<&str>) {
    if let Some(stray) = stray {
        said.say(&["; ", stray]);
    }
}

/// The places that are read for this request.
#[cold]
fn read(said: &mut Sentence, visit: &Visit<'_>, cookie: Option<&CookieName>) {
    let Credentials { query, header: place, subprotocol, .. } = &visit.module.credentials;
    let others = !visit.is_refresh();
    let query = query.as_ref().filter(|_| credential::reads_query(visit));
    let place = place.as_ref().filter(|_| others);
    let word = subprotocol.as_ref().filter(|_| others && visit.caller.websocket);
    let cookie = cookie.filter(|_| others);
    let all = [query.is_some(), place.is_some(), word.is_some(), cookie.is_some()];
    let there: Vec<usize> = (0..all.len()).filter(|at| all.get(*at) == Some(&true)).collect();
    said.any_of(there.len(), &mut |said, at| match (there.get(at), query, place, word, cookie) {
        (Some(0), Some(name), ..) => said.say(&["?", name, "="]),
        (Some(1), _, Some(place), ..) => header(said, place),
        (Some(2), _, _, Some(word), _) => said.say(&["the subprotocol behind ", word]),
        (Some(3), .., Some(cookie)) => said.say(&["the cookie ", &cookie.plain]),
        _ => {}
    });
}

#[cold]
fn header(said: &mut Sentence, place: &HeaderPlace) {
    match place.is_bearer() {
        true => said.say(&["Authorization: Bearer"]),
        false => said.say(&["the header ", &place.name]),
    }
}

/// An Authorization header without a Bearer credential.
#[cold]
fn without_credential(value: &[u8]) -> &'static str {
    match HeaderPlace::behind_bearer(value) {
        Some(_) => "what stands behind Bearer is no token: it has not three parts between dots",
        None if value.trim_ascii().eq_ignore_ascii_case(b"bearer") => {
            "nothing stands behind Bearer"
        }
        None if looks_like_a_jwt(value.trim_ascii()) => {
            "Authorization holds a token without the word Bearer before it"
        }
        None => "Authorization has another scheme than Bearer",
    }
}

#[cold]
fn stray_header(visit: &Visit<'_>) -> Option<&'static str> {
    let value = visit.request.all(HeaderPlace::BEARER).next()?;
    match &visit.module.credentials.header {
        _ if visit.is_refresh() => Some("Authorization is there, which a refresh does not read"),
        Some(place) if place.is_bearer() => Some(without_credential(value)),
        Some(_) => Some("Authorization is there, and credentials.header names another header"),
        None => Some("Authorization is there, and credentials.header is false"),
    }
}

#[cold]
fn stray_parameter(visit: &Visit<'_>) -> Option<&'static str> {
    let query = visit.target.query?;
    let holds = |name: &str| parameter_values(query, name).next().is_some();
    let has_usual = holds(Credentials::USUAL_QUERY);
    match &visit.module.credentials.query {
        Some(name) if holds(name) && !credential::reads_query(visit) => {
            Some("the query has one, and is read on frame navigations alone (embed.only)")
        }
        Some(name) if holds(name) => Some("the parameter is there, and empty"),
        Some(_) if has_usual => {
            Some("?token= is there, and credentials.query names another parameter")
        }
        None if has_usual => Some("?token= is there, and credentials.query is false"),
        _ => query
            .split(|byte| matches!(byte, b'&' | b'='))
            .any(looks_like_a_jwt)
            .then_some("a token stands in the query under another name"),
    }
}

#[cold]
fn stray_subprotocol(visit: &Visit<'_>) -> Option<&'static str> {
    let stands = visit.caller.websocket && offers_like(&visit.request, looks_like_a_jwt);
    match &visit.module.credentials.subprotocol {
        _ if !stands => None,
        None => {
            Some("a token stands among the subprotocols, and credentials.subprotocol is not set")
        }
        Some(_) => Some("a token stands among the subprotocols, and not behind that word"),
    }
}

#[cold]
fn stray_cookie(
    visit: &Visit<'_>,
    need: &TokenNeed,
    cookie: Option<&CookieName>,
) -> Option<&'static str> {
    let holds = |name: &CookieName| {
        [&name.plain, &name.partitioned]
            .into_iter()
            .any(|name| cookie_values(&visit.request, name).next().is_some())
    };
    let session = visit.module.credentials.cookie.as_ref();
    let is_browser = visit.caller.destination != Destination::Unsaid;
    match cookie {
        _ if visit.is_refresh() => None,
        Some(name) if holds(name) => Some("the cookie is there, and empty"),
        Some(_) if need.cookie.is_some() && session.is_some_and(holds) => {
            Some("the session's cookie is there, and this route has its own")
        }
        None if visit.request.all("cookie").next().is_some() => {
            Some("cookies are there, and credentials.cookie is false")
        }
        Some(_) if is_browser && visit.request.all("cookie").next().is_none() => {
            Some("the browser sent no cookie at all")
        }
        _ => None,
    }
}

/// Three parts of which the first begins as JSON does in base64url (RFC 7519 §3).
#[cold]
fn looks_like_a_jwt(text: &[u8]) -> bool {
    text.starts_with(b"eyJ") && looks_like_a_token(text)
}

/// `api_key.invalid`: the keys that the route takes, and whose key was sent, if anybody's.
#[cold]
pub(super) fn unknown_key(said: &mut Sentence, visit: &Visit<'_>, need: &Need) {
    said.say(&["the key must be "]);
    let wanted: Vec<&str> = need.api_keys.iter().map(|key| key.name.as_str()).collect();
    said.any_of_texts(&wanted);
    let Some((place, sent)) = credential::presented_key(visit, need).ok().flatten() else { return };
    match visit.policy.api_keys.iter().find(|key| key.is(sent)) {
        Some(key) if key.place == *place => {
            said.say(&["; it is ", &key.name, ", which this route does not name"]);
        }
        Some(key) => {
            said.say(&["; it is ", &key.name, ", which belongs in "]);
            header(said, &key.place);
        }
        None if looks_like_a_jwt(sent) => said.say(&["; it is a token, and a key is wanted"]),
        None => said.say(&["; it is none of this policy"]),
    }
}

/// `exchange.too_large`: how large, of what a browser keeps.
#[cold]
pub(super) fn too_large(said: &mut Sentence, visit: &Visit<'_>) {
    let Some(token) = credential::query_token(visit, true).ok().flatten() else { return };
    said.say(&["the token has "]);
    said.number(token.len() as u64);
    said.say(&[" bytes; a browser keeps 4096 of it and the cookie's name"]);
}
