//! From Envoy's start to LIVE on its `/ready`, without a filter and with the module.

use serde::Serialize;
use vigile_tests::envoy::Binary;

use crate::case::{Case, Variant};
use crate::cpu::Cores;
use crate::quartiles::Quartiles;
use crate::stand::Stand;

pub const NAME: &str = "start-up";
const STARTS: usize = 7;

/// Seconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Startup {
    pub one_core: Starts,
    /// V8 compiles with every core that it gets.
    pub all_cores: Starts,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct Starts {
    pub no_filter: Quartiles,
    pub vigile: Quartiles,
    /// The module's own part, start by start.
    pub added: Quartiles,
}

/// With one worker.
pub fn measure(case: &Case, binary: &Binary, cores: Cores) -> Result<Startup, String> {
    let start = |variant| Stand::start(binary, case, &[variant], 1);
    // The first one reads the files from the disk.
    start(Variant::Vigile)?;
    Ok(Startup {
        one_core: starts(|variant| cores.on_envoys(|| start(variant)))?,
        all_cores: starts(|variant| cores.on_all(|| start(variant)))?,
    })
}

fn starts(start: impl Fn(Variant) -> Result<Stand, String>) -> Result<Starts, String> {
    let seconds = |variant| start(variant).map(|it| it.envoy.ready_after.as_secs_f64());
    let mut both = Vec::new();
    for _ in 0..STARTS {
        both.push((seconds(Variant::None)?, seconds(Variant::Vigile)?));
    }
    Ok(Starts {
        no_filter: Quartiles::of(both.iter().map(|(none, _)| *none)),
        vigile: Quartiles::of(both.iter().map(|(_, vigile)| *vigile)),
        added: Quartiles::of(both.iter().map(|(none, vigile)| vigile - none)),
    })
}
