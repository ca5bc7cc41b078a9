//! A value of a config, and the way to it.

use std::rc::Rc;

use vigile_policy::Tree;

use crate::yaml::{Place, Yaml};

/// A value, where it stands, and its path from the root.
#[derive(Clone, Debug)]
pub struct Node<'y> {
    yaml: &'y Yaml,
    place: Place,
    path: Rc<Path<'y>>,
}

/// The way to a value, written out only when something is said of it.
#[derive(Debug)]
enum Path<'y> {
    Root,
    Key(Rc<Path<'y>>, &'y str),
    Index(Rc<Path<'y>>, usize),
}

impl Path<'_> {
    fn text(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Key(parent, key) => match parent.text() {
                parent if parent.is_empty() => shown(key).to_owned(),
                parent => format!("{parent}.{}", shown(key)),
            },
            Self::Index(parent, index) => format!("{}[{index}]", parent.text()),
        }
    }
}

/// Up to a colon: where the space behind it lacks, YAML takes key and value for one key, and the value may be a secret.
fn shown(key: &str) -> &str {
    match key.split_once(':') {
        Some((before, rest)) if !rest.starts_with("//") => before,
        _ => key,
    }
}

/// A message inside an `Any`: its type, without what stands before the slash, and its fields.
#[derive(Clone, Debug)]
pub struct Typed<'y> {
    /// `envoy.extensions.filters.http.wasm.v3.Wasm`
    pub name: &'y str,
    /// Where its fields are.
    pub fields: Node<'y>,
}

impl<'y> Node<'y> {
    /// The document itself.
    pub fn root(yaml: &'y Yaml) -> Self {
        Self { yaml, place: yaml.place, path: Rc::new(Path::Root) }
    }

