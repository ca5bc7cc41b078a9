//! The policy: parsed into values that can only be right, or refused with every mistake at once.

mod access;
mod address;
mod api_key;
mod body;
mod credentials;
mod embed;
mod forward;
mod headers;
mod host;
mod issuer;
mod jwk;
mod key;
mod log;
mod module;
mod route;
mod security_headers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(crate) use access::{Access, Need, TokenNeed};
pub(crate) use address::{ClientAddress, Networks};
pub(crate) use api_key::ApiKey;
pub(crate) use body::Body;
pub(crate) use credentials::{CookieName, HeaderPlace};
pub(crate) use embed::Embed;
pub(crate) use forward::{Value as ForwardValue, is_folded};
pub(crate) use headers::Headers;
pub(crate) use issuer::Issuer;
pub(crate) use log::Log;
pub(crate) use module::Module;
pub(crate) use route::{Concurrency, LONGEST_TEXT, RequiredHeader, Rule};

use crate::document::{self, Invalid, Node, Reading, SchemaKey, Tree, Variable, digest, quoted};
use crate::token::{Key, Keys, Memory};

/// What this host can do. A policy that needs more is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// It knows the address of the caller.
    pub peer_address: bool,
    /// It can hold a body until it was looked at.
    pub holds_bodies: bool,
    /// It can count the requests that a caller has under way.
    pub counts_requests: bool,
}

impl Host {
    /// Envoy, by proxy-wasm.
    pub const ENVOY: Self = Self { peer_address: true, holds_bodies: true, counts_requests: true };
}

/// A policy document: a tree that nobody has judged yet.
pub struct Draft {
    tree: Tree,
}

impl Draft {
    /// Reads JSON, or a binary `google.protobuf.Struct`.
    ///
    /// # Errors
    /// Where the bytes are neither.
    pub fn read(document: &[u8]) -> Result<Self, Vec<Invalid>> {
        document::parse(document).map(Self::from).map_err(|invalid| vec![invalid])
    }

    /// Every `{ env: … }`: the filter reads these and no others, `check` compares them with
    /// `host_env_keys`.
    pub fn variables(&self) -> Vec<Variable> {
        let reading = Reading::new(None);
        read(&reading.root(&self.tree), Host::ENVOY);
        reading.finish().1
    }

    /// Every mistake that shows without the variables' values.
    pub fn mistakes(&self, host: Host) -> Vec<Invalid> {
        let reading = Reading::new(None);
        read(&reading.root(&self.tree), host);
        reading.finish().0
    }

    /// Every key of the schema that reading this policy asks for, given or not: for tests and for
    /// documentation that must not forget one.
    pub fn keys(&self, variables: &BTreeMap<String, String>, host: Host) -> BTreeSet<SchemaKey> {
        let reading = Reading::with_account(variables);
        read(&reading.root(&self.tree), host);
        reading.account()
    }

    /// The policy and its keys.
    ///
    /// # Errors
    /// Every mistake, with its path.
    pub fn resolve(
        &self,
        variables: &BTreeMap<String, String>,
        host: Host,
    ) -> Result<State, Vec<Invalid>> {
        let reading = Reading::new(Some(variables));
        let read = read(&reading.root(&self.tree), host);
        let (mistakes, _) = reading.finish();
        match read {
            Some((policy, keys)) if mistakes.is_empty() => {
                let policy = Policy { digest: digest(&self.tree), ..policy };
                Ok(State { policy: Arc::new(policy), keys: Arc::new(Keys::new(1, keys)) })
            }
            _ => Err(mistakes),
        }
    }
}

impl From<Tree> for Draft {
    fn from(tree: Tree) -> Self {
        Self { tree }
    }
}

/// A policy and its keys: replaced as one, at load.
pub struct State {
    pub(crate) policy: Arc<Policy>,
    pub(crate) keys: Arc<Keys>,
}

/// Everything that decides, and nothing that changes between requests.
pub struct Policy {
    pub(crate) mode: Mode,
    pub(crate) remember_tokens: u32,
    pub(crate) client_address: ClientAddress,
    pub(crate) log: Log,
    pub(crate) api_keys: Vec<Arc<ApiKey>>,
    pub(crate) modules: Vec<Arc<Module>>,
    /// The claims that any part of the policy names.
    pub(crate) claims: Vec<String>,
    pub(crate) digest: String,
}

