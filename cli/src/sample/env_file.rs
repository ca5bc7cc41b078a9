//! An env file: `NAME=value` in each line, as shells, Docker and systemd read them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it; nothing of what stands there, which may be a secret.
    pub problem: String,
}

impl fmt::Display for Unread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

/// The variables of an env file, and every line that is none. A name that stands twice is a mistake too:
/// tools differ in which of them counts.
pub fn variables(text: &str) -> (BTreeMap<String, String>, Vec<Unread>) {
    let read = Cell::new(0);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let reader = Lines { lines: text.split_inclusive('\n'), rest: &[], read: &read };
    let (mut variables, mut wrong) = (BTreeMap::new(), Vec::new());
    for entry in dotenvy::from_read_iter(reader) {
        let problem = match entry {
            Ok((name, value)) if !variables.contains_key(&name) => {
                variables.insert(name, value);
                continue;
            }
            Ok((name, _)) => format!("{name} stands here again"),
            // A quote that is never closed goes on to the last line: where it began is of use.
            Err(dotenvy::Error::LineParse(lines, _)) => {
                let more = lines.trim_end().lines().count().saturating_sub(1);
                read.set(read.get().saturating_sub(more));
                "this is no NAME=value; a value with other characters stands in single quotes"
                    .to_owned()
            }
            Err(_) => "this cannot be read".to_owned(),
        };
        wrong.push(Unread { line: read.get(), problem });
    }
    (variables, wrong)
}

/// Hands over one line at a time and counts them, since dotenvy tells of no lines.
struct Lines<'t, I> {
    lines: I,
    rest: &'t [u8],
    read: &'t Cell<usize>,
}

impl<'t, I: Iterator<Item = &'t str>> Read for Lines<'t, I> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = self.lines.next().unwrap_or_default().as_bytes();
            self.read.set(self.read.get().saturating_add(usize::from(!self.rest.is_empty())));
        }
        self.rest.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::variables;

    fn wrong(text: &str) -> Vec<String> {
        variables(text).1.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn names_values_comments_and_quotes() {
        let text = "\u{feff}# a comment\n\nHOST=sd.example.org # and another\nexport PORT=\"8443\"\n\
                    EMPTY=\nQUOTED='a b $c'\r\n";
        let found =
            [("HOST", "sd.example.org"), ("PORT", "8443"), ("EMPTY", ""), ("QUOTED", "a b $c")];
        let found = found.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(variables(text), (found.into(), Vec::new()));
    }

    #[test]
    fn every_mistake_has_its_line_and_shows_nothing() {
        let text = "A=1\n# comment\nhunter2 hunter3\n\nB=2\nA=hunter4\n=x\nC='hunter5\nD=1\n";
        let said = wrong(text);
        let lines: Vec<&str> = said.iter().filter_map(|one| one.split(':').next()).collect();
        assert_eq!(lines, ["line 3", "line 6", "line 7", "line 8"], "{said:?}");
        assert!(said.iter().all(|one| !one.contains("hunter")), "{said:?}");
        let read: Vec<String> = variables(text).0.into_values().collect();
        assert_eq!(read, ["1", "2"], "what could be read counts");
    }

    #[test]
    fn a_line_longer_than_any_buffer_is_one_line() {
        let said = wrong(&format!("A={}\nB b\n", "x".repeat(50_000)));
        assert!(said.len() == 1 && said[0].starts_with("line 2:"), "{said:?}");
    }
}