    /// Its value.
    pub fn yaml(&self) -> &'y Yaml {
        self.yaml
    }

    /// Where it stands: of what a mapping holds, the place of its key.
    pub fn place(&self) -> Place {
        self.place
    }

    /// The way to it from the root: `static_resources.listeners[0]`.
    pub fn path(&self) -> String {
        self.path.text()
    }

    /// The value under exactly this key.
    pub fn get(&self, key: &str) -> Option<Self> {
        self.last(|known| known == key)
    }

    /// The value of a field of a message, under its own name or its name in camelCase: Envoy takes
    /// both.
    pub fn field(&self, name: &str) -> Option<Self> {
        self.last(|known| is_field(known, name))
    }

    /// The value at the end of a path of fields.
    pub fn at(&self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self.clone(), |node, name| node.field(name))
    }

    fn last(&self, fits: impl Fn(&str) -> bool) -> Option<Self> {
        let found = self.yaml.entries().iter().rev().find(|(key, _)| fits(&key.text));
        found.map(|(key, value)| self.child(key.place, &key.text, value))
    }

    /// The pairs of a mapping, equal keys included.
    pub fn entries(&self) -> impl Iterator<Item = (&'y str, Self)> + use<'y, '_> {
        let pairs = self.yaml.entries().iter();
        pairs.map(|(key, value)| (key.text.as_str(), self.child(key.place, &key.text, value)))
    }

    /// The items of a sequence.
    pub fn items(&self) -> impl Iterator<Item = Self> + use<'y, '_> {
        self.yaml.items().iter().enumerate().map(|(index, yaml)| Self {
            yaml,
            place: yaml.place,
            path: Rc::new(Path::Index(self.path.clone(), index)),
        })
    }

    /// The items of a sequence under a field; none where it is not there.
    pub fn list(&self, name: &str) -> Vec<Self> {
        self.field(name).map(|list| list.items().collect()).unwrap_or_default()
    }

    fn child(&self, place: Place, key: &'y str, yaml: &'y Yaml) -> Self {
        Self { yaml, place, path: Rc::new(Path::Key(self.path.clone(), key)) }
    }

    /// Its word, where it is one.
    pub fn text(&self) -> Option<&'y str> {
        self.yaml.word()
    }

    /// The word under a field.
    pub fn word(&self, name: &str) -> Option<&'y str> {
        self.field(name).and_then(|node| node.text())
    }

    /// Tells whether Envoy takes it for true: protobuf reads the word in quotes as well (observed on 1.40).
    pub fn is_true(&self) -> bool {
        match self.yaml.tree() {
            Tree::Flag(flag) => flag,
            Tree::Text(text) => text == "true",
            _ => false,
        }
    }

    /// The field, where it is true.
    pub fn switched_on(&self, name: &str) -> Option<Self> {
        self.field(name).filter(Self::is_true)
    }

    /// A whole number of a message, in quotes or not.
    pub fn number(&self) -> Option<f64> {
        match self.yaml.tree() {
            Tree::Number(number) => Some(number),
            Tree::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A `google.protobuf.Duration` in seconds: `1.5s`.
    pub fn seconds(&self) -> Option<f64> {
        self.text()?.strip_suffix('s')?.parse().ok()
    }

    /// The message, where `@type` says what it is. Inside a `TypedStruct` (which Istio sends) the fields
    /// are one step further down.
    pub fn typed(&self) -> Option<Typed<'y>> {
        let name = short(self.get("@type")?.text()?);
        match name.ends_with(".TypedStruct") {
            false => Some(Typed { name, fields: self.clone() }),
            true => {
                let inner = short(self.word("type_url")?);
                Some(Typed { name: inner, fields: self.field("value")? })
            }
        }
    }

    /// The message under `typed_config`.
    pub fn typed_config(&self) -> Option<Typed<'y>> {
        self.field("typed_config")?.typed()
    }

    /// Visits this node and all that it holds, as long as `visit` says to go deeper.
    pub fn walk(&self, visit: &mut dyn FnMut(&Self) -> bool) {
        if visit(self) {
            self.entries().for_each(|(_, inner)| inner.walk(visit));
            self.items().for_each(|inner| inner.walk(visit));
        }
    }

    /// Every node of this one and below it that `fits`.
    pub fn all(&self, fits: impl Fn(&Self) -> bool) -> Vec<Self> {
        let mut found = Vec::new();
        self.walk(&mut |node| {
            if fits(node) {
                found.push(node.clone());
            }
            true
        });
        found
    }

    /// The key under which it stands; empty for items and for the document itself.
    pub fn key(&self) -> &'y str {
        match *self.path {
            Path::Key(_, key) => key,
            Path::Root | Path::Index(..) => "",
        }
    }

    /// Tells whether this stands in `other`, or is it.
    pub fn is_within(&self, other: &Self) -> bool {
        let (path, outer) = (self.path(), other.path());
        let rest = path.strip_prefix(outer.as_str());
        rest.is_some_and(|rest| outer.is_empty() || rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

/// The part behind the last slash of a type's address.
fn short(address: &str) -> &str {
    address.rsplit('/').next().unwrap_or_default()
}

/// Tells whether a key is the field: `failure_policy` or `failurePolicy`.
pub fn is_field(key: &str, name: &str) -> bool {
    key == name || (name.contains('_') && is_camel(key, name))
}

fn is_camel(key: &str, name: &str) -> bool {
    let mut letters = name.chars();
    let mut camel = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '_' => camel.extend(letters.next().map(|next| next.to_ascii_uppercase())),
            letter => camel.push(letter),
        }
    }
    key == camel
}

#[cfg(test)]
mod tests {
    use super::{Node, is_field};
    use crate::yaml::Yaml;

    #[test]
    fn a_field_has_two_names() {
        assert!(
            is_field("failure_policy", "failure_policy")
                && is_field("failurePolicy", "failure_policy")
        );
        assert!(is_field("xffNumTrustedHops", "xff_num_trusted_hops") && is_field("name", "name"));
        assert!(
            !is_field("FailurePolicy", "failure_policy")
                && !is_field("failurepolicy", "failure_policy")
        );
    }

    #[test]
    fn a_typed_struct_is_what_it_holds() {
        let text = "a:\n  '@type': x/xds.type.v3.TypedStruct\n  type_url: y/a.b.Wasm\n  value: { config: { name: v } }\n";
        let yaml = Yaml::parse(text).unwrap();
        let typed = Node::root(&yaml).field("a").and_then(|node| node.typed());
        let name = typed.as_ref().and_then(|typed| typed.fields.at(&["config", "name"]));
        assert_eq!(typed.map(|typed| typed.name), Some("a.b.Wasm"));
        assert_eq!(name.map(|node| node.path()), Some("a.value.config.name".to_owned()));
    }

    #[test]
    fn one_path_is_within_another() {
        let yaml = Yaml::parse("ab: [{ c: 1 }]\nabc: 2\n").unwrap();
        let root = Node::root(&yaml);
        let (ab, abc) = (root.get("ab").unwrap(), root.get("abc").unwrap());
        assert!(
            ab.items().all(|item| item.is_within(&ab)) && ab.is_within(&root) && ab.is_within(&ab)
        );
        assert!(!abc.is_within(&ab));
    }
}
