//! All that a run found: as JSON, and in docs/performance.md between its two marks.

use std::path::{Path, PathBuf};

use serde::Serialize;
use vigile_tests::policies::project;

use crate::conditions::Conditions;
use crate::latency::Latency;
use crate::measure::Measured;
use crate::memory::{Growth, Workers};
use crate::startup::Startup;
use crate::{plot, tables};

/// What is measured; what was left out is empty.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub conditions: Conditions,
    pub cases: Vec<Measured>,
    pub latency: Vec<Latency>,
    pub startup: Option<Startup>,
    pub workers: Vec<Workers>,
    pub growth: Option<Growth>,
}

const BEGIN: &str = "<!-- ./build.sh bench writes from here -->\n";
const END: &str = "<!-- to here -->\n";

impl Report {
    /// The generated part of docs/performance.md.
    pub fn markdown(&self) -> String {
        tables::all(self)
    }

    /// `target/bench/results.json`: medians and quartiles.
    pub fn write_json(&self) -> Result<PathBuf, String> {
        let file = project().join("target/bench/results.json");
        let json = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        write(&file, &json)?;
        Ok(file)
    }

    /// docs/performance.md, of which the prose stays, and its plot.
    pub fn write_docs(&self) -> Result<(), String> {
        let file = project().join("docs/performance.md");
        let text = std::fs::read_to_string(&file);
        let text = text.map_err(|error| format!("{}: {error}", file.display()))?;
        let text = replaced(&text, &self.markdown())
            .ok_or_else(|| format!("{} lacks its marks: {BEGIN}{END}", file.display()))?;
        write(&file, text.as_bytes())?;
        plot::draw(&project().join("docs/images/performance.svg"), &self.cases)
    }
}

/// A text with something else between the marks.
fn replaced(text: &str, generated: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{generated}\n{END}{after}"))
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), String> {
    let folder = file.parent().expect("a folder");
    let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(file, bytes));
    written.map_err(|error| format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prose_stays() {
        let text = format!("before\n{BEGIN}old\n{END}after\n");
        let new = replaced(&text, "new").unwrap();
        assert_eq!(new, format!("before\n{BEGIN}\nnew\n{END}after\n"));
        assert_eq!(replaced(&new, "new").unwrap(), new);
        assert_eq!(replaced("no marks", "new"), None);
    }
}
