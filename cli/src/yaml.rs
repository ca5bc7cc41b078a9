//! YAML as Envoy reads it, with the place of every value.
//!
//! Envoy (yaml-cpp) takes the last of two equal keys in silence, reads a plain `yes`, `on` or `n` as a
//! boolean, and keeps fractions as strings. A checker that read YAML in any other way would judge
//! another policy than the one that Envoy loads.

use std::collections::BTreeMap;
use std::fmt;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, SpannedEventReceiver};
use vigile_policy::Tree;

/// A line and a column, both from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
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
    /// A word; `plain` where no quotes stand around it.
    Scalar {
        /// The word.
        text: String,
        /// Whether its type is to be guessed.
        plain: bool,
    },
    /// A sequence.
    List(Vec<Yaml>),
    /// A mapping, in its order, equal keys included.
    Map(Vec<(Key, Yaml)>),
}

/// A key of a mapping.
#[derive(Clone, Debug)]
pub struct Key {
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub text: String,
}

/// Why a text is not YAML.
#[derive(Clone, Debug)]
pub struct NotYaml {
    /// Where reading stopped.
    pub place: Place,
    /// Why.
    pub problem: String,
}

/// More nodes than this come of aliases alone.
const MOST_NODES: usize = 1_000_000;

impl Yaml {
    /// Reads one document.
    ///
    /// # Errors
    /// Where the text is not YAML, or holds more than one document.
    pub fn parse(text: &str) -> Result<Self, NotYaml> {
        let mut reader = Reader::default();
        let read = Parser::new_from_str(text).load(&mut reader, true);
        read.map_err(|error| NotYaml {
            place: place(error.marker()),
            problem: error.info().to_owned(),
        })?;
        let nowhere = |problem: &str| NotYaml {
            place: Place { line: 1, column: 1 },
            problem: problem.to_owned(),
        };
        if let Some(problem) = reader.problem {
            return Err(problem);
        }
        match (reader.documents.pop(), reader.documents.is_empty()) {
            (Some(document), true) => Ok(document),
            (None, _) => Err(nowhere("there is nothing in it")),
            (Some(_), false) => Err(nowhere("there is more than one document in it")),
        }
    }

    /// The value under a key; the last one, as Envoy has it.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        self.entries().iter().rev().find(|(known, _)| known.text == key).map(|(_, value)| value)
    }

    /// The value at the end of a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Yaml> {
        path.iter().try_fold(self, |yaml, key| yaml.get(key))
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

    /// Whether it is a plain word that Envoy reads as true.
    pub fn is_true(&self) -> bool {
        self.tree() == Tree::Flag(true)
    }

    /// The value as Envoy would put it into a Struct.
    pub fn tree(&self) -> Tree {
        match &self.value {
            Value::Scalar { text, plain: false } => Tree::Text(text.clone()),
            Value::Scalar { text, plain: true } => plain(text),
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
                Step::Key(key) => yaml
                    .entries()
                    .iter()
                    .rev()
                    .find(|(known, _)| known.text == key)
                    .map(|(key, value)| (key.place, value)),
                Step::Index(index) => yaml.items().get(index).map(|item| (item.place, item)),
            };
            let Some((found, inner)) = next else { break };
            (place, yaml) = (found, inner);
        }
        place
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

/// What Envoy makes of a plain word (ValueUtil::loadFromYaml): null, a boolean, a whole number, or a
/// string; fractions stay strings.
fn plain(text: &str) -> Tree {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Tree::Null,
        _ => match boolean(text) {
            Some(flag) => Tree::Flag(flag),
            None => whole(text).map_or_else(|| Tree::Text(text.to_owned()), Tree::Number),
        },
    }
}

/// yaml-cpp's words for true and false, all lower, all upper, or capitalised.
fn boolean(text: &str) -> Option<bool> {
    let lower = text.to_ascii_lowercase();
    let capital = text.chars().take(1).all(char::is_uppercase)
        && text.chars().skip(1).all(char::is_lowercase);
    if text != lower && text != text.to_ascii_uppercase() && !capital {
        return None;
    }
    match lower.as_str() {
        "y" | "yes" | "true" | "on" => Some(true),
        "n" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss, reason = "a Struct has doubles only")]
fn whole(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits.starts_with('0');
    (!leading_zero).then(|| text.parse::<i64>().ok())?.map(|number| number as f64)
}

/// Builds the tree from the parser's events.
#[derive(Default)]
struct Reader {
    documents: Vec<Yaml>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Yaml>,
    nodes: usize,
    problem: Option<NotYaml>,
}

