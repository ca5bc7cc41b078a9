//! Configs inside a text: Envoy's YAML in a ConfigMap, the bootstrap of an `EnvoyProxy`, `configs` of a
//! Compose file. Each is a file of its own to whoever reads it, and so it is to `check`.

use super::{Format, read};
use crate::config::Node;
use crate::find;
use crate::yaml::{NotYaml, Place, Yaml};

/// Every config with a policy that stands in a text of this document, at its places there; or why it
/// cannot be read.
pub(super) fn embedded(source: &str, document: &Yaml) -> Vec<Result<Yaml, NotYaml>> {
    let lines: Vec<&str> = source.lines().collect();
    let mut found = Vec::new();
    Node::root(document).walk(&mut |node| {
        if let Some(text) = node.text().filter(|text| may_hold_one(text)) {
            let places = Places::of(node.yaml().place, text, &lines);
            found.extend(config(text, &places));
        }
        // A policy holds no config.
        node.get("vigile").is_none()
    });
    found
}

/// Tells whether a text is more than a word, and speaks of Vigile.
fn may_hold_one(text: &str) -> bool {
    text.contains(['\n', '{']) && text.contains("vigile")
}

fn config(text: &str, places: &Places) -> Option<Result<Yaml, NotYaml>> {
    match read(text.as_bytes(), Format::Yaml) {
        // A policy in JSON is found where it stands.
        Ok(yaml) if is_json(text) && yaml.get("vigile").is_some() => None,
        Ok(yaml) if find::policies(&yaml).is_empty() => None,
        Ok(yaml) => Some(Ok(yaml.moved(&|place| places.outer(place)))),
        // A script or a page that speaks of Vigile is no config.
        Err(_) if !text.lines().any(|line| line.trim_start().starts_with("vigile: 1")) => None,
        Err(error) => Some(Err(NotYaml { place: places.outer(error.place), ..error })),
    }
}

fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Where the places of a text are in the file.
enum Places {
    /// Each so far below and to the right (`|`).
    Below { lines: usize, columns: usize },
    /// All at the beginning of the text: quotes and folded lines keep no places.
    At(Place),
}

impl Places {
    /// Those of a text that begins here.
    fn of(begin: Place, text: &str, source: &[&str]) -> Self {
        let (lines, columns) = (begin.line.saturating_sub(1), begin.column.saturating_sub(1));
        let is_as_it_stands = text.lines().enumerate().all(|(at, inner)| {
            let outer = source.get(lines.saturating_add(at)).copied().unwrap_or_default();
            let outer: String = outer.chars().skip(columns).collect();
            outer.trim_end() == inner.trim_end()
        });
        if is_as_it_stands { Self::Below { lines, columns } } else { Self::At(begin) }
    }

    fn outer(&self, inner: Place) -> Place {
        match self {
            Self::At(place) => *place,
            Self::Below { lines, columns } => Place {
                line: lines.saturating_add(inner.line),
                column: columns.saturating_add(inner.column),
            },
        }
    }
}
