//! CPU per request, variant by variant, round by round.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use vigile_tests::envoy::Binary;

use crate::case::{Case, Variant};
use crate::cpu::{self, Cores};
use crate::policy::path;
use crate::quartiles::Quartiles;
use crate::stand::Stand;
use crate::tokens::Mint;
use crate::wrk::Load;

/// How long, and where.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    pub rounds: usize,
    pub slice: Duration,
    pub cores: Cores,
}

/// How long a variant runs before anything counts.
pub fn warm_up(variant: Variant) -> Duration {
    match variant {
        Variant::None | Variant::Native | Variant::Cached => Duration::from_secs(1),
        // V8 compiles a module a second time, better, where it is used much.
        Variant::Vigile => Duration::from_secs(2),
    }
}

/// What differs by less says nothing, in µs.
const NOISE: f64 = 1.0;

/// What a case cost.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    #[serde(skip)]
    pub case: Case,
    pub name: String,
    /// CPU per request, in µs.
    pub cost: BTreeMap<String, Quartiles>,
    /// The same without what Envoy does without a filter, round by round.
    pub added: BTreeMap<String, Quartiles>,
    /// What the ratio is to.
    pub against: String,
    pub target: Option<f64>,
    /// What Vigile adds by what the other adds, round by round; where that is lost in the noise, none.
    pub ratio: Option<Quartiles>,
    /// How long Envoy waited for its core, as a share of the time that it wanted it: what else ran there
    /// costs it its caches, too.
    pub waited: f64,
    /// CPU per request in each round, in µs.
    pub rounds: BTreeMap<String, Vec<f64>>,
}

impl Measured {
    pub fn met(&self) -> Option<bool> {
        // As it stands in the table.
        Some((self.ratio?.median * 100.0).round() / 100.0 <= self.target?)
    }
}

/// Starts an Envoy for a case, sees that every variant does what it should, and measures.
pub fn measure(
    case: &Case,
    binary: &Binary,
    mint: &mut Mint,
    plan: Plan,
) -> Result<Measured, String> {
    let presented = mint.presented(case, usize::MAX);
    let variants = case.variants();
    let stand = plan.cores.on_envoys(|| Stand::start(binary, case, &variants, 1))?;
    for variant in &variants {
        stand.ask(case, *variant, &presented[0])?;
    }
    let load = Load::write(stand.envoy.folder(), path(case), &presented);
    let load = load.map_err(|error| error.to_string())?;
    let slice = |variant, length| slice(&stand, case, variant, &load, length);
    for variant in &variants {
        slice(*variant, warm_up(*variant))?;
    }
    let mut samples: BTreeMap<Variant, Vec<Slice>> = BTreeMap::new();
    for round in 0..plan.rounds {
        // There and back: what drifts meets each variant alike.
        let mut order = variants.clone();
        if round % 2 == 1 {
            order.reverse();
        }
        for variant in order {
            samples.entry(variant).or_default().push(slice(variant, plan.slice)?);
        }
    }
    Ok(measured(case, &samples))
}

/// A slice of time in which every answer was the expected one.
#[derive(Clone, Copy, Debug)]
struct Slice {
    /// CPU per request, in µs.
    cost: f64,
    /// How long Envoy waited for its core, as a share of the time that it wanted it.
    waited: f64,
}

fn slice(
    stand: &Stand,
    case: &Case,
    variant: Variant,
    load: &Load<'_>,
    length: Duration,
) -> Result<Slice, String> {
    let problem = |what: String| format!("{}: {what}", case.listener(variant));
    let used = || cpu::used(stand.envoy.pid()).map_err(|error| problem(error.to_string()));
    stand.forget_lines().map_err(|error| problem(error.to_string()))?;
    let before = used()?;
    let count = load.run(stand.envoy.listener(&case.listener(variant)), length)?;
    let after = used()?;
    let refused = if case.expected(variant).status >= 400 { count.requests } else { 0 };
    if count.requests == 0 || count.refused != refused || count.broken != 0 {
        return Err(problem(format!("{count:?}, where {refused} were to be refused")));
    }
    let ran = (after.ran - before.ran) as f64;
    let waited = (after.waited - before.waited) as f64;
    Ok(Slice { cost: ran / 1000.0 / count.requests as f64, waited: waited / (ran + waited) })
}

fn measured(case: &Case, samples: &BTreeMap<Variant, Vec<Slice>>) -> Measured {
    let waited = samples.values().flatten().map(|slice| slice.waited);
    let waited = waited.sum::<f64>() / (samples.len() * samples[&Variant::None].len()) as f64;
    let costs = |slices: &Vec<Slice>| slices.iter().map(|slice| slice.cost).collect();
    let samples: BTreeMap<Variant, Vec<f64>> =
        samples.iter().map(|(variant, slices)| (*variant, costs(slices))).collect();
    let none = &samples[&Variant::None];
    let added = |variant: &Variant| -> Vec<f64> {
        samples[variant].iter().zip(none).map(|(cost, none)| cost - none).collect()
    };
    let by_name = |figures: &dyn Fn(&Variant) -> Vec<f64>| {
        let named = |variant: &Variant| (variant.to_string(), Quartiles::of(figures(variant)));
        samples.keys().map(named).collect()
    };
    let (ours, theirs) = (added(&Variant::Vigile), added(&case.against));
    let told = Quartiles::of(theirs.iter().copied()).median >= NOISE;
    let ratio =
        told.then(|| Quartiles::of(ours.iter().zip(&theirs).map(|(ours, theirs)| ours / theirs)));
    Measured {
        case: case.clone(),
        name: case.name.clone(),
        cost: by_name(&|variant| samples[variant].clone()),
        added: by_name(&added),
        against: case.against.to_string(),
        target: case.target,
        ratio,
        waited,
        rounds: samples.iter().map(|(variant, all)| (variant.to_string(), all.clone())).collect(),
    }
}
