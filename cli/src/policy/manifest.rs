//! Manifests of Kubernetes that carry a policy: what a control plane makes a Wasm filter of.

use crate::config::Node;

/// The part of a manifest that is about one filter.
#[derive(Clone, Debug)]
pub enum Manifest<'y> {
    /// Istio: the `spec` of a `WasmPlugin`, or `spec.wasm` of a `TrafficExtension`.
    Istio(Node<'y>),
    /// Envoy Gateway: an item of `spec.wasm` of an `EnvoyExtensionPolicy`.
    EnvoyGateway(Node<'y>),
}

impl<'y> Manifest<'y> {
    /// Every part of an object that is about a filter, with its policy's place.
    pub(crate) fn of(object: &Node<'y>) -> Vec<(Self, Option<Node<'y>>)> {
        let (Some(kind), Some(group)) = (object.word("kind"), object.word("apiVersion")) else {
            return Vec::new();
        };
        let spec = object.field("spec");
        let istio = |part: Option<Node<'y>>| {
            part.map(|part| (Self::Istio(part.clone()), part.field("plugin_config")))
        };
        match (group.split('/').next(), kind) {
            (Some("extensions.istio.io"), "WasmPlugin") => istio(spec).into_iter().collect(),
            (Some("extensions.istio.io"), "TrafficExtension") => {
                istio(spec.and_then(|spec| spec.field("wasm"))).into_iter().collect()
            }
            (Some("gateway.envoyproxy.io"), "EnvoyExtensionPolicy") => {
                let items = spec.map(|spec| spec.list("wasm")).unwrap_or_default();
                let part =
                    |item: Node<'y>| (Self::EnvoyGateway(item.clone()), item.field("config"));
                items.into_iter().map(part).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Its part of the manifest.
    pub fn node(&self) -> &Node<'y> {
        match self {
            Self::Istio(node) | Self::EnvoyGateway(node) => node,
        }
    }

    /// Tells whether its name or its module's address says Vigile.
    pub(crate) fn says_vigile(&self) -> bool {
        let words =
            ["name", "pluginName", "url", "rootID"].iter().filter_map(|key| self.node().get(key));
        let code =
            ["http", "image"].iter().filter_map(|kind| self.node().at(&["code", kind, "url"]));
        let mut words = words.chain(code).filter_map(|node| node.text());
        words.any(|word| word.to_ascii_lowercase().contains("vigile"))
    }

    /// The names of the variables that the VM takes over from Envoy's own environment.
    pub(super) fn host_env_keys(&self) -> Vec<Node<'y>> {
        match self {
            Self::Istio(_) => self.istio_env(true).filter_map(|item| item.field("name")).collect(),
            Self::EnvoyGateway(item) => {
                item.field("env").map(|env| env.list("host_keys")).unwrap_or_default()
            }
        }
    }

    /// The variables that the manifest itself sets.
    pub(super) fn key_values(&self) -> Vec<(&'y str, Node<'y>)> {
        let pair = |item: Node<'y>| Some((item.word("name")?, item.field("value")?));
        match self {
            Self::Istio(_) => self.istio_env(false).filter_map(pair).collect(),
            Self::EnvoyGateway(_) => Vec::new(),
        }
    }

    fn istio_env(&self, of_host: bool) -> impl Iterator<Item = Node<'y>> + use<'y> {
        let env = self.node().at(&["vm_config", "env"]);
        let items = env.map(|env| env.items().collect::<Vec<_>>()).unwrap_or_default();
        let is_of_host = |item: &Node<'y>| item.word("value_from") == Some("HOST");
        items.into_iter().filter(move |item| is_of_host(item) == of_host)
    }

    /// Where a variable is named for the VM.
    pub fn wanted_variable(&self, name: &str) -> String {
        match self {
            Self::Istio(_) => format!("vmConfig.env as {{ name: {name}, valueFrom: HOST }}"),
            Self::EnvoyGateway(_) => "env.hostKeys".to_owned(),
        }
    }
}
