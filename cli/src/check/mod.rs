//! What `vigile check` finds.
//!
//! A finding is a value, and each kind of them a pure function over the config in a file of its own.
//! Adding a kind is a file, a line in [`ALL`], and its cases under `tests/check`.

mod access;
mod access_log;
mod admin;
mod aliases;
mod authorities;
mod bodies;
pub mod capabilities;
mod client_address;
mod conditions;
mod cookies;
mod cors;
mod delivery;
mod disabled;
mod duplicates;
mod embedded;
mod environment;
mod evidence;
mod fail_open;
mod forms;
mod hosts;
mod identity;
mod inline_secrets;
mod mistakes;
mod module_claim;
mod neighbours;
mod networks;
mod never;
mod order;
mod paths;
mod printed;
mod redirects;
mod rewrites;
mod secret;
mod server;
mod streams;
mod template;
mod tracing;
mod underscores;
mod unit;
mod unseen;
mod upgrades;
mod writes;

use std::fmt;

use crate::config::{Config, Node};
use crate::policy::Environment;
use crate::proxy::Proxy;
use crate::yaml::{NotYaml, Place, Yaml};
pub(crate) use secret::{is_secret, written_out};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Opens a hole, or keeps Envoy from starting.
    Error,
    /// Weakens or breaks something, or will.
    Warning,
    /// Worth knowing, and may be meant so.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// Something that was found. Nothing of it ever holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where it stands in the file.
    pub place: Place,
    /// The way to it: through the policy, or through the Envoy config.
    pub path: String,
    /// The problem, and what would be right.
    pub problem: String,
}

impl Finding {
    fn of(severity: Severity, node: &Node<'_>, problem: impl Into<String>) -> Self {
        Self { severity, place: node.place(), path: node.path(), problem: problem.into() }
    }

    fn error(node: &Node<'_>, problem: impl Into<String>) -> Self {
        Self::of(Severity::Error, node, problem)
    }

    fn warning(node: &Node<'_>, problem: impl Into<String>) -> Self {
        Self::of(Severity::Warning, node, problem)
    }

    fn note(node: &Node<'_>, problem: impl Into<String>) -> Self {
        Self::of(Severity::Note, node, problem)
    }
}

/// A kind of finding.
pub struct Kind {
    /// Its name in `--format json`.
    pub name: &'static str,
    /// The things it looks for, in a few words.
    pub about: &'static str,
    find: fn(&Config<'_>) -> Vec<Finding>,
}

macro_rules! kinds {
    ($($module:ident $name:literal $about:literal)+) => {
        /// Every kind of finding.
        pub const ALL: &[Kind] =
            &[$(Kind { name: $name, about: $about, find: $module::find }),+];
    };
}

kinds! {
    mistakes "policy" "mistakes in a policy, or no policy at all"
    duplicates "duplicate-key" "keys that stand twice (Envoy takes the last one in silence), and merge keys"
    environment "environment" "variables that the policy reads and the filter is not given"
    inline_secrets "inline-secret" "secrets in the policy or in key_values: config_dump shows them"
    fail_open "fail-open" "a filter that lets everything through when it fails"
    capabilities "capability" "restrictions that keep Envoy from asking Vigile, or Vigile from answering"
    delivery "delivery" "modules that Envoy fetches over the network"
    conditions "condition" "matchers and composite filters that run Vigile for some requests only"
    disabled "disabled" "routes and filters on which Vigile is switched off"
    upgrades "upgrade" "upgrades with filters of their own, and no Vigile among them"
    neighbours "neighbour" "other listeners that lead to the same clusters without Vigile"
    order "order" "filters that stand where they answer before Vigile"
    evidence "evidence" "credentials and other headers that are written before Vigile judges by them"
    identity "identity" "what is written, or taken away, of what Vigile tells the app"
    cors "cors" "cross-origin rules that let strangers read, and preflights that Vigile refuses"
    client_address "client-address" "address lists where callers choose their address"
    access_log "access-log" "access logs that print credentials"
    tracing "tracing" "traces that hold credentials"
    bodies "body" "bodies that Envoy does not hold, or holds less of than the policy reads"
    admin "admin" "an admin interface that other machines reach"
    streams "stream" "timeouts that cut the event streams of framed modules"
    redirects "internal-redirect" "internal redirects, which run the filters again"
    paths "path" "what the connection manager does to paths"
    rewrites "rewrite" "paths and hosts that Envoy writes anew behind Vigile"
    underscores "underscores" "headers with underscores, which many apps read as dashes"
    never "never" "what a policy says in vain"
    aliases "alias" "pages that a wider route opens by another path"
    forms "form" "methods that a form can name in the place of POST"
    module_claim "module-claim" "modules that take tokens made for any module"
    authorities "authority" "virtual hosts that are reached by a port or a final dot in Host"
    cookies "cookie" "names of cookies that other hosts of the domain can set"
    hosts "host" "modules whose hosts no virtual host takes"
    server "server" "a server header that Envoy writes over the policy's"
    unit "unit" "with --host unit: what the policy says to NGINX Unit in vain"
    unseen "unseen" "what cannot be judged from this file"
}

/// A finding and the name of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The kind's name.
    pub kind: &'static str,
    /// The finding.
    pub finding: Finding,
}

