//! Where policies stand: a bare one, or every one inside a whole Envoy config.

use vigile_policy::Tree;

use crate::yaml::{Place, Value, Yaml};

/// A policy and where it was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The policy, with its places in the file; of a JSON string the place of the string.
    pub yaml: Yaml,
    /// Where it begins.
    pub place: Place,
    /// The way to it through the Envoy config; empty for a bare policy.
    pub path: String,
    /// Whether it stands in a string (`StringValue`): its inner places are then unknown.
    pub in_string: bool,
}

/// Every policy of a file: maps with the key `vigile`, also inside JSON strings that have it.
pub fn policies(yaml: &Yaml) -> Vec<Found> {
    let mut found = Vec::new();
    search(yaml, String::new(), &mut found);
    found
}

fn search(yaml: &Yaml, path: String, found: &mut Vec<Found>) {
    match &yaml.value {
        Value::Map(_) if yaml.get("vigile").is_some() => {
            found.push(Found { yaml: yaml.clone(), place: yaml.place, path, in_string: false });
        }
        Value::Map(entries) => {
            for (key, value) in entries {
                let inner =
                    if path.is_empty() { key.text.clone() } else { format!("{path}.{}", key.text) };
                search(value, inner, found);
            }
        }
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                search(item, format!("{path}[{index}]"), found);
            }
        }
        Value::Scalar { text, .. } => {
            if text.trim_start().starts_with('{')
                && text.contains("\"vigile\"")
                && let Ok(inner) = Yaml::parse(text)
                && inner.get("vigile").is_some()
            {
                found.push(Found { yaml: inner, place: yaml.place, path, in_string: true });
            }
        }
    }
}

impl Found {
    /// The policy as Envoy would hand it over.
    pub fn tree(&self) -> Tree {
        self.yaml.tree()
    }

    /// Where a mistake with this path stands in the file.
    pub fn place_of(&self, path: &str) -> Place {
        if self.in_string { self.place } else { self.yaml.place_of(path) }
    }
}
