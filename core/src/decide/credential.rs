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

/// Credentials of which nobody can say which one is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contradiction {
    /// One place holds several.
    Twice(Source),
    /// Two explicit places hold different tokens.
    Tokens,
    /// Two headers hold different API keys.
    Keys,
}

impl From<Contradiction> for Failure {
    fn from(contradiction: Contradiction) -> Self {
        let (reason, text) = match contradiction {
            Contradiction::Twice(Source::Query) => {
                (Reason::CredentialRepeated, "the parameter stands more than once in the query")
            }
            Contradiction::Twice(Source::Header) => (
                Reason::CredentialRepeated,
                "the header stands more than once, or a comma joins several",
            ),
            Contradiction::Twice(Source::Subprotocol) => {
                (Reason::CredentialRepeated, "more than one subprotocol is a token")
            }
            Contradiction::Twice(Source::Cookie) => {
                (Reason::CredentialRepeated, "the cookie stands more than once")
            }
            Contradiction::Tokens => (
                Reason::CredentialConflict,
                "two of the query, the header and the subprotocols hold different tokens",
            ),
            Contradiction::Keys => {
                (Reason::CredentialConflict, "two headers hold different API keys")
            }
        };
        Self::new(reason, Detail::Text(text))
    }
}

/// The tokens presented where `need` says that they may stand.
pub(crate) fn tokens<'r>(
    visit: &Visit<'r>,
    need: &TokenNeed,
) -> Result<Presented<'r>, Contradiction> {
    let places = &visit.module.credentials;
    if visit.is_refresh() {
        let explicit = query_token(visit, false)?.map(|token| (Source::Query, token));
        return Ok(Presented { explicit, cookie: None });
    }
    let cookie = need.cookie.as_ref().or(places.cookie.as_ref());
    let has_cookie = cookie.is_some_and(|name| is_sent(visit, name));
    let query = query_token(visit, has_cookie)?;
    let header = match &places.header {
        Some(place) => in_header(visit, place)?.and_then(|value| place.token(value)),
        None => None,
    };
    // Beside a session the app's own token is nobody's credential here.
    let header = header.filter(|token| !has_cookie || visit.module.owns_token(token));
    let explicit = agreed([
        (Source::Query, query),
        (Source::Header, header),
        (Source::Subprotocol, in_subprotocols(visit)?),
    ])?;
    let cookie = match cookie {
        // Beside an explicit one it decides nothing, and so it contradicts nothing.
        Some(name) if explicit.is_some() => in_cookie(visit, name).unwrap_or_default(),
        Some(name) => in_cookie(visit, name)?,
        None => None,
    };
    Ok(Presented { explicit, cookie })
}

/// The first of the explicit ones; two that differ contradict each other.
fn agreed(found: [(Source, Option<&[u8]>); 3]) -> Result<Option<(Source, &[u8])>, Contradiction> {
    let mut found = found.into_iter().filter_map(|(source, token)| Some((source, token?)));
    let Some((source, first)) = found.next() else { return Ok(None) };
    match found.all(|(_, other)| other == first) {
        true => Ok(Some((source, first))),
        false => Err(Contradiction::Tokens),
    }
}

/// A module that lives in a frame alone reads the query on frame navigations alone: a copied address
/// is of no use elsewhere (docs/browsers.md). One that the page's service worker sends once more is among them.
pub(crate) fn reads_query(visit: &Visit<'_>) -> bool {
    let only = visit.module.embed.as_ref().is_some_and(|embed| embed.only);
    let framed = matches!(visit.caller.destination, Destination::Frame | Destination::Reissued);
    !only || visit.is_refresh() || framed
}

