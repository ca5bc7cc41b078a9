//! What Envoy keeps in memory: for a worker more, and under tokens that never end.

use std::time::Duration;

use serde::Serialize;
use vigile_policy::Algorithm;
use vigile_tests::envoy::Binary;

use crate::case::{Case, Kind, Presented, Variant};
use crate::cpu::Cores;
use crate::measure::warm_up;
use crate::policy::path;
use crate::quartiles::Quartiles;
use crate::stand::Stand;
use crate::tokens::Mint;
use crate::wrk::Load;

pub const WORKERS_NAME: &str = "memory of workers";
pub const GROWTH_NAME: &str = "memory of tokens";
const WORKERS: [usize; 3] = [1, 4, 8];
const STARTS: usize = 3;
/// Many times the 4,096 that are remembered where the policy says nothing.
pub const DISTINCT: usize = 100_000;
const SECONDS: u32 = 15;

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

/// Resident memory under distinct tokens that all hold, in kB.
#[derive(Clone, Debug, Serialize)]
pub struct Growth {
    /// After one token, again and again.
    pub before: f64,
    /// Second by second.
    pub under: Vec<f64>,
    pub requests: u64,
}

/// One token for a while, then distinct ones.
pub fn growth(binary: &Binary, mint: &mut Mint, cores: Cores) -> Result<Growth, String> {
    let presented = Presented::Tokens(Algorithm::Hs256, Kind::Good, DISTINCT);
    let (name, against) = (GROWTH_NAME.to_owned(), Variant::None);
    let case = Case { name, presented, remember: None, lines: true, against, target: None };
    let presented = mint.presented(&case, usize::MAX);
    let stand = cores.on_envoys(|| Stand::start(binary, &case, &[Variant::Vigile], 1))?;
    stand.ask(&case, Variant::Vigile, &presented[0])?;
    let address = stand.envoy.listener(&case.listener(Variant::Vigile));
    let load = |tokens: &[String]| {
        Load::write(stand.envoy.folder(), path(&case), tokens).map_err(|error| error.to_string())
    };
    load(&presented[..1])?.run(address, warm_up(Variant::Vigile))?;
    let before = rss(stand.envoy.pid())?;
    let second = Duration::from_secs(1);
    let running = load(&presented)?.start(address, second * SECONDS)?;
    let under = (0..SECONDS).map(|_| {
        std::thread::sleep(second);
        rss(stand.envoy.pid())
    });
    let under = under.collect::<Result<_, _>>();
    let count = running.stop()?;
    if count.refused + count.broken > 0 {
        return Err(format!("{GROWTH_NAME}: {count:?}"));
    }
    Ok(Growth { before, under: under?, requests: count.requests })
}

/// `VmRSS` of a process, in kB.
fn rss(pid: u32) -> Result<f64, String> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"));
    let status = status.map_err(|error| error.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let figure = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    figure.ok_or_else(|| "the kernel says nothing of VmRSS".to_owned())
}
