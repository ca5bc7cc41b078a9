//! The tree that JSON, a protobuf Struct and YAML have in common.

use serde::{Serialize, Serializer};

/// A value of the policy document before anybody has looked at what it says.
///
/// A map is a list of pairs, so that a key written twice can still be reported. Every number is a
/// double, as in a Struct: `10` equals `10.0`.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// `null`, which no policy may hold.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// Any number.
    Number(f64),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Tree>),
    /// An object, in the order in which it was read.
    Map(Vec<(String, Tree)>),
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(pairs) => serializer.collect_map(pairs.iter().map(|(key, tree)| (key, tree))),
        }
    }
}

impl Tree {
    /// The value under `key`, where this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Tree> {
        match self {
            Self::Map(pairs) => pairs.iter().find(|(name, _)| name == key).map(|(_, tree)| tree),
            _ => None,
        }
    }

    /// The pairs of a map in the order of their keys, as a Struct has them.
    pub(super) fn sorted(pairs: &[(String, Tree)]) -> Vec<(&str, &Tree)> {
        let mut sorted: Vec<(&str, &Tree)> =
            pairs.iter().map(|(key, tree)| (key.as_str(), tree)).collect();
        sorted.sort_by_key(|(key, _)| *key);
        sorted
    }

    /// The string, where this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as JSON, for libraries that read JSON.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What it is, as a message to a person says it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Flag(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}