/// The token in the query, where the query is read. What is not of the module's form is the app's where there is something
/// else to go by: a token that is, or a session.
pub(crate) fn query_token<'r>(
    visit: &Visit<'r>,
    has_cookie: bool,
) -> Result<Option<&'r [u8]>, Contradiction> {
    let (Some(name), Some(query)) = (&visit.module.credentials.query, visit.target.query) else {
        return Ok(None);
    };
    if !reads_query(visit) {
        return Ok(None);
    }
    let own = || parameter_values(query, name).filter(|value| visit.module.owns_parameter(value));
    match has_cookie || own().next().is_some() {
        true => single(Source::Query, own()),
        false => single(Source::Query, parameter_values(query, name)),
    }
}

/// Tells that a cookie, or its partitioned twin, is there.
fn is_sent(visit: &Visit<'_>, name: &CookieName) -> bool {
    name.names().into_iter().any(|name| cookie_values(&visit.request, name).next().is_some())
}

/// The value of the header of a place.
fn in_header<'r>(
    visit: &Visit<'r>,
    place: &HeaderPlace,
) -> Result<Option<&'r [u8]>, Contradiction> {
    match single(Source::Header, visit.request.all(&place.name))? {
        Some(value) if place.is_joined(value) => Err(Contradiction::Twice(Source::Header)),
        value => Ok(value),
    }
}

/// The token among the subprotocols that a websocket's handshake offers.
fn in_subprotocols<'r>(visit: &Visit<'r>) -> Result<Option<&'r [u8]>, Contradiction> {
    match &visit.module.credentials.subprotocol {
        Some(word) if visit.caller.websocket => {
            single(Source::Subprotocol, protocol_tokens(&visit.request, word).into_iter())
        }
        _ => Ok(None),
    }
}

/// Of a cookie and its partitioned twin the one that lives longer: the browser sends both where a
/// module was opened in a frame and then became its neighbour, or where it knows no partitions. Where they are of
/// different subjects the plain one counts: a page of another site can have set the twin, and the plain one is sent
/// to no page of another site.
fn in_cookie<'r>(visit: &Visit<'r>, name: &CookieName) -> Result<Option<&'r [u8]>, Contradiction> {
    let plain = single(Source::Cookie, cookie_values(&visit.request, &name.plain))?;
    let partitioned = single(Source::Cookie, cookie_values(&visit.request, &name.partitioned))?;
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
fn single<'r>(
    place: Source,
    mut values: impl Iterator<Item = &'r [u8]>,
) -> Result<Option<&'r [u8]>, Contradiction> {
    match (values.next(), values.next()) {
        (None | Some([]), None) => Ok(None),
        (value, None) => Ok(value),
        (_, Some(_)) => Err(Contradiction::Twice(place)),
    }
}

/// The API key that the caller presents, of those that `need` names.
pub(crate) fn api_key(visit: &Visit<'_>, need: &Need) -> Result<Arc<ApiKey>, Failure> {
    let Some(first) = need.api_keys.first() else { return Err(Reason::ApiKeyMissing.into()) };
    let Some((place, presented)) = presented_key(visit, need)? else {
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

/// The credential where a key of `need` belongs, and its header.
pub(crate) fn presented_key<'n, 'r>(
    visit: &Visit<'r>,
    need: &'n Need,
) -> Result<Option<(&'n HeaderPlace, &'r [u8])>, Contradiction> {
    let mut presented: Option<(&HeaderPlace, &[u8])> = None;
    for place in places(need) {
        let found = in_header(visit, place)?.and_then(|value| place.credential(value));
        let is_one = |key: &[u8]| need.api_keys.iter().any(|known| known.is(key));
        let found = found.filter(|key| !meant_as_token(visit, place, key) || is_one(key));
        match (presented, found) {
            (Some((_, known)), Some(found)) if known != found => {
                return Err(Contradiction::Keys);
            }
            (None, Some(found)) => presented = Some((place, found)),
            _ => {}
        }
    }
    Ok(presented)
}

/// The headers in which the keys of a need may stand, each once.
pub(crate) fn places(need: &Need) -> Vec<&HeaderPlace> {
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
