//! The sections of a policy: read into values that can only be right, or refused with every mistake at once.

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
mod public_key;
mod route;
mod security_headers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use vigile_core::policy::{ApiKey, ClientAddress, Issuer, Log, Mode, Module, Policy, PolicyParts};
use vigile_core::{State, token::Key};

use crate::document::{
    self, Finished, Invalid, Node, Reading, SchemaKey, Tree, Variable, digest, quoted,
};

/// What this host can do. A policy that needs more is refused.
#[allow(clippy::struct_excessive_bools, reason = "each says one thing, and none another")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Host {
    /// It knows the address of the caller.
    pub peer_address: bool,
    /// It can hold a body until it was looked at.
    pub holds_bodies: bool,
    /// It can count the requests that a caller has under way.
    pub counts_requests: bool,
    /// It passes websockets on.
    pub passes_websockets: bool,
    /// Ends a stream at a time.
    pub ends_streams: bool,
}

impl Host {
    /// Envoy, by proxy-wasm.
    pub const ENVOY: Self = Self {
        peer_address: true,
        holds_bodies: true,
        counts_requests: true,
        passes_websockets: true,
        ends_streams: true,
    };

    /// A host of proxy-wasm that does not say that it is Envoy. None of them is known to hold a body behind its
    /// head, and the data that workers share is missing or traps (docs/decisions/0033).
    pub const PROXY_WASM: Self = Self {
        peer_address: true,
        holds_bodies: false,
        counts_requests: false,
        passes_websockets: true,
        ends_streams: false,
    };

    /// NGINX Unit, by wasi:http. Where a route in front writes the caller's address into the path, that is
    /// known too.
    pub const UNIT: Self = Self {
        peer_address: false,
        holds_bodies: true,
        counts_requests: false,
        passes_websockets: false,
        ends_streams: false,
    };
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
        reading.finish().variables
    }

    /// Every mistake that shows without the variables' values.
    pub fn mistakes(&self, host: Host) -> Vec<Invalid> {
        let reading = Reading::new(None);
        read(&reading.root(&self.tree), host);
        reading.finish().mistakes
    }

    /// Everything that is passed over, and that the author should know of: a key of a `jwks` that no algorithm takes.
    pub fn notes(&self, host: Host) -> Vec<Invalid> {
        let reading = Reading::new(None);
        read(&reading.root(&self.tree), host);
        reading.finish().notes
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
        let Finished { mistakes, notes, .. } = reading.finish();
        match read {
            Some((parts, keys)) if mistakes.is_empty() => {
                let parts = PolicyParts { digest: digest(&self.tree), ..parts };
                let notes = notes.iter().map(ToString::to_string).collect();
                Ok(State::new(Policy::from(parts), keys, notes))
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

fn read(root: &Node<'_>, host: Host) -> Option<(PolicyParts, Vec<Vec<Key>>)> {
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
    let parts = PolicyParts {
        mode: mode?,
        remember_tokens: remember_tokens?,
        client_address: client_address?,
        log: log?,
        issuers: issuers?,
        api_keys: api_keys?,
        modules: modules?,
        digest: String::new(),
    };
    Some((parts, keys?.into_iter().collect::<Option<Vec<_>>>()?))
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

fn modules(node: &Node<'_>, context: &Context<'_>) -> Option<Vec<Module>> {
    let nodes = node.items("[{ name: …, hosts: […], routes: […] }]")?;
    let read = nodes.iter().enumerate().map(|(at, node)| match module::read(node, context, at) {
        Some((outline, module)) => (Some(outline), module),
        None => (None, None),
    });
    let (outlines, modules): (Vec<_>, Vec<_>) = read.unzip();
    let distinct = module::distinct(&nodes, &outlines);
    let modules = modules.into_iter().collect::<Option<Vec<_>>>()?;
    distinct.map(|()| modules)
}
