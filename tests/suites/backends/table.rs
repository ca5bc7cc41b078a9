//! The table of docs/backends.md, made by the run.

use std::fmt::Write as _;

use vigile_tests::policies::project;

use crate::app;
use crate::trick::Trick;

/// A request, what each backend makes of it alone, and what comes of it through the gate: Vigile's reason, and the word.
#[derive(Clone)]
pub(crate) struct Row {
    pub(crate) trick: Trick,
    pub(crate) alone: Vec<String>,
    pub(crate) through: Vec<(String, String)>,
}

const BEGIN: &str = "<!-- The suite tests/suites/backends.rs makes what follows: VIGILE_WRITE_DOCS=1 writes it anew. -->\n";
const END: &str = "<!-- Here ends what the suite makes. -->\n";

/// Compares the document with this run, or writes it.
pub(crate) fn is_written(rows: &[Row]) -> Result<(), String> {
    let file = project().join("docs/backends.md");
    let document = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let parts =
        document.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
    let Some((before, (known, after))) = parts else {
        return Err("docs/backends.md has lost its marks".to_owned());
    };
    let made = made(rows);
    if std::env::var_os("VIGILE_WRITE_DOCS").is_some() {
        std::fs::write(&file, format!("{before}{BEGIN}{made}{END}{after}"))
            .map_err(|error| error.to_string())?;
        return Ok(());
    }
    let line = known.lines().zip(made.lines()).find(|(known, made)| known != made);
    match (line, known == made) {
        (_, true) => Ok(()),
        (line, false) => Err(format!("docs/backends.md is not this run's table: {line:?}")),
    }
}

fn made(rows: &[Row]) -> String {
    let names: Vec<&str> = app::ALL.iter().map(|kind| kind.name).collect();
    let mut table = format!("| request | {} | Vigile | seen by |\n", names.join(" | "));
    let _ = writeln!(table, "|---|{}---|---|", "---|".repeat(names.len()));
    for Row { trick, alone, through } in rows {
        let request = trick.shown().replace('|', "\\|");
        let (reason, _) = &through[0];
        let _ = writeln!(
            table,
            "| `{request}` | {} | `{reason}` | {} |",
            alone.join(" | "),
            trick.seen_by
        );
    }
    table
}
