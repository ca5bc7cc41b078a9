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
    pub no_filter: Quartiles,
    pub vigile: Quartiles,
    /// The module's own part, start by start.
    pub added: Quartiles,
}

/// With one worker, all of Envoy on one core.
pub fn measure(case: &Case, binary: &Binary, cores: Cores) -> Result<Startup, String> {
    let start = |variant| -> Result<f64, String> {
        let stand = cores.on_envoys(|| Stand::start(binary, case, &[variant], 1))?;
        Ok(stand.envoy.ready_after.as_secs_f64())
    };
    // The first one reads the files from the disk.
    start(Variant::Vigile)?;
    let mut both = Vec::new();
    for _ in 0..STARTS {
        both.push((start(Variant::None)?, start(Variant::Vigile)?));
    }
    Ok(Startup {
        no_filter: Quartiles::of(both.iter().map(|(none, _)| *none)),
        vigile: Quartiles::of(both.iter().map(|(_, vigile)| *vigile)),
        added: Quartiles::of(both.iter().map(|(none, vigile)| vigile - none)),
    })
}
