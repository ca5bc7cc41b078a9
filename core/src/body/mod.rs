//! What a JSON body must be: fields by their paths, each with a type and bounds.

mod check;
mod mistake;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use regex_lite::Regex;

pub(crate) use check::mistakes;
pub(crate) use mistake::Mistake;

/// What is asked of a value and of what is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    rule: Option<Field>,
    members: BTreeMap<String, Fields>,
    /// The members' names without letter case: a body may hold a hundred thousand others.
    folded: BTreeSet<String>,
    items: Option<Box<Fields>>,
}

/// What is asked of one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its type.
    pub kind: Kind,
    /// It may be absent, or null.
    pub optional: bool,
    /// Of a string in characters, of an array in items.
    pub min_length: Option<u32>,
    /// The same, at most.
    pub max_length: Option<u32>,
    /// Of a number.
    pub min: Option<i64>,
    /// Of a number.
    pub max: Option<i64>,
    /// What a string has somewhere in it.
    pub pattern: Option<Pattern>,
    /// What a string holds nowhere, [`folded`].
    pub forbid: Vec<String>,
}

/// The types of JSON, and whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "they are JSON's")]
pub enum Kind {
    String,
    Integer,
    Number,
    Boolean,
    Object,
    Array,
}

/// A regular expression; matched in time linear in the text.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Kind {
    /// Each by its word.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("string", Self::String),
        ("integer", Self::Integer),
        ("number", Self::Number),
        ("boolean", Self::Boolean),
        ("object", Self::Object),
        ("array", Self::Array),
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::WORDS.iter().find(|(_, kind)| kind == self);
        f.write_str(word.map_or("", |(word, _)| word))
    }
}

impl From<Regex> for Pattern {
    fn from(regex: Regex) -> Self {
        Self(regex)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

impl Fields {
    /// Adds a field by its path: `message`, `options.steps`, `messages[].content`. A parent is added before
    /// what is in it.
    pub fn insert(&mut self, path: &str, field: Field) -> Result<(), String> {
        let mut place = &mut *self;
        let mut rest = path;
        while !rest.is_empty() {
            let (step, next) = step(rest).ok_or_else(|| {
                "a field is written message, options.steps or messages[].content".to_owned()
            })?;
            rest = next;
            place = match step {
                Step::Items => place.items.get_or_insert_default(),
                Step::Member(name) => {
                    place.folded.insert(folded(name));
                    place.members.entry(name.to_owned()).or_default()
                }
            };
        }
        place.rule = Some(field);
        self.contradiction("body").map_or(Ok(()), Err)
    }

    /// What cannot be one value: an object and an array, a string with members.
    fn contradiction(&self, name: &str) -> Option<String> {
        let kind = self.rule.as_ref().map(|rule| rule.kind);
        let (object, array) = (!self.members.is_empty(), self.items.is_some());
        let fits = match kind {
            None => !(object && array),
            Some(Kind::Object) => !array,
            Some(Kind::Array) => !object,
            Some(_) => !object && !array,
        };
        if !fits {
            return Some(format!(
                "{name} is of one type, and other fields say that it has more in it"
            ));
        }
        let mut below = self.members.iter().map(|(name, fields)| (name.as_str(), fields));
        below
            .find_map(|(name, fields)| fields.contradiction(name))
            .or_else(|| self.items.as_ref()?.contradiction(name))
    }

    /// Whether a value must be there.
    fn is_required(&self) -> bool {
        match &self.rule {
            Some(rule) => !rule.optional,
            None => self.items.is_some() || self.members.values().any(Self::is_required),
        }
    }

    /// Whether a request without a body is enough.
    pub(crate) fn asks_for_nothing(&self) -> bool {
        !self.is_required()
    }
}

/// A text without letter case, one character after the other: `ſ` is `s`, and `Σ` is `σ` wherever it stands
/// (`str::to_lowercase` makes it `ς` at the end of a word).
pub fn folded(text: &str) -> String {
    text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

enum Step<'p> {
    Member(&'p str),
    Items,
}

/// The first step of a path, and what is left behind its dot.
fn step(path: &str) -> Option<(Step<'_>, &str)> {
    let (step, rest) = match path.strip_prefix("[]") {
        Some(rest) => (Step::Items, rest),
        None => {
            let end = path.find(['.', '[', ']']).unwrap_or(path.len());
            let (name, rest) = path.split_at_checked(end)?;
            (!name.is_empty()).then_some((Step::Member(name), rest))?
        }
    };
    match rest.strip_prefix('.') {
        Some(rest) if !rest.is_empty() && !rest.starts_with('[') => Some((step, rest)),
        None if rest.is_empty() || rest.starts_with('[') => Some((step, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, Fields, Kind};

    fn field(kind: Kind) -> Field {
        Field {
            kind,
            optional: false,
            min_length: None,
            max_length: None,
            min: None,
            max: None,
            pattern: None,
            forbid: Vec::new(),
        }
    }

    fn inserted(paths: &[(&str, Kind)]) -> Result<(), String> {
        let mut fields = Fields::default();
        paths.iter().try_for_each(|(path, kind)| fields.insert(path, field(*kind)))
    }

    #[test]
    fn paths_are_names_dots_and_brackets() {
        for good in ["a", "a-b", "é", "a.b", "a[]", "a[].b", "[]", "[].a", "a[][]", "a b"] {
            assert_eq!(inserted(&[(good, Kind::String)]), Ok(()), "{good}");
        }
        for bad in [".", ".a", "a.", "a..b", "a[", "a]", "a[0]", "a.[]", "[]a", "[a]"] {
            assert!(inserted(&[(bad, Kind::String)]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_value_has_one_type() {
        assert_eq!(inserted(&[("a", Kind::Object), ("a.b", Kind::String)]), Ok(()));
        assert_eq!(inserted(&[("a", Kind::Array), ("a[].b", Kind::String)]), Ok(()));
        for bad in [
            [("a", Kind::String), ("a.b", Kind::String)],
            [("a", Kind::Object), ("a[]", Kind::String)],
            [("a.b", Kind::String), ("a[]", Kind::String)],
            [("a", Kind::String), ("[]", Kind::String)],
        ] {
            assert!(inserted(&bad).is_err(), "{bad:?}");
        }
    }
}
