//! A policy as it stands in a file.

mod manifest;
mod places;

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::BTreeMap;

pub use manifest::Manifest;
pub use places::Places;
use vigile_policy::{Draft, Host, Invalid, Tree, Variable};

use crate::config::Node;
use crate::yaml::{Place, Value, Yaml};

/// The variables that `{ env: … }` is read from.
pub type Environment = BTreeMap<String, String>;

/// A policy and where it was found.
#[derive(Clone, Debug)]
pub struct Policy<'y> {
    /// The document. Of one in a string, every place is that of the string.
    yaml: Cow<'y, Yaml>,
    /// Where it stands in the file.
    pub node: Node<'y>,
    /// The configuration of the Wasm filter that it belongs to (`PluginConfig`).
    pub plugin: Option<Node<'y>>,
    /// The part of a manifest that it belongs to.
    pub manifest: Option<Manifest<'y>>,
    /// Why nothing could be read.
    unreadable: Option<Invalid>,
    /// Its mistakes as it is written, once somebody asked.
    wrong: OnceCell<Vec<Invalid>>,
}

impl<'y> Policy<'y> {
    /// Written as YAML: a Struct, or the file itself.
    pub(crate) fn in_the_open(node: Node<'y>) -> Self {
        Self::new(Cow::Borrowed(node.yaml()), node, None)
    }

    /// Written as JSON in a string (`StringValue`).
    pub(crate) fn in_a_string(node: Node<'y>, text: &str) -> Self {
        let unreadable =
            Draft::read(text.as_bytes()).err().and_then(|mistakes| mistakes.into_iter().next());
        let (place, nothing) = (node.place(), Value::Map(Vec::new()));
        let yaml = Yaml::parse_json(text).unwrap_or(Yaml { place, value: nothing });
        Self::new(Cow::Owned(yaml.moved(&|_| place)), node, unreadable)
    }

    /// Not there, or in no form that the filter reads.
    pub(crate) fn missing(node: Node<'y>, problem: &str) -> Self {
        let unreadable = Some(Invalid { path: String::new(), problem: problem.to_owned() });
        Self::new(Cow::Borrowed(node.yaml()), node, unreadable)
    }

    fn new(yaml: Cow<'y, Yaml>, node: Node<'y>, unreadable: Option<Invalid>) -> Self {
        Self { yaml, node, plugin: None, manifest: None, unreadable, wrong: OnceCell::new() }
    }

    pub(crate) fn of_filter(self, plugin: Node<'y>) -> Self {
        Self { plugin: Some(plugin), ..self }
    }

    pub(crate) fn of_manifest(self, manifest: Manifest<'y>) -> Self {
        Self { manifest: Some(manifest), ..self }
    }

    /// Without the filter around it.
    pub(crate) fn alone(self) -> Self {
        Self { plugin: None, manifest: None, ..self }
    }

    pub(crate) fn is_readable(&self) -> bool {
        self.unreadable.is_none()
    }

    /// Why nothing could be read of it.
    pub fn unreadable(&self) -> Option<&Invalid> {
        self.unreadable.as_ref()
    }

    /// Tells whether it has the key that marks a policy.
    pub(crate) fn says_vigile(&self) -> bool {
        self.yaml.get("vigile").is_some()
    }

    /// The document, its paths those of the core's mistakes.
    pub fn root(&self) -> Node<'_> {
        Node::root(&self.yaml)
    }

    /// The policy as Envoy would hand it over.
    pub fn tree(&self) -> Tree {
        self.yaml.tree()
    }

    /// Where a mistake with this path stands in the file.
    pub fn place_of(&self, path: &str) -> Place {
        match path {
            "" => self.node.place(),
            path => self.yaml.place_of(path),
        }
    }

    /// Every mistake that shows without the variables' values.
    pub fn mistakes(&self, host: Host) -> &[Invalid] {
        self.wrong.get_or_init(|| match &self.unreadable {
            Some(unreadable) => vec![unreadable.clone()],
            None => Draft::from(self.tree()).mistakes(host),
        })
    }

    /// Every mistake, those of the variables' values too.
    pub fn mistakes_in(&self, environment: &Environment, host: Host) -> Vec<Invalid> {
        match &self.unreadable {
            Some(unreadable) => vec![unreadable.clone()],
            None => Draft::from(self.tree()).resolve(environment, host).err().unwrap_or_default(),
        }
    }

    /// Everything that is passed over in it.
    pub fn notes(&self, host: Host) -> Vec<Invalid> {
        match self.unreadable {
            Some(_) => Vec::new(),
            None => Draft::from(self.tree()).notes(host),
        }
    }

    /// Every `{ env: … }` in it.
    pub fn variables(&self) -> Vec<Variable> {
        Draft::from(self.tree()).variables()
    }

    /// The names of the variables that the filter's VM takes over from Envoy's own environment.
    pub fn host_env_keys(&self) -> Vec<Node<'y>> {
        match &self.manifest {
            Some(manifest) => manifest.host_env_keys(),
            None => self.variables_of_vm().map(|vm| vm.list("host_env_keys")).unwrap_or_default(),
        }
    }

    /// The variables that the config itself sets for the filter's VM.
    pub fn key_values(&self) -> Vec<(&'y str, Node<'y>)> {
        if let Some(manifest) = &self.manifest {
            return manifest.key_values();
        }
        let values = self.variables_of_vm().and_then(|vm| vm.field("key_values"));
        values.map(|values| values.entries().collect()).unwrap_or_default()
    }

    /// These variables as an environment.
    pub fn given(&self) -> impl Iterator<Item = (String, String)> {
        let pairs = self.key_values().into_iter();
        pairs.map(|(name, value)| (name.to_owned(), value.text().unwrap_or_default().to_owned()))
    }

    fn variables_of_vm(&self) -> Option<Node<'y>> {
        self.plugin.as_ref()?.at(&["vm_config", "environment_variables"])
    }

    /// Its modules.
    pub fn modules(&self) -> Vec<Node<'_>> {
        self.root().get("modules").map(|modules| modules.items().collect()).unwrap_or_default()
    }

    /// Its modules' routes.
    pub fn routes(&self) -> Vec<Node<'_>> {
        self.modules().iter().flat_map(routes).collect()
    }
}

/// The routes of a module.
pub fn routes<'y>(module: &Node<'y>) -> Vec<Node<'y>> {
    module.get("routes").map(|routes| routes.items().collect()).unwrap_or_default()
}

/// Everything that a route asks for under this key, on itself and in its alternatives.
pub fn asks<'y>(route: &Node<'y>, key: &str) -> Vec<Node<'y>> {
    let alternatives: Vec<Node<'y>> =
        route.get("any_of").map(|any_of| any_of.items().collect()).unwrap_or_default();
    std::iter::once(route).chain(&alternatives).filter_map(|need| need.get(key)).collect()
}
