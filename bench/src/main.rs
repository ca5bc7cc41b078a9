//! `./build.sh bench`: measures, prints the tables, and writes docs/performance.md.

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use vigile_bench::case::{self, Case};
use vigile_bench::conditions::Conditions;
use vigile_bench::cpu::Cores;
use vigile_bench::measure::{self, Measured, Plan};
use vigile_bench::report::Report;
use vigile_bench::tokens::Mint;
use vigile_bench::{latency, memory, startup};
use vigile_tests::envoy::{self, Binary};

/// Measures what Vigile adds to a request in Envoy, beside what Envoy's own filters add that do the same.
///
/// CPU is in microseconds per request, of the whole Envoy process by the scheduler's accounting, with one
/// worker on one core and wrk on another. Every figure is a median over the rounds. Progress goes to
/// stderr, the tables to stdout, all medians and quartiles to target/bench/results.json. Without --case
/// and --no-write, docs/performance.md and its plot are written anew.
#[derive(Parser)]
#[command(bin_name = "./build.sh bench")]
struct Options {
    /// How often each variant is measured
    #[arg(long, value_name = "N", default_value_t = 7, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// How long each time, with its unit: 500ms, 1s
    #[arg(long, value_name = "SPAN", default_value = "500ms", value_parser = span)]
    slice: Duration,
    /// Only what has this text in its name (see --list); docs/performance.md stays as it is
    #[arg(long, value_name = "TEXT")]
    case: Option<String>,
    /// Leaves docs/performance.md as it is
    #[arg(long)]
    no_write: bool,
    /// Prints the names of what is measured
    #[arg(long)]
    list: bool,
}

fn span(text: &str) -> Result<Duration, String> {
    let span = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    match (100..=60_000).contains(&span.as_millis()) {
        true => Ok(span),
        false => Err("between 100ms and 60s".to_owned()),
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.list {
        names().iter().for_each(|name| println!("{name}"));
        return ExitCode::SUCCESS;
    }
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("bench: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn names() -> Vec<String> {
    let rows = latency::ROWS.map(|(name, _)| name.to_owned());
    let others = [startup::NAME, memory::WORKERS_NAME, memory::GROWTH_NAME].map(str::to_owned);
    case::all().into_iter().map(|case| case.name).chain(rows).chain(others).collect()
}

fn run(options: &Options) -> Result<(), String> {
    let text = options.case.as_deref().unwrap_or_default();
    let wanted = |name: &str| name.contains(text);
    if !names().iter().any(|name| wanted(name)) {
        return Err(format!("nothing has {text:?} in its name: see --list"));
    }
    let cores = Cores::find()?;
    let rounds = options.rounds.into();
    let plan = Plan { rounds, slice: options.slice, cores };
    let report = Bench { binary: envoy::newest(), plan, mint: Mint::default() }.run(&wanted)?;
    println!("{}", report.markdown());
    eprintln!("medians and quartiles: {}", report.write_json()?.display());
    if options.case.is_none() && !options.no_write {
        report.write_docs()?;
        eprintln!("docs/performance.md and docs/images/performance.svg are written");
    }
    Ok(())
}

/// Envoy's own threads wait for each other a little.
const DISTURBED: f64 = 0.02;

struct Bench {
    binary: Binary,
    plan: Plan,
    mint: Mint,
}

impl Bench {
    fn run(mut self, wanted: &dyn Fn(&str) -> bool) -> Result<Report, String> {
        let conditions = Conditions::read(&self.binary, self.plan)?;
        let all = case::all();
        let mut cases = Vec::new();
        for case in all.iter().filter(|case| wanted(&case.name)) {
            cases.push(self.measure(case)?);
        }
        let mut waits = Vec::new();
        for (name, case) in latency::ROWS.into_iter().filter(|(name, _)| wanted(name)) {
            eprintln!("{name}");
            let case = named(&all, case);
            let it = latency::measure(name, case, &self.binary, &mut self.mint, self.plan)?;
            if it.waits.get("no filter").is_some_and(|waits| waits.p99 > 1000.0) {
                eprintln!(
                    "  too high: even without a filter some waited a millisecond, so something else ran"
                );
            }
            waits.push(it);
        }
        let (binary, cores) = (&self.binary, self.plan.cores);
        let any = named(&all, "warm HS256");
        let told = |name: &str| wanted(name).then(|| eprintln!("{name}")).is_some();
        let startup =
            told(startup::NAME).then(|| startup::measure(any, binary, cores)).transpose()?;
        let workers =
            told(memory::WORKERS_NAME).then(|| memory::workers(any, binary)).transpose()?;
        let growth = told(memory::GROWTH_NAME)
            .then(|| memory::growth(binary, &mut self.mint, cores))
            .transpose()?;
        let workers = workers.unwrap_or_default();
        Ok(Report { conditions, cases, latency: waits, startup, workers, growth })
    }

    fn measure(&mut self, case: &Case) -> Result<Measured, String> {
        eprint!("{}: ", case.name);
        let measured = measure::measure(case, &self.binary, &mut self.mint, self.plan)?;
        for (variant, added) in measured.added.iter().filter(|(name, _)| *name != "no filter") {
            eprint!("{variant} +{:.1} µs, ", added.median);
        }
        match measured.ratio {
            Some(ratio) => eprintln!("ratio {:.2}", ratio.median),
            None => eprintln!("no ratio: what native adds is lost in the noise"),
        }
        if measured.waited > DISTURBED {
            eprintln!(
                "  too high: Envoy waited {:.0} % of the time while something else had its core",
                measured.waited * 100.0
            );
        }
        Ok(measured)
    }
}

fn named<'a>(cases: &'a [Case], name: &str) -> &'a Case {
    cases.iter().find(|case| case.name == name).expect("a case of this name")
}
