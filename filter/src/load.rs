//! From the plugin's configuration to a policy that decides, or to every mistake in Envoy's log.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use vigile_policy::{Draft, Host, Invalid, Memory, State};

use crate::host;
use crate::metrics::Metrics;

/// A policy at work in one worker.
pub(crate) struct Loaded {
    pub(crate) state: State,
    pub(crate) memory: RefCell<Memory>,
    pub(crate) metrics: Metrics,
    /// Whether the caller's address is asked for before every decision.
    pub(crate) reads_addresses: bool,
}

/// Loads what the host configured; `None` after every mistake was logged.
pub(crate) fn load() -> Option<Loaded> {
    let state = match read(&host::configuration()) {
        Ok(state) => state,
        Err(mistakes) => {
            for mistake in &mistakes {
                log::error!("policy: {mistake}");
            }
            log::error!("policy refused: {} in all", count(mistakes.len()));
            return None;
        }
    };
    log::info!("{}", state.summary(env!("CARGO_PKG_VERSION")));
    Some(Loaded {
        memory: RefCell::new(state.memory(seed())),
        metrics: Metrics::define(state.policy()),
        reads_addresses: state.policy().reads_addresses(),
        state,
    })
}

fn read(configuration: &[u8]) -> Result<State, Vec<Invalid>> {
    let draft = Draft::read(configuration)?;
    let variables: BTreeMap<String, String> = draft
        .variables()
        .into_iter()
        .filter_map(|variable| {
            std::env::var(&variable.name).ok().map(|value| (variable.name, value))
        })
        .collect();
    draft.resolve(&variables, Host::ENVOY)
}

fn count(mistakes: usize) -> String {
    match mistakes {
        1 => "1 mistake".to_owned(),
        mistakes => format!("{mistakes} mistakes"),
    }
}

/// Two random words from the VM's own source (WASI `random_get`), by way of the standard library's
/// hasher: nobody can choose tokens that collide in memory.
fn seed() -> [u64; 2] {
    [RandomState::new().hash_one(1), RandomState::new().hash_one(2)]
}
