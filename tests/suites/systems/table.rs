//! docs/systems.md as data: a section per document, a table in it, a row per demand.

use std::collections::BTreeMap;

/// The first row of every table.
pub(crate) const HEAD: [&str; 5] = ["lines", "what it asks", "by", "how", "proof"];

const BY: [&str; 4] = ["Vigile", "Envoy", "app", "platform"];

/// A row, as far as it can be read.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its line in docs/systems.md.
    pub line: usize,
    pub by: Vec<String>,
    pub proofs: Vec<String>,
}

impl Row {
    /// Whether something that this project ships does it.
    pub(crate) fn is_ours(&self) -> bool {
        self.by.iter().any(|by| by == "Vigile" || by == "Envoy")
    }
}

/// What stands under the headings that name a document, and every row that cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub rows: BTreeMap<String, Vec<Row>>,
    pub faults: Vec<String>,
}

/// A heading of the second level that begins with a document's name opens its section; another one ends
/// it. Whatever begins with a bar in there is part of its one table.
pub(crate) fn read(text: &str) -> Tables {
    let mut tables = Tables::default();
    let mut document: Option<String> = None;
    let mut at = 0;
    for (line, text) in text.lines().enumerate().map(|(line, text)| (line + 1, text.trim())) {
        if let Some(heading) = text.strip_prefix("## ") {
            document = heading
                .split([':', ' '])
                .next()
                .filter(|name| name.ends_with(".txt"))
                .map(str::to_owned);
            if let Some(name) = &document
                && tables.rows.insert(name.clone(), Vec::new()).is_some()
            {
                tables.faults.push(format!("line {line}: a second section of {name}"));
            }
            at = 0;
        }
        let Some(name) = document.as_ref().filter(|_| text.starts_with('|')) else { continue };
        at += 1;
        let read = match at {
            1 => head(text).map(|()| None),
            2 if text == "|---|---|---|---|---|" => Ok(None),
            2 => Err("a line of dashes belongs here".to_owned()),
            _ => row(line, text).map(Some),
        };
        match read {
            Ok(row) => tables.rows.entry(name.clone()).or_default().extend(row),
            Err(fault) => tables.faults.push(format!("line {line}: {fault}")),
        }
    }
    let ordered = tables.rows.iter().filter(|(_, rows)| rows.is_empty());
    let empty = ordered.map(|(name, _)| format!("{name}: no row"));
    tables.faults.extend(empty.collect::<Vec<_>>());
    tables
}

fn head(text: &str) -> Result<(), String> {
    match cells(text)? == HEAD {
        true => Ok(()),
        false => Err(format!("a table begins with {HEAD:?}")),
    }
}

/// What stands between the bars; one behind a backslash belongs to its cell.
fn cells(text: &str) -> Result<[&str; 5], String> {
    let inner = text.strip_prefix('|').and_then(|text| text.strip_suffix('|'));
    let inner = inner.filter(|inner| !inner.ends_with('\\')).ok_or("a row ends with a bar")?;
    let bars = inner.match_indices('|').map(|(at, _)| at);
    let ends = bars.filter(|at| !inner[..*at].ends_with('\\')).chain([inner.len()]);
    let mut from = 0;
    let cells: Vec<&str> = ends
        .map(|end| {
            let cell = inner[from..end].trim();
            from = end + 1;
            cell
        })
        .collect();
    let count = cells.len();
    cells.try_into().map_err(|_| format!("{count} cells, not {}", HEAD.len()))
}

fn row(line: usize, text: &str) -> Result<Row, String> {
    let [lines, asks, by, how, proof] = cells(text)?;
    are_lines(lines)?;
    for (cell, name) in [(asks, HEAD[1]), (how, HEAD[3])] {
        if cell.chars().count() < 3 {
            return Err(format!("nothing under {name:?}"));
        }
    }
    let by: Vec<String> = by.split(", ").map(str::to_owned).collect();
    if let Some(stranger) = by.iter().find(|by| !BY.contains(&by.as_str())) {
        return Err(format!("{stranger:?} is none of {BY:?}"));
    }
    Ok(Row { line, by, proofs: proofs(proof)? })
}

/// `101` or `101–104` of the document, and the heading that they stand under.
fn are_lines(cell: &str) -> Result<(), String> {
    let fault = || format!("{cell:?} is not lines and a heading, as in \"101–104 Headers\"");
    let (numbers, heading) = cell.split_once(' ').ok_or_else(fault)?;
    let numbers: Result<Vec<usize>, _> = numbers.split('–').map(str::parse).collect();
    match numbers.map_err(|_| fault())?.as_slice() {
        [_] if !heading.is_empty() => Ok(()),
        [first, last] if first < last && !heading.is_empty() => Ok(()),
        _ => Err(fault()),
    }
}

fn proofs(cell: &str) -> Result<Vec<String>, String> {
    if cell.is_empty() {
        return Ok(Vec::new());
    }
    let proof = |text: &str| {
        let inner = text.strip_prefix('`').and_then(|text| text.strip_suffix('`'));
        inner
            .map(str::to_owned)
            .ok_or_else(|| format!("{text:?} is no proof in code, or no comma stands before it"))
    };
    cell.split(", ").map(proof).collect()
}
