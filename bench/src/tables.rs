//! The tables of docs/performance.md.

use std::fmt::Write;

use crate::case::Variant;
use crate::conditions::Conditions;
use crate::latency::{Latency, RATE};
use crate::measure::Measured;
use crate::memory::{DISTINCT, Growth, Workers, per_worker};
use crate::report::Report;
use crate::startup::Startup;

/// Those of what was measured, with a heading each.
pub fn all(report: &Report) -> String {
    let mut out = conditions(&report.conditions);
    let mut part = |heading: &str, table: Option<String>| {
        if let Some(table) = table {
            let _ = write!(out, "\n## {heading}\n\n{table}");
        }
    };
    let some = |empty: bool, table: &dyn Fn() -> String| (!empty).then(table);
    part("CPU per request", some(report.cases.is_empty(), &|| cases(&report.cases)));
    part("Waiting", some(report.latency.is_empty(), &|| latency(&report.latency)));
    part("Start-up", report.startup.as_ref().map(startup));
    part("Memory", some(report.workers.is_empty(), &|| workers(&report.workers)));
    part("Memory under tokens without end", report.growth.as_ref().map(growth));
    part(
        "The module",
        Some(format!(
            "{} bytes; target: 600,000 at most.\n",
            grouped(report.conditions.module_bytes)
        )),
    );
    out
}

fn conditions(it: &Conditions) -> String {
    let verified = match it.signatures.as_str() {
        "module" => ", all signatures verified in the module",
        _ => "",
    };
    format!(
        "Measured on {} with Vigile {}{verified}: Envoy {}, Linux {}, {} cores of {}, {}; {} rounds, slices of {} ms.\n",
        it.date, it.commit, it.envoy, it.kernel, it.cores, it.cpu, it.wrk, it.rounds, it.slice_ms
    )
}

fn cases(cases: &[Measured]) -> String {
    let mut out = "![](images/performance.svg)\n\n".to_owned();
    out += &table(&[
        "case",
        "no filter, µs",
        "native adds",
        "with its cache",
        "Vigile adds",
        "ratio",
        "half of the rounds",
        "target",
        "met",
    ]);
    for case in cases {
        let added = |variant: Variant| match case.added.get(&variant.to_string()) {
            Some(added) => format!("{:.1}", added.median),
            None => String::new(),
        };
        // What the ratio is to stands out.
        let against = |variant: Variant| match added(variant) {
            figure if variant == case.case.against => format!("**{figure}**"),
            figure => figure,
        };
        row(
            &mut out,
            &[
                case.name.clone(),
                format!("{:.1}", case.cost[&Variant::None.to_string()].median),
                against(Variant::Native),
                against(Variant::Cached),
                added(Variant::Vigile),
                case.ratio.map(|ratio| format!("{:.2}", ratio.median)).unwrap_or_default(),
                case.ratio.map(|it| format!("{:.2} to {:.2}", it.q1, it.q3)).unwrap_or_default(),
                case.target.map(|target| format!("{target:.1}")).unwrap_or_default(),
                case.met().map(|met| if met { "yes" } else { "no" }).unwrap_or_default().to_owned(),
            ],
        );
    }
    out
}

fn latency(rows: &[Latency]) -> String {
    let mut header = vec![format!("µs at {} requests a second: p50 / p99", grouped(RATE.into()))];
    header.extend(Variant::ALL.map(|variant| variant.to_string()));
    let mut out = table(&header.iter().map(String::as_str).collect::<Vec<_>>());
    for latency in rows {
        let (_, name) = latency.name.split_once(": ").unwrap_or(("", &latency.name));
        let mut cells = vec![name.to_owned()];
        cells.extend(Variant::ALL.map(|variant| match latency.waits.get(&variant.to_string()) {
            Some(waits) => format!("{:.0} / {:.0}", waits.p50, waits.p99),
            None => String::new(),
        }));
        row(&mut out, &cells);
    }
    out
}

fn startup(it: &Startup) -> String {
    let mut out = table(&[
        "from start to LIVE, one worker: seconds",
        "no filter",
        "Vigile",
        "the module's part",
    ]);
    for (what, starts) in [("Envoy on one core", it.one_core), ("on all cores", it.all_cores)] {
        let figures = [starts.no_filter, starts.vigile, starts.added];
        let figures = figures.map(|figure| format!("{:.2}", figure.median));
        row(&mut out, &[&[what.to_owned()][..], &figures].concat());
    }
    out + "\nTarget: 0.4 s at most with Vigile.\n"
}

fn workers(rows: &[Workers]) -> String {
    let mut out =
        table(&["resident after the start, MB", "no filter", "Vigile", "the module's part"]);
    let mb = |kb: f64| format!("{:.1}", kb / 1000.0);
    for it in rows {
        let workers = format!("{} worker{}", it.workers, if it.workers == 1 { "" } else { "s" });
        row(&mut out, &[workers, mb(it.no_filter), mb(it.vigile), mb(it.vigile - it.no_filter)]);
    }
    if let Some(each) = per_worker(rows) {
        let _ = writeln!(
            out,
            "\nThe module's part of a further worker: {} MB; target: 1 MB at most.",
            mb(each)
        );
    }
    out
}

fn growth(it: &Growth) -> String {
    let mb = |kb: &f64| format!("{:.1}", kb / 1000.0);
    let after = [1, 2, 5, 10, 15]
        .into_iter()
        .filter_map(|second| Some((second, it.under.get(second - 1)?)));
    let (seconds, figures): (Vec<_>, Vec<_>) = after.unzip();
    let header: Vec<String> = ["with".to_owned(), "one token".to_owned()]
        .into_iter()
        .chain(seconds.iter().map(|second| format!("{second} s")))
        .collect();
    let mut out = table(&header.iter().map(String::as_str).collect::<Vec<_>>());
    let cells =
        ["resident, MB".to_owned(), mb(&it.before)].into_iter().chain(figures.into_iter().map(mb));
    row(&mut out, &cells.collect::<Vec<_>>());
    let _ = writeln!(
        out,
        "\n{} requests with {} distinct HS256 tokens that hold, one after the other; the policy says nothing of `remember_tokens` (4,096).",
        grouped(it.requests),
        grouped(DISTINCT as u64)
    );
    out
}

fn table(header: &[&str]) -> String {
    let mut out = format!("| {} |\n|---|", header.join(" | "));
    out.push_str(&"---:|".repeat(header.len() - 1));
    out.push('\n');
    out
}

fn row(out: &mut String, cells: &[String]) {
    let _ = writeln!(out, "| {} |", cells.join(" | "));
}

/// 1,000,000
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            ["7", "1,000", "16,384", "1,070,693"],
            [7, 1000, 16384, 1_070_693].map(super::grouped).each_ref().map(String::as_str)
        );
    }
}
