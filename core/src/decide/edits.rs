//! Edits on the request: what the app must not see, and what it is told.

use std::borrow::Cow;

use super::credential::Source;
use super::failure::Proven;
use crate::policy::{ForwardValue, Module, Rule, is_folded, override_named};
use crate::request::{
    MARK, OFFERED, Request, Target, without_cookies, without_parameter, without_protocol,
};
use crate::token::{Claim, Scalar};

/// One edit on a header. `Set` replaces every value that was there, `Add` none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edit<'e> {
    /// The only value from now on.
    Set(Cow<'e, str>, Cow<'e, [u8]>),
    /// One value more: `Set-Cookie` cannot be joined (RFC 9110 §5.3).
    Add(Cow<'e, str>, Cow<'e, [u8]>),
    /// All values are taken away.
    Remove(Cow<'e, str>),
}

/// Carries out edits in their order, for a host that has headers as values.
pub fn apply(headers: &mut Vec<(String, Vec<u8>)>, edits: &[Edit<'_>]) {
    for edit in edits {
        match edit {
            Edit::Remove(name) => headers.retain(|(known, _)| known != name),
            Edit::Add(name, value) => headers.push((name.to_string(), value.to_vec())),
            Edit::Set(name, value) => {
                headers.retain(|(known, _)| known != name);
                headers.push((name.to_string(), value.to_vec()));
            }
        }
    }
}

/// What every request of a module loses, admitted or not: identities that only Vigile may write,
/// overrides, and credentials in the query, in our cookies and among subprotocols. `replying`: the
/// request goes nowhere, and only what access logs print matters, whatever the app was to keep.
pub(crate) fn cleaning(
    request: &Request<'_>,
    target: Option<&Target<'_>>,
    module: Option<&Module>,
    replying: bool,
) -> Vec<Edit<'static>> {
    let own = module.map(|module| module.forwarded.as_slice()).unwrap_or_default();
    let kept_overrides = module.map(|module| module.keep_overrides.as_slice()).unwrap_or_default();
    let mut edits: Vec<Edit<'static>> = Vec::new();
    for (name, _) in request.headers {
        // Kept is the spelling that a proxy in front writes over, and no other.
        let is_kept = |known: &str| known == name && kept_overrides.contains(&known);
        let overrides = override_named(name).is_some_and(|known| !is_kept(known));
        let taken = overrides || own.iter().any(|folded| is_folded(name, folded));
        let known = |edit: &Edit<'_>| matches!(edit, Edit::Remove(known) if known == name);
        if taken && !edits.iter().any(known) {
            edits.push(Edit::Remove(name.clone().into()));
        }
    }
    edits.extend(upgrade_alone(request));
    let Some(module) = module else { return edits };
    let all = !module.keep_credentials || replying;
    let left = without_cookies(request, |name| module.takes_cookie(name, all));
    edits.extend(left.map(|left| kept("cookie", left)));
    if all {
        let cut = if replying { Cut::All } else { Cut::Own };
        let path = target.and_then(|target| path_without_token(target, module, cut));
        edits.extend(path.map(|path| Edit::Set(":path".into(), path.into())));
        let referer = referer_without_token(request, module, cut);
        edits.extend(referer.map(|referer| Edit::Set("referer".into(), referer.into())));
        let word = module.credentials.subprotocol.as_ref();
        let taken = edits.contains(&Edit::Remove(OFFERED.into()));
        let left = word.filter(|_| !taken).and_then(|word| without_protocol(request, word));
        edits.extend(left.map(|left| kept(OFFERED, left)));
    }
    edits
}