/// Whether refusals are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    Enforce,
    /// Decide, log and count, but let through.
    Observe,
}

impl Mode {
    /// The word that the policy and the log use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Observe => "observe",
        }
    }
}

fn mode(node: &Node<'_>) -> Option<Mode> {
    node.word(&[("enforce", Mode::Enforce), ("observe", Mode::Observe)])
}

/// What the sections refer to by name; a name whose own section is wrong has no value, and where the
/// whole list is wrong no name can be judged.
struct Context<'t> {
    host: Host,
    mode: Mode,
    issuers: Option<Named<'t, Issuer>>,
    api_keys: Option<Named<'t, ApiKey>>,
}

fn read(root: &Node<'_>, host: Host) -> Option<(Policy, Vec<Vec<Key>>)> {
    let section = root.section("{ vigile: 1, modules: […] }")?;
    let version = section.required("vigile", version);
    let mode = section.or("mode", Mode::Enforce, mode);
    let remember_tokens =
        section.or("remember_tokens", 4096, |node| node.whole_number(0, 1_000_000));
    let client_address = section.or("client_address", ClientAddress::Peer, address::client_address);
    let log = section.or("log", Log::default(), log::read);
    let issuers = section.or("issuers", Vec::new(), |node| named(node, "issuers", issuer::read));
    let api_keys = section
        .or("api_keys", Vec::new(), |node| named(node, "API keys", |node, _| api_key::read(node)));
    let (issuers, keys) = issuers.map(apart).unzip();
    let api_keys =
        api_keys.map(|all| all.into_iter().map(|(name, key)| (name, key.map(Arc::new))).collect());
    let context = Context { host, mode: mode.unwrap_or(Mode::Enforce), issuers, api_keys };
    let modules = section.required("modules", |node| modules(node, &context));
    let (issuers, api_keys) = (whole(context.issuers), whole(context.api_keys));
    version?;
    let (issuers, modules) = (issuers?, modules?);
    let policy = Policy {
        mode: mode?,
        remember_tokens: remember_tokens?,
        client_address: client_address?,
        log: log?,
        claims: claims(&issuers, &modules),
        api_keys: api_keys?,
        modules,
        digest: String::new(),
    };
    Some((policy, keys?.into_iter().collect::<Option<Vec<_>>>()?))
}

type Named<'t, T> = Vec<(&'t str, Option<Arc<T>>)>;
type Read = (Option<Issuer>, Option<Vec<Key>>);

/// The issuers and, at the same places, their keys.
fn apart(read: Vec<(&str, Option<Read>)>) -> (Named<'_, Issuer>, Vec<Option<Vec<Key>>>) {
    let both = read.into_iter().map(|(name, read)| {
        let (issuer, keys) = read.unwrap_or_default();
        ((name, issuer.map(Arc::new)), keys)
    });
    both.unzip()
}

/// All of them, where none is wrong.
fn whole<T>(named: Option<Named<'_, T>>) -> Option<Vec<Arc<T>>> {
    named?.into_iter().map(|(_, one)| one).collect()
}

fn version(node: &Node<'_>) -> Option<()> {
    match node.tree() {
        Tree::Number(1.0) => Some(()),
        _ => node.wrong("this is the version of the schema: write vigile: 1, the only one yet"),
    }
}

/// All items of a list with their names, which must differ. The names are there also where the items
/// are wrong, so that one mistake in an issuer does not make every reference to it another.
fn named<'t, T>(
    node: &Node<'t>,
    what: &str,
    read: impl Fn(&Node<'t>, usize) -> Option<T>,
) -> Option<Vec<(&'t str, Option<T>)>> {
    let mut all: Vec<(&str, Option<T>)> = Vec::new();
    for (index, item) in node.items("[{ name: …, … }]")?.iter().enumerate() {
        let name = item.tree().get("name").and_then(Tree::as_text).unwrap_or_default();
        let read = read(item, index);
        let twice = !name.is_empty() && all.iter().any(|(known, _)| *known == name);
        all.push((
            name,
            match twice {
                true => item.wrong(format!("two {what} are named {}", quoted(name))),
                false => read,
            },
        ));
    }
    Some(all)
}