/// A collection that is not closed yet.
struct Open {
    yaml: Yaml,
    anchor: usize,
    key: Option<Key>,
}

impl<'input> SpannedEventReceiver<'input> for Reader {
    fn on_event(&mut self, event: Event<'input>, span: Span) {
        let place = place(&span.start);
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let plain = style == ScalarStyle::Plain;
                self.add(
                    Yaml { place, value: Value::Scalar { text: text.into_owned(), plain } },
                    anchor,
                );
            }
            Event::SequenceStart(anchor, _) => self.begin(place, Value::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.begin(place, Value::Map(Vec::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { yaml, anchor, .. }) = self.open.pop() {
                    self.add(yaml, anchor);
                }
            }
            Event::Alias(anchor) => match self.anchors.get(&anchor).cloned() {
                Some(yaml) => self.add(yaml, 0),
                None => self.fail(place, "this alias has no anchor"),
            },
            _ => {}
        }
    }
}

impl Reader {
    fn begin(&mut self, place: Place, value: Value, anchor: usize) {
        self.open.push(Open { yaml: Yaml { place, value }, anchor, key: None });
    }

    fn fail(&mut self, place: Place, problem: &str) {
        self.problem.get_or_insert(NotYaml { place, problem: problem.to_owned() });
    }

    fn add(&mut self, yaml: Yaml, anchor: usize) {
        self.nodes = self.nodes.saturating_add(size(&yaml));
        if self.nodes > MOST_NODES {
            return self.fail(yaml.place, "aliases make this too large");
        }
        if anchor != 0 {
            self.anchors.insert(anchor, yaml.clone());
        }
        let Some(open) = self.open.last_mut() else { return self.documents.push(yaml) };
        match (&mut open.yaml.value, open.key.take()) {
            (Value::List(items), _) => items.push(yaml),
            (Value::Map(entries), Some(key)) => entries.push((key, yaml)),
            (Value::Map(_), None) => match yaml.value {
                Value::Scalar { text, .. } => open.key = Some(Key { place: yaml.place, text }),
                _ => self.fail(yaml.place, "a key is a word"),
            },
            (Value::Scalar { .. }, _) => {}
        }
    }
}

/// Only aliases bring more than one node at a time.
fn size(yaml: &Yaml) -> usize {
    match &yaml.value {
        Value::Scalar { .. } => 1,
        Value::List(items) => items.iter().map(size).sum::<usize>().saturating_add(1),
        Value::Map(entries) => {
            entries.iter().map(|(_, value)| size(value)).sum::<usize>().saturating_add(1)
        }
    }
}

fn place(marker: &saphyr_parser::Marker) -> Place {
    Place { line: marker.line(), column: marker.col().saturating_add(1) }
}

#[cfg(test)]
mod tests {
    use super::{Place, Tree, Yaml};

    fn tree(text: &str) -> Tree {
        Yaml::parse(text).map(|yaml| yaml.tree()).unwrap_or(Tree::Null)
    }

    #[test]
    fn plain_words_are_what_envoy_makes_of_them() {
        for (text, is) in [
            ("yes", Tree::Flag(true)),
            ("OFF", Tree::Flag(false)),
            ("oN", Tree::Text("oN".into())),
            ("12", Tree::Number(12.0)),
            ("-1", Tree::Number(-1.0)),
            ("1.5", Tree::Text("1.5".into())),
            ("'12'", Tree::Text("12".into())),
            ("30s", Tree::Text("30s".into())),
            ("~", Tree::Null),
        ] {
            assert_eq!(tree(text), is, "{text}");
        }
    }

    #[test]
    fn equal_keys_are_both_there() {
        let Tree::Map(pairs) = tree("a: 1\na: 2\n") else { return assert!(false, "a map") };
        assert_eq!(pairs.len(), 2);
    }

    #[test]
    fn every_value_has_its_place() {
        let text = "modules:\n  - name: one\n  - name: two\n    hosts: [a, b]\n";
        let Ok(yaml) = Yaml::parse(text) else { return assert!(false, "yaml") };
        assert_eq!(yaml.place_of("modules[1].hosts[1]"), Place { line: 4, column: 16 });
        assert_eq!(yaml.place_of("modules[1].routes"), Place { line: 3, column: 5 });
        assert_eq!(yaml.place_of(""), Place { line: 1, column: 1 });
    }

    #[test]
    fn aliases_do_not_explode() {
        let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x]\n");
        for level in 1..12 {
            let before = format!("*a{}, ", level - 1).repeat(8);
            text.push_str(&format!("a{level}: &a{level} [{}]\n", before.trim_end_matches(", ")));
        }
        assert!(Yaml::parse(&text).is_err());
    }
}
