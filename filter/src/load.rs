//! From the plugin's configuration to a policy that decides, or to every mistake in Envoy's log.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use vigile_policy::{Draft, Invalid, Memory, State, Variable};

use crate::ends::Ends;
use crate::host::{self, Kind};
use crate::metrics::Metrics;
use crate::permits::Permits;
use crate::signatures::Signatures;

/// A policy at work in one worker.
pub(crate) struct Loaded {
    pub(crate) state: State,
    pub(crate) memory: RefCell<Memory>,
    pub(crate) metrics: Metrics,
    pub(crate) host: Kind,
    /// Where a route bounds the requests that a caller has under way.
    pub(crate) permits: Option<Permits>,
    /// Where a route ends streams with what let them in.
    pub(crate) ends: Option<Ends>,
    /// What Envoy verifies for us.
    pub(crate) signatures: Signatures,
    /// Whether the caller's address is asked for before every decision.
    pub(crate) reads_addresses: bool,
}

/// Where something is amiss, this says where to look first: an Envoy whose `capability_restriction_config` leaves out
/// `proxy_get_property` is taken for another host as well.
const UNTESTED: &str = "this host does not say that it is Envoy: body and concurrency are refused here, \
    nothing is left for access logs, and docs/decisions/0033 says what else differs";

/// Loads what the host configured; `None` after every mistake was logged.
pub(crate) fn load() -> Option<Loaded> {
    let kind = Kind::ask();
    if kind == Kind::Other {
        log::warn!("{UNTESTED}");
    }
    let state = match read(&host::configuration(), kind) {
        Ok(state) => state,
        Err(mistakes) => {
            for mistake in &mistakes {
                log::error!("policy: {mistake}");
            }
            log::error!("policy refused: {} in all", count(mistakes.len()));
            return None;
        }
    };
    for note in state.notes() {
        log::info!("policy: {note}");
    }
    let signatures = Signatures::probe(kind);
    log::info!("{}", state.summary(env!("CARGO_PKG_VERSION"), &signatures.names()));
    Some(Loaded {
        memory: RefCell::new(state.memory(seed())),
        metrics: Metrics::define(state.policy()),
        permits: state.policy().counts_requests().then(|| Permits::new(random(3))),
        ends: state.policy().ends_streams().then(Ends::default),
        reads_addresses: state.policy().reads_addresses(),
        signatures,
        host: kind,
        state,
    })
}

fn read(configuration: &[u8], host: Kind) -> Result<State, Vec<Invalid>> {
    let draft = Draft::read(configuration)?;
    let mut variables = BTreeMap::new();
    for Variable { name, .. } in draft.variables() {
        if let Ok(value) = std::env::var(&name) {
            variables.insert(name, value);
        }
    }
    draft.resolve(&variables, host.abilities())
}

fn count(mistakes: usize) -> String {
    match mistakes {
        1 => "1 mistake".to_owned(),
        mistakes => format!("{mistakes} mistakes"),
    }
}

/// Nobody can choose tokens that collide in memory.
fn seed() -> [u64; 2] {
    [random(1), random(2)]
}

/// A random word from the VM's own source (WASI `random_get`), by way of the standard library's hasher.
fn random(nonce: u64) -> u64 {
    RandomState::new().hash_one(nonce)
}