fn modules(node: &Node<'_>, context: &Context<'_>) -> Option<Vec<Arc<Module>>> {
    let nodes = node.items("[{ name: …, hosts: […], routes: […] }]")?;
    let read = nodes.iter().enumerate().map(|(at, node)| match module::read(node, context, at) {
        Some((outline, module)) => (Some(outline), module),
        None => (None, None),
    });
    let (outlines, modules): (Vec<_>, Vec<_>) = read.unzip();
    let distinct = module::distinct(&nodes, &outlines);
    let modules = modules.into_iter().collect::<Option<Vec<_>>>()?;
    distinct.map(|()| modules.into_iter().map(Arc::new).collect())
}

fn claims(issuers: &[Arc<Issuer>], modules: &[Arc<Module>]) -> Vec<String> {
    let rules = modules.iter().flat_map(|module| &module.rules);
    let tokens =
        rules.clone().flat_map(|rule| rule.access.needs()).filter_map(|need| need.token.as_ref());
    let required = tokens.flat_map(|token| token.claims.iter().map(|(name, _)| name));
    let forwarded =
        rules.flat_map(|rule| &rule.forward).filter_map(|forward| match &forward.value {
            ForwardValue::Claim(name) => Some(name),
            _ => None,
        });
    let bound = modules.iter().filter_map(|module| module.module_claim.as_ref());
    let issuers = issuers.iter().flat_map(|issuer| issuer.claims());
    let mut claims: Vec<String> = required
        .chain(forwarded)
        .chain(bound)
        .map(String::as_str)
        .chain(issuers)
        .map(str::to_owned)
        .collect();
    claims.sort();
    claims.dedup();
    claims
}

impl State {
    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The line that a host logs at load: what runs, and nothing secret. `by_host`: the kinds of signatures
    /// that the host verifies.
    pub fn summary(&self, version: &str, by_host: &[&str]) -> String {
        let summary = serde_json::json!({
            "event": "policy.loaded",
            "version": version,
            "policy": self.policy.digest(),
            "mode": self.policy.mode.as_str(),
            "modules": self.policy.modules().collect::<Vec<_>>(),
            "keys": self.keys.labels().collect::<Vec<_>>(),
            "api_keys": self.policy.api_keys().collect::<Vec<_>>(),
            "verified_by_host": by_host,
        });
        summary.to_string()
    }

    /// An empty memory with the policy's bounds; 2 kB a token are about four times a common one.
    pub fn memory(&self, seed: [u64; 2]) -> Memory {
        let tokens = usize::try_from(self.policy.remember_tokens).unwrap_or(0);
        Memory::with_bounds(tokens, tokens.saturating_mul(2048), seed)
    }
}

impl Policy {
    /// 16 hex digits that tell this policy from others, over its text with secrets redacted.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The names of the modules, in the order of the document.
    pub fn modules(&self) -> impl Iterator<Item = &str> {
        self.modules.iter().map(|module| module.name.as_str())
    }

    /// The names of the API keys that have a value.
    pub fn api_keys(&self) -> impl Iterator<Item = &str> {
        self.api_keys.iter().filter(|key| key.is_set()).map(|key| key.name.as_str())
    }

    /// Whether a decision can hang on the caller's address; where not, a host need not ask for it.
    pub fn reads_addresses(&self) -> bool {
        let mut rules = self.modules.iter().flat_map(|module| &module.rules);
        rules.any(|rule| rule.access.wants_addresses())
    }

    /// Whether any route bounds the requests that a caller has under way.
    pub fn counts_requests(&self) -> bool {
        let mut rules = self.modules.iter().flat_map(|module| &module.rules);
        rules.any(|rule| rule.concurrency.is_some())
    }

    /// Whether any route has a host hold a body until it was looked at.
    pub fn holds_bodies(&self) -> bool {
        let mut rules = self.modules.iter().flat_map(|module| &module.rules);
        rules.any(|rule| rule.body.as_ref().is_some_and(|body| body.holds()))
    }

    /// Whether a module of this index observes; `None` for requests that belong to no module.
    pub fn observes(&self, module: Option<usize>) -> bool {
        let mode = match module {
            Some(index) => self.modules.get(index).map_or(self.mode, |module| module.mode),
            None => self.mode,
        };
        mode == Mode::Observe
    }
}
