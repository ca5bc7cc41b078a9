//! Brackets and quotes over several lines. The YAML standard wants each of their lines further to the right than the key
//! that they belong to (§7.4); Envoy's yaml-cpp does not look (observed on 1.40), and neither may a checker.

use std::collections::BTreeMap;

use super::{NotYaml, Place, Yaml};

/// As far to the right as no key stands.
const FAR: usize = 200;

/// How many bytes are read again for such lines.
const MOST_READ: usize = 16 * 1024 * 1024;

/// Reads a text, whatever the indentation within brackets and quotes is.
pub(super) fn read(
    text: &str,
    read: impl Fn(&str) -> Result<Yaml, NotYaml>,
) -> Result<Yaml, NotYaml> {
    let first = match read(text) {
        Err(stop) if is_about_indentation(&stop) => stop,
        outcome => return outcome,
    };
    let mut moved =
        Moved { lines: text.split('\n').map(str::to_owned).collect(), by: BTreeMap::new() };
    let (mut stop, mut cost) = (first.clone(), 0_usize);
    while cost < MOST_READ && moved.move_for(&stop) {
        let text = moved.lines.join("\n");
        cost = cost.saturating_add(text.len());
        match read(&text) {
            Ok(yaml) => return Ok(yaml.moved(&|place| moved.back(place))),
            Err(next) if is_about_indentation(&next) => stop = next,
            Err(other) => return Err(NotYaml { place: moved.back(other.place), ..other }),
        }
    }
    Err(first)
}

/// The parser says so within brackets and quotes alone: elsewhere a line further to the left ends what it is in.
fn is_about_indentation(stop: &NotYaml) -> bool {
    stop.problem.starts_with("invalid indentation") && !stop.problem.contains("anchor")
}

/// Lines, some of them moved to the right.
struct Moved {
    lines: Vec<String>,
    by: BTreeMap<usize, usize>,
}

impl Moved {
    /// Moves what the parser stopped at: a line, or those of a text in quotes behind its first. Whether there was one.
    fn move_for(&mut self, stop: &NotYaml) -> bool {
        let line = stop.place.line.saturating_sub(1);
        if !stop.problem.contains("quoted scalar") {
            return self.move_line(line);
        }
        let last = self.end_of_quotes(line, stop.place.column.saturating_sub(1));
        let behind = line.saturating_add(1)..=last.unwrap_or(line);
        behind.filter(|line| self.move_line(*line)).count() > 0
    }

    fn move_line(&mut self, line: usize) -> bool {
        let Some(text) = self.lines.get_mut(line).filter(|_| !self.by.contains_key(&line)) else {
            return false;
        };
        text.insert_str(0, &" ".repeat(FAR));
        self.by.insert(line, FAR);
        true
    }

    /// The line on which a text in quotes ends that begins here.
    fn end_of_quotes(&self, line: usize, column: usize) -> Option<usize> {
        let open = self.lines.get(line)?.chars().nth(column)?;
        let mut begin = column.saturating_add(1);
        for (at, text) in self.lines.iter().enumerate().skip(line) {
            let mut letters = text.chars().skip(begin).peekable();
            begin = 0;
            while let Some(letter) = letters.next() {
                // What follows either of these belongs to the text: `\"` in "…", and `''` in '…'.
                let escapes = match open {
                    '"' => letter == '\\',
                    _ => letter == open && letters.peek() == Some(&open),
                };
                match escapes {
                    true => drop(letters.next()),
                    false if letter == open => return Some(at),
                    false => {}
                }
            }
        }
        None
    }

    fn back(&self, place: Place) -> Place {
        let by = self.by.get(&place.line.saturating_sub(1)).copied().unwrap_or(0);
        Place { column: place.column.saturating_sub(by).max(1), ..place }
    }
}

#[cfg(test)]
mod tests {
    use crate::yaml::{Place, Yaml};

    fn read(text: &str) -> Option<String> {
        let tree = Yaml::parse(text).ok()?.tree();
        serde_json::to_string(&tree).ok()
    }

    #[test]
    fn lines_in_brackets_and_quotes_stand_where_they_like() {
        for (text, json) in [
            ("a:\n  b: [x,\nk\n]\n  c: 1\n", r#"{"a":{"b":["x","k"],"c":1.0}}"#),
            ("a:\n  b: {\n  x: 1,\nk: [\n2]}\n", r#"{"a":{"b":{"x":1.0,"k":[2.0]}}}"#),
            ("a:\n  b: \"x\ny \\\" z\n  w\"\n  c: 1\n", r#"{"a":{"b":"x y \" z w","c":1.0}}"#),
            ("a:\n  b: 'x\ny '' z\nw'\n  c: 1\n", r#"{"a":{"b":"x y ' z w","c":1.0}}"#),
            ("a:\n  b: ['x\ny', z,\n'u\nv']\n", r#"{"a":{"b":["x y","z","u v"]}}"#),
        ] {
            assert_eq!(read(text).as_deref(), Some(json), "{text:?}");
        }
    }

    #[test]
    fn places_are_those_of_the_file() {
        let yaml = Yaml::parse("a:\n  b: [x,\ny, z]\n").unwrap();
        assert_eq!(yaml.place_of("a.b[1]"), Place { line: 3, column: 1 });
        assert_eq!(yaml.place_of("a.b[2]"), Place { line: 3, column: 4 });
        let wrong = Yaml::parse("a:\n  b: [x,\ny, }\n").err();
        assert_eq!(wrong.map(|error| error.place), Some(Place { line: 3, column: 4 }));
    }

    #[test]
    fn what_is_wrong_elsewhere_stays_wrong() {
        for text in
            ["a:\n    b: 1\n  c: 2\n", "a: \"x\n---\nb\"\n", "a:\n  b: \"x\ny", "a:\n  b: [x,\ny"]
        {
            assert!(Yaml::parse(text).is_err(), "{text:?}");
        }
        // So many of them that reading them one by one would take a while.
        let many = format!("a:\n  b: [\n{}]\n", "x,\n".repeat(200_000));
        assert!(Yaml::parse(&many).is_err());
    }
}
