//! `${NAME}` in a config becomes what an environment says: Envoy itself expands nothing.
//!
//! Only names, addresses, ports and paths are filled in. Secrets are not: a config names them
//! (`{ env: NAME }`) and Envoy hands them over when it runs, so that no file holds one.

use std::collections::BTreeMap;
use std::fmt;

/// A place that could not be filled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfilled {
    /// The line, from 1.
    pub line: usize,
    /// What stands between the braces.
    pub name: String,
    /// The brace behind it is missing.
    pub is_open: bool,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl fmt::Display for Unfilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {} {}", self.line, self.shown(), self.problem)
    }
}

/// The text with every `${NAME}` replaced.
///
/// # Errors
/// Every place that has no value, or one that could change the YAML around it, or that is not closed. Values are
/// not repeated.
pub fn render(text: &str, values: &BTreeMap<String, String>) -> Result<String, Vec<Unfilled>> {
    let (mut out, mut wrong) = (String::with_capacity(text.len()), Vec::new());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Place { line, name } => match value(name, values) {
                Ok(value) => out.push_str(value),
                Err(problem) => wrong.push(Unfilled::of(line, name, problem)),
            },
            Piece::Open { line, name } => {
                let open = Unfilled::of(line, name, "has no } on its line: write ${NAME}");
                wrong.push(Unfilled { is_open: true, ..open });
            }
        }
    }
    if wrong.is_empty() { Ok(out) } else { Err(wrong) }
}

/// What stands between the braces of every `${NAME}`, each with its line, from 1.
pub fn places(text: &str) -> impl Iterator<Item = (usize, &str)> {
    pieces(text).into_iter().filter_map(|piece| match piece {
        Piece::Place { line, name } => Some((line, name)),
        Piece::Text(_) | Piece::Open { .. } => None,
    })
}

enum Piece<'t> {
    Text(&'t str),
    Place {
        line: usize,
        name: &'t str,
    },
    /// A place that its line does not close.
    Open {
        line: usize,
        name: &'t str,
    },
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    for (at, text) in text.split_inclusive('\n').enumerate() {
        let (mut rest, line) = (text, at.saturating_add(1));
        while let Some((before, after)) = rest.split_once("${") {
            pieces.push(Piece::Text(before));
            match after.split_once('}') {
                Some((name, after)) => {
                    pieces.push(Piece::Place { line, name });
                    rest = after;
                }
                None => {
                    pieces.push(Piece::Open { line, name: begun(after) });
                    rest = "";
                }
            }
        }
        pieces.push(Piece::Text(rest));
    }
    pieces
}

/// The name that an open place begins with.
fn begun(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

impl Unfilled {
    /// A place with a name, and what is wrong with it.
    pub fn of(line: usize, name: &str, problem: &'static str) -> Self {
        Self { line, name: name.to_owned(), is_open: false, problem }
    }

    /// The place as it stands.
    pub fn shown(&self) -> String {
        let end = if self.is_open { "" } else { "}" };
        format!("${{{}{end}", self.name)
    }
}

/// The name of a place, whatever a shell would read behind it: `N` of `${N:-x}`.
pub fn named(place: &str) -> Option<&str> {
    let (name, _) = place.split_once(BEHIND).unwrap_or((place, ""));
    is_name(name).then_some(name)
}

/// Characters behind a name by which a shell expands more than the name (POSIX §2.6.2, and Bash).
const BEHIND: [char; 8] = ['-', '=', '?', '+', ':', '#', '%', '/'];

/// Whether this is a name that a place may have.
fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

fn value<'v>(name: &str, values: &'v BTreeMap<String, String>) -> Result<&'v str, &'static str> {
    if !is_name(name) {
        return Err(match named(name) {
            Some(_) => {
                "says more than a name, and no shell reads it: write ${NAME}, and the value into the env file"
            }
            None => "is no name: capitals, digits and _",
        });
    }
    match values.get(name).map(String::as_str) {
        None => Err("is not set"),
        Some("") => Err("is empty"),
        Some(value) if value.bytes().all(is_plain) => Ok(value),
        Some(_) => Err(
            "holds more than letters, digits and -._~:/+, which could change the YAML around it",
        ),
    }
}

/// What means itself in YAML, within quotes and without.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/+".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::render;

    fn rendered(text: &str, values: &[(&str, &str)]) -> Result<String, Vec<String>> {
        let values = values.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        render(text, &values).map_err(|wrong| wrong.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn places_are_filled_and_nothing_else_changes() {
        let text =
            "# ${HOST}\na: \"${HOST}\"\nb: { port: ${PORT_1}, regex: \"^a$\" }\nc: %REQ(X)%\n";
        let filled = "# x.org\na: \"x.org\"\nb: { port: 8443, regex: \"^a$\" }\nc: %REQ(X)%\n";
        let values = [("HOST", "x.org"), ("PORT_1", "8443"), ("OTHER", "\n")];
        assert_eq!(rendered(text, &values).as_deref(), Ok(filled));
        assert_eq!(rendered("", &[]).as_deref(), Ok(""));
    }

    #[test]
    fn everything_that_is_missing_is_told_at_once() {
        let text = "a: ${A}\nb: ${B}${A}\nc: ${c}\nd: ${D}\ne: ${A\nf: ${A:-x}\ng: ${A, ${A}";
        let wrong = rendered(text, &[("B", ""), ("D", "x: y")]).unwrap_err();
        assert_eq!(
            wrong,
            [
                "line 1: ${A} is not set",
                "line 2: ${B} is empty",
                "line 2: ${A} is not set",
                "line 3: ${c} is no name: capitals, digits and _",
                "line 4: ${D} holds more than letters, digits and -._~:/+, which could change the YAML around it",
                "line 5: ${A has no } on its line: write ${NAME}",
                "line 6: ${A:-x} says more than a name, and no shell reads it: write ${NAME}, and the value into the env file",
                "line 7: ${A, ${A} is no name: capitals, digits and _",
            ]
        );
    }
}
