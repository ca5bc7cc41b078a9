//! The policy, compiled: values that can only be right. Who reads a document (`vigile-policy`) makes them,
//! section by section, and nobody else.

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
mod log;
mod module;
mod modules;
mod overrides;
mod ownership;
mod route;

use std::sync::Arc;

pub use access::{Access, Need, TokenNeed, Value};
pub use address::{Addresses, ClientAddress, Networks};
pub use api_key::ApiKey;
pub use body::{Body, JSON};
pub use credentials::{CookieName, Credentials, HeaderPlace};
pub use embed::{Ancestor, Ancestors, Embed};
pub(crate) use forward::is_folded;
pub use forward::{Forward, Value as ForwardValue, folded};
pub use headers::{Headers, is_header_value};
pub use host::{HostPattern, Hosts};
pub use issuer::{Audiences, Issuer, Revoked};
pub use log::Log;
pub use module::{Module, ModuleParts};
pub(crate) use modules::{Cookies, Modules};
pub use overrides::{OVERRIDES, override_named};
pub use route::{Concurrency, Entry, LONGEST_TEXT, RequiredHeader, Route, Routes, Rule};

use serde::Serialize;

use crate::names::Names;
use crate::token::{Key, Keys, Memory};

/// A policy and its keys: replaced as one, at load.
pub struct State {
    pub(crate) policy: Arc<Policy>,
    pub(crate) keys: Arc<Keys>,
    notes: Vec<String>,
}

/// What the policy says, section by section.
pub struct PolicyParts {
    /// Whether refusals are carried out.
    pub mode: Mode,
    /// How many verified tokens are kept.
    pub remember_tokens: u32,
    /// Whose word on the caller's address is taken.
    pub client_address: ClientAddress,
    /// What is logged.
    pub log: Log,
    /// Who signs tokens.
    pub issuers: Vec<Arc<Issuer>>,
    /// The callers' keys.
    pub api_keys: Vec<Arc<ApiKey>>,
    /// The services, in the order of the policy.
    pub modules: Vec<Module>,
    /// 16 hex digits over the text, with its secrets redacted.
    pub digest: String,
}

/// Everything that decides, and nothing that changes between requests.
pub struct Policy {
    pub(crate) mode: Mode,
    pub(crate) remember_tokens: u32,
    pub(crate) client_address: ClientAddress,
    pub(crate) log: Log,
    pub(crate) api_keys: Vec<Arc<ApiKey>>,
    pub(crate) modules: Modules,
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

impl From<PolicyParts> for Policy {
    fn from(parts: PolicyParts) -> Self {
        let modules = Modules::new(parts.modules);
        Self {
            mode: parts.mode,
            remember_tokens: parts.remember_tokens,
            client_address: parts.client_address,
            log: parts.log,
            claims: claims(&parts.issuers, &modules),
            api_keys: parts.api_keys,
            modules,
            digest: parts.digest,
        }
    }
}

fn claims(issuers: &[Arc<Issuer>], modules: &Modules) -> Vec<String> {
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
    let all = required.chain(forwarded).chain(bound).map(String::as_str).chain(issuers);
    all.collect::<Names>().into_names()
}

impl State {
    /// A policy, the keys of its issuers in their order, and what its reader passed over, a line each.
    pub fn new(policy: Policy, keys: Vec<Vec<Key>>, notes: Vec<String>) -> Self {
        Self { policy: Arc::new(policy), keys: Arc::new(Keys::new(1, keys)), notes }
    }

    /// The lines that a host logs at load beside the [summary](Self::summary): what the reader passed over.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

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
        let summary = Summary {
            api_keys: self.policy.api_keys().collect(),
            event: "policy.loaded",
            keys: self.keys.labels().collect(),
            mode: self.policy.mode.as_str(),
            modules: self.policy.modules().collect(),
            policy: self.policy.digest(),
            verified_by_host: by_host,
            version,
        };
        serde_json::to_string(&summary).unwrap_or_default()
    }

    /// An empty memory with the policy's bounds; 2 kB a token are about four times a common one.
    pub fn memory(&self, seed: [u64; 2]) -> Memory {
        let tokens = usize::try_from(self.policy.remember_tokens).unwrap_or(0);
        Memory::with_bounds(tokens, tokens.saturating_mul(2048), seed)
    }
}

#[derive(Serialize)]
struct Summary<'s> {
    api_keys: Vec<&'s str>,
    event: &'static str,
    keys: Vec<&'s str>,
    mode: &'static str,
    modules: Vec<&'s str>,
    policy: &'s str,
    verified_by_host: &'s [&'s str],
    version: &'s str,
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

    /// Tells whether any route has a host end streams at a time.
    pub fn ends_streams(&self) -> bool {
        let mut rules = self.modules.iter().flat_map(|module| &module.rules);
        rules.any(|rule| rule.close_at_exp)
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
