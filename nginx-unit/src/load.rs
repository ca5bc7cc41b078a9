//! From the environment and one file to a policy that decides, or to every mistake.

use std::env;
use std::ffi::OsString;

use vigile_policy::{Draft, Host, Invalid, State};
use wasip2::http::types::Scheme;

/// A policy at work for one request, and how requests come and go.
pub(crate) struct Gate {
    pub(crate) state: State,
    /// `VIGILE_UPSTREAM`: where the app listens.
    pub(crate) upstream: (Scheme, String),
    /// `VIGILE_SCHEME`: what browsers speak; `None` where a proxy in front writes X-Forwarded-Proto and
    /// X-Forwarded-For over what clients send. Unit itself tells no component.
    pub(crate) scheme: Option<&'static str>,
    /// `VIGILE_PORT`: what browsers write behind the host's name, where it is not the scheme's own. Unit hands
    /// on a host without its port.
    pub(crate) port: Option<u16>,
    /// `VIGILE_ADDRESS=path`: a route in front writes the caller's address there.
    pub(crate) address_in_path: bool,
    /// `VIGILE_TIMEOUT`, in nanoseconds: how long the app may keep silent.
    pub(crate) timeout: u64,
    /// `VIGILE_MAX_DURATION`, in nanoseconds: how long an answer may last once it has begun.
    pub(crate) longest: Option<u64>,
}

/// Loads what Unit's configuration names.
pub(crate) fn load() -> Result<Gate, Vec<String>> {
    let said = |name: &str| env::var(name).unwrap_or_default();
    let wrong = |problem: &str| vec![problem.to_owned()];
    let address_in_path = match &*said("VIGILE_ADDRESS") {
        "" => false,
        "path" => true,
        _ => return Err(wrong("VIGILE_ADDRESS: write path, or leave it out")),
    };
    let scheme = match &*said("VIGILE_SCHEME") {
        "" | "http" => Some("http"),
        "https" => Some("https"),
        "forwarded" => None,
        _ => return Err(wrong("VIGILE_SCHEME: write http, https or forwarded")),
    };
    let port = port(&said("VIGILE_PORT"), scheme)
        .ok_or_else(|| wrong("VIGILE_PORT: write a port, 1 to 65535, or leave it out"))?;
    let upstream = upstream(&said("VIGILE_UPSTREAM"))
        .ok_or_else(|| wrong("VIGILE_UPSTREAM: write an address such as http://127.0.0.1:7860"))?;
    let timeout = nanoseconds(&env::var("VIGILE_TIMEOUT").unwrap_or_else(|_| "300".into()))
        .ok_or_else(|| wrong("VIGILE_TIMEOUT: write whole seconds, 1 to 86400"))?;
    let longest = match &*said("VIGILE_MAX_DURATION") {
        "" => None,
        text => Some(nanoseconds(text).ok_or_else(|| {
            wrong("VIGILE_MAX_DURATION: write whole seconds, 1 to 86400, or leave it out")
        })?),
    };
    let document = document(said("VIGILE_POLICY"))
        .map_err(|(file, error)| vec![format!("VIGILE_POLICY: {file}: {error}")])?;
    let state = read(&document, Host { peer_address: address_in_path, ..Host::UNIT });
    let shown = |one: &Invalid| format!("policy: {one}");
    let state = state.map_err(|all| all.iter().map(shown).collect::<Vec<_>>())?;
    Ok(Gate { state, upstream, scheme, port, address_in_path, timeout, longest })
}

/// The policy itself, or the file that holds it: to read one costs as much as to read a policy of some pages.
fn document(policy: String) -> Result<Vec<u8>, (String, std::io::Error)> {
    match policy.starts_with('{') {
        true => Ok(policy.into_bytes()),
        false => std::fs::read(&policy).map_err(|error| (policy, error)),
    }
}

/// All of the environment is the application's own, and the policy names what it wants of it: to ask it for
/// the names first would be to read it twice.
fn read(document: &[u8], host: Host) -> Result<State, Vec<Invalid>> {
    let text = |(name, value): (OsString, OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    Draft::read(document)?.resolve(&env::vars_os().filter_map(text).collect(), host)
}

/// `Some(None)` where it goes without saying. By `forwarded`, both schemes' own ports do.
fn port(text: &str, scheme: Option<&str>) -> Option<Option<u16>> {
    if text.is_empty() {
        return Some(None);
    }
    let port = text.parse::<u16>().ok().filter(|port| *port > 0)?;
    let own: &[u16] = match scheme {
        Some("https") => &[443],
        Some(_) => &[80],
        None => &[443, 80],
    };
    Some(Some(port).filter(|port| !own.contains(port)))
}

fn upstream(text: &str) -> Option<(Scheme, String)> {
    let (scheme, authority) = match text.split_once("://")? {
        ("http", authority) => (Scheme::Http, authority),
        ("https", authority) => (Scheme::Https, authority),
        _ => return None,
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    let sound = !authority.is_empty() && authority.bytes().all(plain);
    sound.then(|| (scheme, authority.to_owned()))
}

fn nanoseconds(text: &str) -> Option<u64> {
    let seconds = text.parse::<u64>().ok().filter(|seconds| (1..=86_400).contains(seconds))?;
    seconds.checked_mul(1_000_000_000)
}