/// `Connection` of an upgrade, which Envoy hands on as it is: whoever stands before the app takes away what is named there (RFC 9110
/// §7.6.1), and a caller could name the identity that Vigile wrote.
fn upgrade_alone(request: &Request<'_>) -> Option<Edit<'static>> {
    request.all("upgrade").next()?;
    let usual = |word: &[u8]| {
        [b"upgrade".as_slice(), b"keep-alive", b""]
            .iter()
            .any(|known| word.eq_ignore_ascii_case(known))
    };
    let mut words = request.all("connection").flat_map(|value| value.split(|byte| *byte == b','));
    let named = words.any(|word| !usual(word.trim_ascii()));
    named.then(|| Edit::Set("connection".into(), b"upgrade".as_slice().into()))
}

/// What is left of a header, if anything.
fn kept(name: &'static str, left: Vec<u8>) -> Edit<'static> {
    match left.is_empty() {
        true => Edit::Remove(name.into()),
        false => Edit::Set(name.into(), left.into()),
    }
}

/// The tokens that are cut out of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The module's own: what is the app's reaches it.
    Own,
    /// Whatever stands in their place, for logs.
    All,
}

/// The path and query without tokens; `None` where there is none.
pub(crate) fn path_without_token(
    target: &Target<'_>,
    module: &Module,
    cut: Cut,
) -> Option<Vec<u8>> {
    Some(address(target.path, &query_without_token(target.query?, module, cut)?))
}

/// The same of the page that asks, where the token still stands in its address: there was no exchange, as in
/// `mode: observe`.
fn referer_without_token(request: &Request<'_>, module: &Module, cut: Cut) -> Option<Vec<u8>> {
    let referer = request.value("referer")?;
    let at = referer.iter().position(|byte| *byte == b'?')?;
    let (page, query) = referer.split_at_checked(at)?;
    Some(address(page, &query_without_token(query.get(1..)?, module, cut)?))
}

/// The mark of an exchange goes with the token: both are Vigile's.
fn query_without_token(query: &[u8], module: &Module, cut: Cut) -> Option<Vec<u8>> {
    let name = module.credentials.query.as_deref()?;
    let owned = |value: &[u8]| cut == Cut::All || module.owns_parameter(value);
    let left = without_parameter(query, name, owned);
    let marked = without_parameter(left.as_deref().unwrap_or(query), MARK, |_| true);
    marked.or(left)
}

fn address(path: &[u8], query: &[u8]) -> Vec<u8> {
    match query.is_empty() {
        true => path.to_vec(),
        false => [path, query].join(&b'?'),
    }
}

/// The header that carried the credential which let the request in.
pub(crate) fn without_credential(
    request: &Request<'_>,
    module: &Module,
    proven: &Proven,
) -> Vec<Edit<'static>> {
    if module.keep_credentials {
        return Vec::new();
    }
    // A token in the query may stand in the header as well: the same one, or it were a conflict.
    let explicit = proven.token.as_ref().is_some_and(|token| token.source != Source::Cookie);
    let owns = |token: &[u8]| module.owns_token(token);
    let token = module.credentials.header.as_ref().filter(|place| {
        explicit && request.all(&place.name).any(|value| place.token(value).is_some_and(owns))
    });
    let key = proven.api_key.as_ref().map(|key| &key.place);
    token.into_iter().chain(key).map(|place| Edit::Remove(place.name.clone().into())).collect()
}

/// What the app is told of the caller; `None` where a claim is nothing that a header can carry.
pub(crate) fn forwarding(rule: &Rule, proven: &Proven) -> Option<Vec<Edit<'static>>> {
    let mut edits = Vec::new();
    for forward in &rule.forward {
        let value = match &forward.value {
            ForwardValue::Fixed(value) | ForwardValue::Secret(value) => Some(value.clone()),
            ForwardValue::KeyName => proven.api_key.as_ref().map(|key| key.name.clone()),
            ForwardValue::KeyRoles => match &proven.api_key {
                Some(key) if !key.roles.is_empty() => Some(readable(key.roles.join(","))?),
                _ => None,
            },
            ForwardValue::Claim(name) => {
                let claims = proven.token.as_ref().map(|token| &token.claims);
                match claims.and_then(|claims| claims.text(name)) {
                    Some("") => None,
                    Some(text) => Some(readable(text.to_owned())?),
                    None => match claims.and_then(|claims| claims.claim(name)) {
                        Some(claim) if claim.says_nothing() => None,
                        Some(claim) => Some(sendable(&claim)?),
                        None => None,
                    },
                }
            }
        };
        if let Some(value) = value {
            edits.push(Edit::Set(forward.header.clone().into(), value.into_bytes().into()));
        }
    }
    Some(edits)
}

/// The first header whose claim cannot stand in it, with the claim's name.
pub(crate) fn unsendable<'r>(rule: &'r Rule, proven: &Proven) -> Option<(&'r str, &'r str)> {
    let claims = &proven.token.as_ref()?.claims;
    rule.forward.iter().find_map(|forward| {
        let ForwardValue::Claim(name) = &forward.value else { return None };
        let claim = claims.claim(name).filter(|claim| !is_sendable(claim))?;
        (!claim.says_nothing()).then_some((forward.header.as_str(), name.as_str()))
    })
}

pub(crate) fn is_sendable(claim: &Claim) -> bool {
    sendable(claim).is_some()
}

/// A claim as a header's value, read by the app as the token said it; `None` for what would not be.
fn sendable(claim: &Claim) -> Option<String> {
    let value = match claim {
        Claim::One(scalar) => word(scalar)?,
        Claim::Many(all) => {
            let words: Vec<String> = all.iter().map(word).collect::<Option<_>>()?;
            // A comma inside an item would make two of it.
            if words.iter().any(|word| word.contains(',')) {
                return None;
            }
            words.join(",")
        }
        Claim::Null | Claim::Other => return None,
    };
    readable(value)
}

fn readable(value: String) -> Option<String> {
    crate::policy::is_header_value(&value).then_some(value)
}

fn word(scalar: &Scalar) -> Option<String> {
    match scalar {
        Scalar::Text(text) => Some(text.clone()),
        Scalar::Whole(number) => Some(number.to_string()),
        Scalar::Flag(flag) => Some(flag.to_string()),
        Scalar::Fraction => None,
    }
}
