//! docs/systems.md: a table for each of the customer's documents, and a proof that exists, in a real
//! Envoy, for every row that is Vigile's or Envoy's.

mod systems {
    pub(crate) mod proof;
    pub(crate) mod table;
}

use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use systems::proof::Known;
use systems::table::{self, Row, Tables};
use vigile_tests::policies::project;

const DOCUMENTS: [&str; 5] = [
    "000_c7cfb956090c32fd.txt",
    "001_d9637b39f961e8b1.txt",
    "002_17c4e40779f78fc3.txt",
    "003_2fa7766864bfebd3.txt",
    "004_9c0a55eb9d061ae7.txt",
];

fn main() {
    let arguments = Arguments::from_args();
    let text = std::fs::read_to_string(project().join("docs/systems.md")).unwrap();
    let known = Arc::new(Known::read());
    let tables = Arc::new(table::read(&text));
    let mut trials = vec![
        with(&tables, &known, "every row can be read", |tables, _| none(&tables.faults)),
        with(&tables, &known, "each document has a table, and nothing else", |tables, _| {
            let found: Vec<&str> = tables.rows.keys().map(String::as_str).collect();
            none(&if found == DOCUMENTS { vec![] } else { vec![format!("tables of {found:?}")] })
        }),
        with(&tables, &known, "a row that is wrong is seen", |_, known| wrong_rows_are_seen(known)),
        Trial::test("links lead somewhere", move || links(&text)),
    ];
    for document in DOCUMENTS {
        trials.push(with(&tables, &known, document, |tables, known| {
            none(&faults(tables.rows.get(document).map(Vec::as_slice).unwrap_or_default(), known))
        }));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn with(
    tables: &Arc<Tables>,
    known: &Arc<Known>,
    name: &str,
    run: impl FnOnce(&Tables, &Known) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let (tables, known) = (tables.clone(), known.clone());
    Trial::test(name, move || run(&tables, &known))
}

fn none(faults: &[String]) -> Result<(), Failed> {
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

/// What is wrong with the rows of a table.
fn faults(rows: &[Row], known: &Known) -> Vec<String> {
    let mut faults = Vec::new();
    for row in rows {
        if row.is_ours() && row.proofs.is_empty() {
            faults.push(format!("line {}: {} without a proof", row.line, row.by.join(", ")));
        }
        let missing = row.proofs.iter().filter_map(|proof| known.find(proof).err());
        faults.extend(missing.map(|fault| format!("line {}: {fault}", row.line)));
    }
    faults
}

fn links(text: &str) -> Result<(), Failed> {
    let folder = project().join("docs");
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.starts_with("https://"));
    let missing = files.filter(|file| !folder.join(file.split('#').next().unwrap()).exists());
    none(&missing.map(|file| format!("no {file}")).collect::<Vec<_>>())
}

/// Rows as they must not be, and what must be said of each.
fn wrong_rows_are_seen(known: &Known) -> Result<(), Failed> {
    const GOOD: &str = "| 1–2 Tests | a token | Vigile | `routes` | `corpus:token/good` |";
    let told = |rows: &str| {
        let head = "| lines | what it asks | by | how | proof |\n|---|---|---|---|---|";
        let read = table::read(&format!("## {}: a system\n\n{head}\n{rows}\n", DOCUMENTS[0]));
        let rows = read.rows.values().flatten().map(|row| faults(std::slice::from_ref(row), known));
        read.faults.iter().cloned().chain(rows.flatten()).collect::<Vec<_>>().join("\n")
    };
    let mut unseen = Vec::new();
    if !told(GOOD).is_empty() {
        unseen.push(format!("{GOOD}: {}", told(GOOD)));
    }
    for (wrong, fault) in [
        ("| 1 Tests | a token | Vigile | `routes` | |", "without a proof"),
        ("| 1 Tests | a token | app, Envoy | `routes` | |", "without a proof"),
        ("| 1 Tests | a token | Vigile | `routes` |", "4 cells"),
        ("| 1 Tests | a token | Vigile | `routes` | `corpus:token/good`", "ends with a bar"),
        ("| 1 Tests | a token | nobody | `routes` | `corpus:token/good` |", "is none of"),
        (
            "| Tests | a token | Vigile | `routes` | `corpus:token/good` |",
            "not lines and a heading",
        ),
        ("| 2–1 Tests | a token | Vigile | `routes` | `corpus:token/good` |", "not lines"),
        ("| 1 Tests | | Vigile | `routes` | `corpus:token/good` |", "nothing under"),
        ("| 1 Tests | a token | Vigile | | `corpus:token/good` |", "nothing under"),
        ("| 1 Tests | a token | Vigile | `routes` | corpus:token/good |", "no proof in code"),
        (
            "| 1 Tests | a token | Vigile | `routes` | `corpus:token/good` `corpus:token/none` |",
            "no tests/corpus",
        ),
        ("| 1 Tests | a token | Vigile | `routes` | `corpus:token/none-such` |", "no tests/corpus"),
        (
            "| 1 Tests | a token | Vigile | `routes` | `corpus:routes/method-in-lower-case` |",
            "not run in Envoy",
        ),
        ("| 1 Tests | a token | app | `routes` | `corpus:token/none-such` |", "no tests/corpus"),
        ("| 1 Tests | a token | Vigile | `routes` | `token/good` |", "is neither"),
        ("| 1 Tests | a token | Vigile | `routes` | `test:none/such` |", "no suite"),
        ("| 1 Tests | a token | Vigile | `routes` | `test:core/token/good` |", "runs no Envoy"),
        ("| 1 Tests | a token | Vigile | `routes` | `test:ocr/levels/5` |", "no trial"),
        // A string of the suite that names no trial; a bad policy that no Envoy is given.
        ("| 1 Tests | a token | Vigile | `routes` | `test:ocr/retry-after` |", "no trial"),
        ("| 1 Tests | a token | Vigile | `routes` | `test:policies/log/mask-empty` |", "no trial"),
        ("", "no row"),
    ] {
        let said = told(wrong);
        if !said.contains(fault) {
            unseen.push(format!("{wrong:?}: {fault:?} was not said, but {said:?}"));
        }
    }
    none(&unseen)
}
