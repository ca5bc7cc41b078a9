//! YAML and JSON as Envoy reads them, with the place of every value.
//!
//! Envoy (yaml-cpp) takes the last of two equal keys in silence, reads a plain `yes`, `on` or `n` as a
//! boolean, and keeps fractions as strings. A checker that read YAML in any other way would judge
//! another policy than the one that Envoy loads.

mod hints;
mod indented;
mod json;
mod plain;
mod reader;
mod tabs;

use std::fmt;

use plain::meaning;
use vigile_policy::Tree;

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

impl Place {
    /// Where a file begins.
    pub const START: Self = Self { line: 1, column: 1 };
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A value and where it begins.
#[derive(Clone, Debug)]
pub struct Yaml {
    /// Where it begins.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// What stands in YAML.
#[derive(Clone, Debug)]
pub enum Value {
    /// A word.
    Scalar {
        /// What it says.
        text: String,
        /// How it is written, on which its type hangs.
        style: Style,
    },
    /// A sequence.
    List(Vec<Yaml>),
    /// A mapping, in its order, equal keys included.
    Map(Vec<(Key, Yaml)>),
}

/// How a word is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// In quotes, or as a block: it is a string.
    Quoted,
    /// Plainly: its type is what yaml-cpp guesses.
    Plain,
    /// Plainly in JSON: a number, `true`, `false` or `null`.
    Json,
}

/// A key of a mapping.
#[derive(Clone, Debug)]
pub struct Key {
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub text: String,
}

/// Why a text is neither YAML nor JSON.
#[derive(Clone, Debug)]
pub struct NotYaml {
    /// Where reading stopped.
    pub place: Place,
    /// Why.
    pub problem: String,
}

impl Yaml {
    /// Reads one document, or several objects of Kubernetes as a list of them.
    ///
    /// # Errors
    /// Where the text is not YAML, is deeper or larger than any config, or holds several other documents.
    pub fn parse(text: &str) -> Result<Self, NotYaml> {
        indented::read(text, |text| reader::read(text, Style::Plain))
    }

    /// Reads JSON, as Envoy reads files whose name ends in `.json`.
    ///
    /// # Errors
    /// Where the text is not JSON, or is deeper or larger than any config.
    pub fn parse_json(text: &str) -> Result<Self, NotYaml> {
        json::check(text)?;
        reader::read(&json::without_surrogates(text), Style::Json)
    }

    /// The value under a key; the last one, as Envoy has it.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        self.pair(key).map(|(_, value)| value)
    }

    /// The value at the end of a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Yaml> {
        path.iter().try_fold(self, |yaml, key| yaml.get(key))
    }

    fn pair(&self, key: &str) -> Option<(&Key, &Yaml)> {
        let found = self.entries().iter().rev().find(|(known, _)| known.text == key);
        found.map(|(key, value)| (key, value))
    }

    /// The pairs, where this is a mapping.
    pub fn entries(&self) -> &[(Key, Yaml)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items, where this is a sequence.
    pub fn items(&self) -> &[Yaml] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The word, where this is one.
    pub fn word(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The value as Envoy would put it into a Struct.
    pub fn tree(&self) -> Tree {
        match &self.value {
            Value::Scalar { text, style } => meaning(text, *style),
            Value::List(items) => Tree::List(items.iter().map(Self::tree).collect()),
            Value::Map(entries) => Tree::Map(
                entries.iter().map(|(key, value)| (key.text.clone(), value.tree())).collect(),
            ),
        }
    }

    /// Where the value at a policy's path (`modules[0].name`) stands, or the nearest one around it.
    pub fn place_of(&self, path: &str) -> Place {
        let mut yaml = self;
        let mut place = self.place;
        for step in steps(path) {
            let next = match step {
                Step::Key(key) => yaml.pair(key).map(|(key, value)| (key.place, value)),
                Step::Index(index) => yaml.items().get(index).map(|item| (item.place, item)),
            };
            let Some((found, inner)) = next else { break };
            (place, yaml) = (found, inner);
        }
        place
    }

    /// Puts every value at another place: for what stands in a text of another file.
    #[must_use]
    pub fn moved(self, to: &dyn Fn(Place) -> Place) -> Self {
        let value = match self.value {
            Value::List(items) => {
                Value::List(items.into_iter().map(|item| item.moved(to)).collect())
            }
            Value::Map(entries) => {
                let moved = |(key, value): (Key, Self)| {
                    (Key { place: to(key.place), ..key }, value.moved(to))
                };
                Value::Map(entries.into_iter().map(moved).collect())
            }
            scalar @ Value::Scalar { .. } => scalar,
        };
        Self { place: to(self.place), value }
    }
}

enum Step<'p> {
    Key(&'p str),
    Index(usize),
}

/// `a.b[1].c` in steps. A key with a dot in it ends the walk a little early: the place is then that of
/// the map around it.
fn steps(path: &str) -> impl Iterator<Item = Step<'_>> {
    path.split('.').flat_map(|part| {
        let mut pieces = part.split('[');
        let key = pieces.next().filter(|key| !key.is_empty()).map(Step::Key);
        let indices =
            pieces.filter_map(|piece| piece.strip_suffix(']')?.parse().ok().map(Step::Index));
        key.into_iter().chain(indices.collect::<Vec<_>>())
    })
}

#[cfg(test)]
mod tests {
    use super::{Place, Tree, Yaml};

    #[test]
    fn equal_keys_are_both_there() {
        let tree = Yaml::parse("a: 1\na: 2\n").map(|yaml| yaml.tree());
        assert!(matches!(tree, Ok(Tree::Map(pairs)) if pairs.len() == 2));
    }

    #[test]
    fn every_value_has_its_place() {
        let text = "modules:\n  - name: one\n  - name: two\n    hosts: [a, b]\n";
        let yaml = Yaml::parse(text).unwrap();
        assert_eq!(yaml.place_of("modules[1].hosts[1]"), Place { line: 4, column: 16 });
        assert_eq!(yaml.place_of("modules[1].routes"), Place { line: 3, column: 5 });
        assert_eq!(yaml.place_of(""), Place::START);
    }
}
