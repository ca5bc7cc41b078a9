//! Real backends: each is asked what it makes of a path, and whether a caller who may not see a page gets it through a real
//! Envoy with Vigile in front. `docs/backends.md` is the table of it; `VIGILE_WRITE_DOCS=1` writes it anew.
//!
//! A backend that is not here is a skip with its reason, and a failure where `CI` is set.

#[path = "backends/app.rs"]
mod app;
#[path = "backends/gate.rs"]
mod gate;
#[path = "backends/table.rs"]
mod table;
#[path = "backends/trick.rs"]
mod trick;

use std::sync::Arc;

use app::Backend;
use gate::Gate;
use libtest_mimic::{Arguments, Failed, Trial};
use table::Row;
use trick::Trick;
use vigile_tests::{envoy, tools};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    let missing = app::ALL.iter().filter_map(|kind| kind.missing().map(|why| (kind.name, why)));
    let missing: Vec<(&str, String)> = missing.collect();
    match (tools::envoys(), missing.as_slice()) {
        (Err(why), _) => trials.push(tools::skipped("backends", why)),
        (Ok(_), [_, ..]) => {
            trials.extend(missing.into_iter().map(|(name, why)| tools::skipped(name, why)));
        }
        (Ok(_), []) => {
            let backends: Vec<Backend> = app::ALL.iter().map(Backend::start).collect();
            let gate = Arc::new(Gate::start(&envoy::newest(), &backends));
            let rows: Vec<Row> = trick::ALL.iter().map(|it| ask(it, &gate, &backends)).collect();
            trials.extend(rows.iter().map(is_held));
            trials.push(Trial::test("docs/backends.md is this run's table", move || {
                Ok(table::is_written(&rows)?)
            }));
            trials.push(Trial::test("honest paths reach every backend", move || {
                Ok(honest_paths_pass(&gate, &backends)?)
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

/// The words of the pages that the policy closes to an ordinary caller.
const CLOSED: [&str; 4] = ["admin", "settings", "members", "deleted"];

fn ask(trick: &Trick, gate: &Gate, backends: &[Backend]) -> Row {
    let alone = backends.iter().map(|backend| backend.ask(trick)).collect();
    let through: Vec<(String, String)> =
        (0..backends.len()).map(|at| gate.ask(at, trick)).collect();
    Row { trick: *trick, alone, through }
}

/// No backend gives a closed page through the gate, and the gate says one thing whatever stands behind it.
fn is_held(row: &Row) -> Trial {
    let row = row.clone();
    Trial::test(row.trick.shown(), move || {
        let got = row.through.iter().find(|(_, word)| CLOSED.contains(&word.as_str()));
        match got {
            Some((reason, word)) => Err(Failed::from(format!("{word} was served: {reason}"))),
            None if row.through.iter().any(|(reason, _)| *reason != row.through[0].0) => {
                Err(format!("the gate disagrees with itself: {:?}", row.through).into())
            }
            None => Ok(()),
        }
    })
}

/// Apps with odd addresses still work (docs/rules.md, rule 4).
fn honest_paths_pass(gate: &Gate, backends: &[Backend]) -> Result<(), String> {
    for path in [
        "/",
        "/caf%C3%A9",
        "/a%2Fb/c",
        "/files/report%20v1.0.txt",
        "/x%FF",
        "/a//b",
        "/index.html",
        "/stra%C3%9Fe",
    ] {
        let trick = Trick::get(path, "");
        for (at, backend) in backends.iter().enumerate() {
            let (reason, word) = gate.ask(at, &trick);
            let alone = backend.ask(&trick);
            if reason != "allowed.token" || word != alone {
                return Err(format!(
                    "{path}: {reason}, {word} instead of {alone} of {}",
                    backend.kind.name
                ));
            }
        }
    }
    Ok(())
}
