//! Tabs, as Envoy's yaml-cpp takes them (observed on 1.40).

use std::borrow::Cow;

use super::{NotYaml, Place};

/// The parser's message for a tab alone between a colon and a word. The YAML standard takes it (§6.2), and so does
/// Envoy.
pub(super) const ALONE: &str = "':' must be followed by a valid YAML whitespace";

/// Bytes that are read again for tabs, at most: in a file of a hundred kilobytes a hundred and sixty tabs.
const MOST_READ: usize = 16 * 1024 * 1024;

/// Columns that a block is indented by, at most: what stands further to the right is looked at no more.
const DEEPEST: usize = 1000;

/// The place where reading stopped, and the parser's own message.
pub(super) struct Stop {
    pub(super) wrong: NotYaml,
    pub(super) info: String,
    pub(super) index: usize,
}

impl From<NotYaml> for Stop {
    fn from(wrong: NotYaml) -> Self {
        Self { wrong, info: String::new(), index: 0 }
    }
}

/// A text with spaces in place of the tabs at which reading stopped.
pub(super) struct Spaced<'t> {
    text: Cow<'t, str>,
    read: usize,
}

impl<'t> Spaced<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text: text.into(), read: 0 }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Puts a space in place of the tab at which reading stopped; not for ever, since all is read again.
    pub(super) fn mends(&mut self, stop: &Stop) -> bool {
        let can = stop.info == ALONE && self.read < MOST_READ;
        if can {
            self.read = self.read.saturating_add(self.text.len());
            let at = stop.index.saturating_sub(1);
            let spaced = |(i, c)| if i == at && c == '\t' { ' ' } else { c };
            self.text = self.text.chars().enumerate().map(spaced).collect::<String>().into();
        }
        can
    }
}

/// Tells that a block mapping begins behind a tab (`-\tname: a`), which Envoy refuses.
pub(super) fn is_behind_a_tab(lines: &[&str], place: Place) -> bool {
    let column = place.column.saturating_sub(1);
    let Some(line) = place.line.checked_sub(1).and_then(|at| lines.get(at)) else { return false };
    if column > DEEPEST || line.chars().nth(column) == Some('{') {
        return false;
    }
    let before = || line.chars().take(column);
    before().all(|c| " \t-:?".contains(c)) && before().any(|c| c == '\t')
}

#[cfg(test)]
mod tests {
    use crate::yaml::{Place, Yaml};

    fn problem(text: &str) -> String {
        Yaml::parse(text).err().map(|error| error.problem).unwrap_or_default()
    }

    #[test]
    fn tabs_are_what_envoy_makes_of_them() {
        let word = |text: &str| {
            Yaml::parse(text).ok().and_then(|yaml| yaml.get("a")?.word().map(str::to_owned))
        };
        for text in
            ["a:\tb", "a:\t\tb", "a: \tb", "x:\t1\ny:\t-2\na:\tb # c\n", "x: {y:\tz}\na:\tb"]
        {
            assert_eq!(word(text).as_deref(), Some("b"), "{text:?}");
        }
        // What stands in quotes or in a block is a text, whatever it looks like.
        assert_eq!(word("b:\tc\na: \"x:\ty\"").as_deref(), Some("x:\ty"));
        assert_eq!(word("b:\tc\na: |\n  x:\ty\n").as_deref(), Some("x:\ty\n"));
        let places = Yaml::parse("a:\tb\nc:\td").map(|yaml| yaml.place_of("c"));
        assert!(matches!(places, Ok(Place { line: 2, column: 1 })));
        for text in ["a:\tb: c", "-\ta: b", "-\t- a", "a:\n\tb: c", "- \ta: b\n"] {
            assert!(!problem(text).is_empty(), "{text:?}");
        }
        for text in ["-\t{a: b}", "a:\t{b: c}", "[\ta]", "-\ta", "a:\t\n  b: c"] {
            assert_eq!(problem(text), "", "{text:?}");
        }
        // So many of them that reading them one by one would take a while.
        let many = "a:\tb\n".repeat(200_000);
        assert!(problem(&many).contains("write a space"));
    }
}
