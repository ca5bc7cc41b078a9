//! `route → credential`: what the caller presents, and from where (docs/rules.md, rule 5).

use std::sync::Arc;

use super::failure::{Detail, Failure};
use super::visit::Visit;
use crate::Reason;
use crate::policy::{ApiKey, CookieName, HeaderPlace, Need, TokenNeed};
use crate::request::{Destination, cookie_values, parameter_values, protocol_tokens};
use crate::token::{glimpse, looks_like_a_token};

/// Where a token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Query,
    Header,
    Subprotocol,
    Cookie,
}

impl Source {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Header => "header",
            Self::Subprotocol => "subprotocol",
            Self::Cookie => "cookie",
        }
    }
}

/// The tokens of a request. The cookie is looked at only where nothing explicit stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Presented<'r> {
    pub(crate) explicit: Option<(Source, &'r [u8])>,
    pub(crate) cookie: Option<&'r [u8]>,
}

/// The tokens presented where `need` says that they may stand.
pub(crate) fn tokens<'r>(visit: &Visit<'r>, need: &TokenNeed) -> Result<Presented<'r>, Reason> {
    let places = &visit.module.credentials;
    let query = query_token(visit)?;
    if visit.is_refresh() {
        return Ok(Presented { explicit: query.map(|token| (Source::Query, token)), cookie: None });
    }
    let header = match &places.header {
        Some(place) => in_header(visit, place)?.and_then(|value| place.token(value)),
        None => None,
    };
    let explicit = agreed([
        (Source::Query, query),
        (Source::Header, header),
        (Source::Subprotocol, in_subprotocols(visit)?),
    ])?;
    let cookie = match need.cookie.as_ref().or(places.cookie.as_ref()) {
        // Beside an explicit one it decides nothing, and so it contradicts nothing.
        Some(name) if explicit.is_some() => in_cookie(visit, name).unwrap_or_default(),
        Some(name) => in_cookie(visit, name)?,
        None => None,
    };
    Ok(Presented { explicit, cookie })
}

/// The first of the explicit ones; two that differ contradict each other.
fn agreed(found: [(Source, Option<&[u8]>); 3]) -> Result<Option<(Source, &[u8])>, Reason> {
    let mut found = found.into_iter().filter_map(|(source, token)| Some((source, token?)));
    let Some((source, first)) = found.next() else { return Ok(None) };
    match found.all(|(_, other)| other == first) {
        true => Ok(Some((source, first))),
        false => Err(Reason::CredentialConflict),
    }
}

/// A module that lives in a frame alone reads the query on frame navigations alone: a copied address
/// is of no use elsewhere (docs/browsers.md).
fn reads_query(visit: &Visit<'_>) -> bool {
    let only = visit.module.embed.as_ref().is_some_and(|embed| embed.only);
    !only || visit.is_refresh() || visit.caller.destination == Destination::Frame
}

/// The token in the query, where the query is read.
pub(crate) fn query_token<'r>(visit: &Visit<'r>) -> Result<Option<&'r [u8]>, Reason> {
    match (&visit.module.credentials.query, visit.target.query) {
        (Some(name), Some(query)) if reads_query(visit) => single(parameter_values(query, name)),
        _ => Ok(None),
    }
}

/// The value of the header of a place.
fn in_header<'r>(visit: &Visit<'r>, place: &HeaderPlace) -> Result<Option<&'r [u8]>, Reason> {
    match single(visit.request.all(&place.name))? {
        Some(value) if place.is_joined(value) => Err(Reason::CredentialRepeated),
        value => Ok(value),
    }
}

/// The token among the subprotocols that a websocket's handshake offers.
fn in_subprotocols<'r>(visit: &Visit<'r>) -> Result<Option<&'r [u8]>, Reason> {
    match &visit.module.credentials.subprotocol {
        Some(word) if visit.caller.websocket => {
            single(protocol_tokens(&visit.request, word).into_iter())
        }
        _ => Ok(None),
    }
}

/// Of a cookie and its partitioned twin the one that lives longer: the browser sends both where a
/// module was opened in a frame and then became its neighbour, or where it knows no partitions. Where they are of
/// different subjects the plain one counts: a page of another site can have set the twin, and the plain one is sent
/// to no page of another site.
fn in_cookie<'r>(visit: &Visit<'r>, name: &CookieName) -> Result<Option<&'r [u8]>, Reason> {
    let plain = single(cookie_values(&visit.request, &name.plain))?;
    let partitioned = single(cookie_values(&visit.request, &name.partitioned))?;
    Ok(match (partitioned, plain) {
        (Some(twin), Some(plain)) => match (glimpse(twin), glimpse(plain)) {
            (Some(of_twin), Some(of_plain))
                if of_twin.subject.is_some()
                    && of_twin.is_of_the_same(&of_plain)
                    && of_twin.expires >= of_plain.expires =>
            {
                Some(twin)
            }
            _ => Some(plain),
        },
        (one, other) => one.or(other),
    })
}

/// A credential stands once in its place; an empty one is none.
fn single<'r>(mut values: impl Iterator<Item = &'r [u8]>) -> Result<Option<&'r [u8]>, Reason> {
    match (values.next(), values.next()) {
        (None | Some([]), None) => Ok(None),
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Reason::CredentialRepeated),
    }
}

/// The API key that the caller presents, of those that `need` names.
pub(crate) fn api_key(visit: &Visit<'_>, need: &Need) -> Result<Arc<ApiKey>, Failure> {
    let Some(first) = need.api_keys.first() else { return Err(Reason::ApiKeyMissing.into()) };
    let mut presented: Option<(&HeaderPlace, &[u8])> = None;
    for place in places(need) {
        let found = in_header(visit, place)?.and_then(|value| place.credential(value));
        let is_one = |key: &[u8]| need.api_keys.iter().any(|known| known.is(key));
        let found = found.filter(|key| !meant_as_token(visit, place, key) || is_one(key));
        match (presented, found) {
            (Some((_, known)), Some(found)) if known != found => {
                return Err(Reason::CredentialConflict.into());
            }
            (None, Some(found)) => presented = Some((place, found)),
            _ => {}
        }
    }
    let Some((place, presented)) = presented else {
        return Err(Failure::new(Reason::ApiKeyMissing, Detail::KeyHeader(first.place.clone())));
    };
    let here = need.api_keys.iter().filter(|key| key.place == *place);
    let mut outcome = Err(Reason::ApiKeyInvalid.into());
    for key in here.filter(|key| key.is(presented)) {
        match key.accepts(visit.now) {
            Ok(()) => return Ok(key.clone()),
            Err(reason) => outcome = Err(reason.into()),
        }
    }
    outcome
}

/// The headers in which the keys of a need may stand, each once.
fn places(need: &Need) -> Vec<&HeaderPlace> {
    let mut places: Vec<&HeaderPlace> = Vec::new();
    for key in &need.api_keys {
        if !places.contains(&&key.place) {
            places.push(&key.place);
        }
    }
    places
}

/// Where the route takes tokens in the same header, three parts between dots are one.
fn meant_as_token(visit: &Visit<'_>, place: &HeaderPlace, credential: &[u8]) -> bool {
    visit.module.credentials.header.as_ref() == Some(place)
        && looks_like_a_token(credential)
        && visit.rule.access.needs().iter().any(|need| need.token.is_some())
}