/// How a file is written: Envoy tells by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// YAML, and JSON in it.
    Yaml,
    /// JSON and nothing else.
    Json,
}

impl Format {
    /// Tells what Envoy would take a file of this name for.
    pub fn of(file: &str) -> Self {
        let extension = std::path::Path::new(file).extension();
        match extension.is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
            true => Self::Json,
            false => Self::Yaml,
        }
    }
}

/// Everything that is found in a file, in the order of its lines.
///
/// With an environment, the values of variables are judged too.
pub fn check(bytes: &[u8], format: Format, environment: Option<&Environment>) -> Vec<Reported> {
    check_for(Proxy::Envoy, bytes, format, environment)
}

/// Finds everything for a proxy that may not be Envoy: then the policies alone are judged.
pub fn check_for(
    proxy: Proxy,
    bytes: &[u8],
    format: Format,
    environment: Option<&Environment>,
) -> Vec<Reported> {
    let yaml = match read(bytes, format) {
        Ok(yaml) => yaml,
        Err(error) => return vec![unreadable(error)],
    };
    let source = String::from_utf8_lossy(bytes);
    let (inner, mut all) = (embedded::embedded(&source, &yaml), Vec::new());
    let mut has_policy = false;
    for document in std::iter::once(Ok(yaml)).chain(inner) {
        match document {
            Ok(yaml) => {
                let config = Config::read(&yaml, environment.cloned(), proxy);
                has_policy |= !config.policies.is_empty();
                all.extend(found_in(&config));
            }
            Err(error) => {
                has_policy = true;
                all.push(unreadable(error));
            }
        }
    }
    if !has_policy {
        all.push(no_policy());
    }
    let order = |one: &Reported| (one.finding.place, one.finding.severity);
    all.sort_by_key(order);
    // What stands behind an alias is found once for each of its places in the tree.
    let same = |one: &Reported, other: &Reported| {
        order(one) == order(other) && one.finding.problem == other.finding.problem
    };
    all.dedup_by(|one, other| same(one, other));
    all
}

fn found_in(config: &Config<'_>) -> Vec<Reported> {
    let report = |kind: &'static Kind| {
        (kind.find)(config).into_iter().map(|finding| Reported { kind: kind.name, finding })
    };
    ALL.iter().flat_map(report).collect()
}

fn unreadable(NotYaml { place, problem }: NotYaml) -> Reported {
    let finding = Finding { severity: Severity::Error, place, path: String::new(), problem };
    Reported { kind: "syntax", finding }
}

fn no_policy() -> Reported {
    let problem = "there is no Vigile policy here: a policy is a map with the key `vigile`, by itself, as the configuration of a Wasm filter, or in a manifest that carries one";
    let finding = Finding {
        severity: Severity::Error,
        place: Place::START,
        path: String::new(),
        problem: problem.to_owned(),
    };
    Reported { kind: "policy", finding }
}

/// More bytes than any config has.
pub const LARGEST: usize = 16 * 1024 * 1024;

/// Reads a file's bytes.
///
/// # Errors
/// Where they are no document of this format, or a template of one.
pub fn read(bytes: &[u8], format: Format) -> Result<Yaml, NotYaml> {
    let wrong = |place, problem: &str| Err(NotYaml { place, problem: problem.to_owned() });
    if bytes.len() > LARGEST {
        return wrong(Place::START, "this is larger than 16 MB: no config is");
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            return wrong(end_of(before), "this is not UTF-8 text");
        }
    };
    let read = match format {
        Format::Yaml => Yaml::parse(text),
        Format::Json => Yaml::parse_json(text),
    };
    template::unrendered(text, &read).map_or(read, Err)
}

/// The place behind a text.
fn end_of(text: &[u8]) -> Place {
    let lines = text.split(|byte| *byte == b'\n');
    let last = lines.clone().next_back().unwrap_or_default();
    let column = String::from_utf8_lossy(last).chars().count().saturating_add(1);
    Place { line: lines.count(), column }
}
