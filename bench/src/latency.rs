//! How long a caller waits, at a rate that Envoy bears easily.
//!
//! Requests are due at fixed times, and a request's time runs from when it was due: one that waits
//! because an earlier answer was late counts its wait (else it would be left out just where it is long).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde::Serialize;
use vigile_tests::envoy::Binary;

use crate::case::{Case, Variant};
use crate::client::{Client, request};
use crate::measure::{Plan, warm_up};
use crate::policy::path;
use crate::quartiles;
use crate::stand::Stand;
use crate::tokens::Mint;
use crate::wrk::Load;

/// Requests a second.
pub const RATE: u32 = 2000;

/// Half and all but one in a hundred waited no longer, in µs.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Waits {
    pub p50: f64,
    pub p99: f64,
}

#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    pub name: String,
    pub waits: BTreeMap<String, Waits>,
}

/// Which rows there are: a name, and the case whose requests are sent.
pub const ROWS: [(&str, &str); 4] = [
    ("latency: remembered HS256", "warm HS256"),
    ("latency: remembered RS256", "warm RS256"),
    ("latency: new RS256", "cold RS256"),
    ("latency: forged RS256", "flood: bad signature RS256"),
];

pub fn measure(
    name: &str,
    case: &Case,
    binary: &Binary,
    mint: &mut Mint,
    plan: Plan,
) -> Result<Latency, String> {
    let presented = mint.presented(case, usize::MAX);
    let variants = case.variants();
    let stand = plan.cores.on_envoys(|| Stand::start(binary, case, &variants, 1))?;
    let load = Load::write(stand.envoy.folder(), path(case), &presented);
    let load = load.map_err(|error| error.to_string())?;
    let requests: Vec<Vec<u8>> = presented.iter().map(|it| request(path(case), it)).collect();
    let address = |variant: Variant| stand.envoy.listener(&case.listener(variant));
    for variant in &variants {
        stand.ask(case, *variant, &presented[0])?;
        load.run(address(*variant), warm_up(*variant))?;
    }
    let mut all: BTreeMap<Variant, Vec<f64>> = BTreeMap::new();
    for _ in 0..plan.rounds {
        for variant in &variants {
            let expected = case.expected(*variant).status;
            let waits = paced(address(*variant), &requests, expected, plan.slice);
            let waits = waits.map_err(|error| format!("{}: {error}", case.listener(*variant)))?;
            all.entry(*variant).or_default().extend(waits);
        }
    }
    let waits = all.into_iter().map(|(variant, mut waits)| {
        waits.sort_by(f64::total_cmp);
        let at = |part| quartiles::at(&waits, part);
        (variant.to_string(), Waits { p50: at(0.5), p99: at(0.99) })
    });
    Ok(Latency { name: name.to_owned(), waits: waits.collect() })
}

/// The waits of one slice, in µs.
fn paced(
    to: SocketAddr,
    requests: &[Vec<u8>],
    expected: u16,
    slice: Duration,
) -> Result<Vec<f64>, String> {
    let mut client = Client::open(to).map_err(|error| error.to_string())?;
    let count = (slice.as_secs_f64() * f64::from(RATE)) as u32;
    let begin = Instant::now() + Duration::from_millis(1);
    let mut waits = Vec::new();
    for (number, request) in (0..count).zip(requests.iter().cycle()) {
        let due = begin + Duration::from_secs(1) * number / RATE;
        // This core is the load's own, and a sleep would end too late.
        while Instant::now() < due {
            std::hint::spin_loop();
        }
        let answer = client.send(request).map_err(|error| error.to_string())?;
        waits.push(due.elapsed().as_secs_f64() * 1e6);
        if answer.status != expected {
            return Err(format!("{}, not {expected}", answer.status));
        }
    }
    Ok(waits)
}
