//! What Envoy keeps in memory: for a worker more, and under tokens that never end.

use std::time::Duration;

use serde::Serialize;
use vigile_policy::Algorithm;
use vigile_tests::envoy::Binary;

use crate::case::{Case, Kind, Presented, Variant};
use crate::cpu::Cores;
use crate::measure::WARM_UP;
use crate::policy::path;
use crate::quartiles::Quartiles;
use crate::stand::Stand;
use crate::tokens::Mint;
use crate::wrk::Load;

pub const WORKERS_NAME: &str = "memory of workers";
pub const GROWTH_NAME: &str = "memory of tokens";
const WORKERS: [usize; 3] = [1, 4, 8];
const STARTS: usize = 3;
/// Ten times what is remembered where the policy says nothing.
pub const DISTINCT: usize = 40_000;
const SECONDS: usize = 10;

/// Resident memory with so many workers, in kB.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Workers {
    pub workers: usize,
    pub no_filter: f64,
    pub vigile: f64,
}

/// Right after the start, before any token.
pub fn workers(case: &Case, binary: &Binary) -> Result<Vec<Workers>, String> {
    let resident = |variant, workers| -> Result<f64, String> {
        let mut all = Vec::new();
        for _ in 0..STARTS {
            let stand = Stand::start(binary, case, &[variant], workers)?;
            // Each worker has its VM before LIVE; what else a start does may end a little later.
            std::thread::sleep(Duration::from_millis(300));
            all.push(rss(stand.envoy.pid())?);
        }
        Ok(Quartiles::of(all).median)
    };
    let row = |workers| {
        let (no_filter, vigile) =
            (resident(Variant::None, workers)?, resident(Variant::Vigile, workers)?);
        Ok(Workers { workers, no_filter, vigile })
    };
    WORKERS.into_iter().map(row).collect()
}

/// What the module takes for one more worker, in kB: from the fewest to the most.
pub fn per_worker(rows: &[Workers]) -> Option<f64> {
    let (first, last) = (rows.first()?, rows.last()?);
    let added = |row: &Workers| row.vigile - row.no_filter;
    Some((added(last) - added(first)) / (last.workers - first.workers) as f64)
}

/// Resident memory under distinct tokens that all hold.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Growth {
    /// Requests so far, each with another token until all had their turn.
    pub requests: u64,
    /// kB.
    pub resident: f64,
}

/// One token for a while, then distinct ones; a row for each second.
pub fn growth(binary: &Binary, mint: &mut Mint, cores: Cores) -> Result<Vec<Growth>, String> {
    let case = Case {
        name: GROWTH_NAME.to_owned(),
        presented: Presented::Tokens(Algorithm::Hs256, Kind::Good, DISTINCT),
        remember: None,
        lines: true,
        against: Variant::Cached,
        target: None,
    };
    let presented = mint.presented(&case, usize::MAX);
    let stand = cores.on_envoys(|| Stand::start(binary, &case, &[Variant::Vigile], 1))?;
    stand.ask(&case, Variant::Vigile, &presented[0])?;
    let load = |tokens: &[String]| {
        Load::write(stand.envoy.folder(), path(&case), tokens).map_err(|error| error.to_string())
    };
    let address = stand.envoy.listener(&case.listener(Variant::Vigile));
    load(&presented[..1])?.run(address, WARM_UP)?;
    let mut rows = vec![Growth { requests: 0, resident: rss(stand.envoy.pid())? }];
    let load = load(&presented)?;
    let mut requests = 0;
    for _ in 0..SECONDS {
        let count = load.run(address, Duration::from_secs(1))?;
        if count.refused + count.broken > 0 {
            return Err(format!("{GROWTH_NAME}: {count:?}"));
        }
        requests += count.requests;
        rows.push(Growth { requests, resident: rss(stand.envoy.pid())? });
    }
    Ok(rows)
}

/// `VmRSS` of a process, in kB.
fn rss(pid: u32) -> Result<f64, String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    figure.ok_or_else(|| "the kernel says nothing of VmRSS".to_owned())
}
