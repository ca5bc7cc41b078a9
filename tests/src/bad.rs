//! Policies with a mistake, as data: `corpus/bad/<section>/<case>.yaml`, and what must be said of each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use prost::Message;
use serde::Deserialize;
use vigile::yaml::Yaml;
use vigile_policy::{Draft, Host, Invalid, SchemaKey, Tree};

use crate::case::{bytes, corpus};
use crate::keys::RING;

/// A policy with a mistake.
#[derive(Clone, Debug)]
pub struct Bad {
    /// `issuers/name-missing`.
    pub name: String,
    /// The document as a host hands it over.
    pub document: Document,
    /// What stands in the environment, the keys of this run included.
    pub variables: BTreeMap<String, String>,
    /// Every mistake, `path: problem`, in any order.
    pub expect: BTreeSet<String>,
    /// Whether a real Envoy is to refuse it too.
    pub in_envoy: bool,
}

/// A policy, or bytes that are none.
#[derive(Clone, Debug)]
pub enum Document {
    Policy(Tree),
    Bytes(Vec<u8>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    variables: BTreeMap<String, Option<String>>,
    expect: BTreeSet<String>,
    #[serde(default)]
    in_envoy: bool,
    /// `\xNN` is a byte, `<<x*1000>>` something many times.
    text: Option<String>,
}

/// Stands in every secret of these files, so that no output may hold it.
pub const MARK: &str = "hush";

/// Every file of the folder, by name.
pub fn all() -> Vec<Bad> {
    files(&corpus().join("bad")).iter().map(|file| read(file)).collect()
}

/// Every good policy of the corpus, by name.
pub fn good() -> Vec<(String, Tree)> {
    let files = files(&corpus().join("policies"));
    files.iter().map(|file| (name(file), parse(file).tree())).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the corpus") {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

fn name(file: &Path) -> String {
    let folder = file.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
    format!("{folder}/{}", file.file_stem().unwrap().to_string_lossy())
}

fn parse(file: &Path) -> Yaml {
    let text = std::fs::read_to_string(file).unwrap();
    Yaml::parse(&text)
        .unwrap_or_else(|error| panic!("{}: {} {}", file.display(), error.place, error.problem))
}

fn read(file: &Path) -> Bad {
    let Tree::Map(pairs) = parse(file).tree() else { panic!("{}: a map", file.display()) };
    let (policy, rest): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(key, _)| key == "policy");
    let rest: File = serde_json::from_value(serde_json::to_value(Tree::Map(rest)).unwrap())
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let document = match (policy.into_iter().next(), &rest.text) {
        (Some((_, tree)), None) => Document::Policy(tree),
        (None, Some(text)) => Document::Bytes(bytes(text)),
        _ => panic!("{}: policy or text", file.display()),
    };
    let mut variables = RING.environment();
    for (name, value) in rest.variables {
        match value {
            Some(value) => variables.insert(name, value),
            None => variables.remove(&name),
        };
    }
    Bad { name: name(file), document, variables, expect: rest.expect, in_envoy: rest.in_envoy }
}

impl Bad {
    fn draft(&self) -> Result<Draft, Vec<Invalid>> {
        match &self.document {
            Document::Policy(tree) => Ok(Draft::from(tree.clone())),
            Document::Bytes(bytes) => Draft::read(bytes),
        }
    }

    /// What the core says of it; its line at load where it says nothing.
    pub fn mistakes(&self) -> Result<String, Vec<Invalid>> {
        self.draft()?.resolve(&self.variables, Host::ENVOY).map(|state| state.summary("test", &[]))
    }

    /// What shows without the environment.
    pub fn mistakes_without_variables(&self) -> Vec<Invalid> {
        self.draft().map_or_else(|mistakes| mistakes, |draft| draft.mistakes(Host::ENVOY))
    }

    /// Every key of the schema that was asked for.
    pub fn keys(&self) -> BTreeSet<SchemaKey> {
        let keys = |draft: Draft| draft.keys(&self.variables, Host::ENVOY);
        self.draft().map(keys).unwrap_or_default()
    }

    /// What no output may hold: the values of variables, and whatever has the mark.
    pub fn secrets(&self) -> Vec<&str> {
        let open =
            |name: &str| name.contains("PUBLIC") || name.contains("OPEN_") || name.contains("IPS");
        let values = self.variables.iter().filter(|(name, value)| !open(name) && value.len() >= 8);
        values.map(|(_, value)| value.trim_end()).chain([MARK]).collect()
    }
}

/// What stands in a field of a body.
pub const FIELD: [&str; 8] =
    ["type", "optional", "min_length", "max_length", "min", "max", "pattern", "forbid"];

/// The place in the schema of a mistake's path: `modules[2].headers.x-a` → `modules[].headers.*`.
pub fn in_schema(path: &str) -> String {
    let (path, field) = match path.split_once(".body.json.") {
        Some((before, field)) => (format!("{before}.body.json"), Some(field)),
        None => (path.to_owned(), None),
    };
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('.') {
        let before = parts.last().map(String::as_str).unwrap_or_default();
        let own = ["headers", "forward", "claims", "require_headers", "jwk"].contains(&before)
            || (before == "keys[]" && parts.iter().any(|part| part == "jwks"));
        let (name, indices) = part.split_once('[').unwrap_or((part, ""));
        let indices = "[]".repeat(indices.matches(']').count());
        parts.push(if own { format!("*{indices}") } else { format!("{name}{indices}") });
    }
    // The author's own paths have dots and brackets of their own.
    let last = field.map(|field| field.rsplit('.').next().unwrap_or_default());
    let key = last.filter(|last| FIELD.contains(last) && field.is_some_and(|it| it.contains('.')));
    parts.extend(field.map(|_| "*".to_owned()).into_iter().chain(key.map(str::to_owned)));
    match parts.last().map(String::as_str) {
        Some(last @ ("env" | "encoding" | "optional")) => format!("{{}}.{last}"),
        _ => parts.join("."),
    }
}

/// The mistakes of a policy, or its digest, by way of its bytes.
pub fn outcome(
    document: &[u8],
    variables: &BTreeMap<String, String>,
) -> Result<String, BTreeSet<Invalid>> {
    let state = Draft::read(document).and_then(|draft| draft.resolve(variables, Host::ENVOY));
    state.map(|state| state.summary("test", &[])).map_err(|mistakes| mistakes.into_iter().collect())
}

/// The binary message that Envoy makes of a tree; of a key that stands twice the last one counts, as
/// for Envoy.
pub fn as_struct(tree: &Tree) -> Vec<u8> {
    let Some(prost_types::value::Kind::StructValue(message)) = kind(tree) else {
        return Vec::new();
    };
    message.encode_to_vec()
}

fn kind(tree: &Tree) -> Option<prost_types::value::Kind> {
    use prost_types::value::Kind;
    let value = |tree: &Tree| prost_types::Value { kind: kind(tree) };
    Some(match tree {
        Tree::Null => Kind::NullValue(0),
        Tree::Flag(flag) => Kind::BoolValue(*flag),
        Tree::Number(number) => Kind::NumberValue(*number),
        Tree::Text(text) => Kind::StringValue(text.clone()),
        Tree::List(items) => {
            Kind::ListValue(prost_types::ListValue { values: items.iter().map(value).collect() })
        }
        Tree::Map(pairs) => Kind::StructValue(prost_types::Struct {
            fields: pairs.iter().map(|(key, tree)| (key.clone(), value(tree))).collect(),
        }),
    })
}
