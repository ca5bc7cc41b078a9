//! Where policies stand: a bare one, or every one inside a whole Envoy config.

use ct_codecs::{Base64, Decoder};

use crate::config::Node;
use crate::policy::{Manifest, Policy};
use crate::yaml::{Value, Yaml};

/// The message of Wasm as an HTTP filter; as a network filter or a logger it has others.
pub const WASM: &str = "envoy.extensions.filters.http.wasm.v3.Wasm";

/// Every policy of a file: maps with the key `vigile`, also inside strings of JSON, and whatever
/// configures a Wasm filter that calls itself Vigile.
pub fn policies(yaml: &Yaml) -> Vec<Policy<'_>> {
    let mut found = Vec::new();
    search(&Node::root(yaml), &mut found);
    found
}

fn search<'y>(node: &Node<'y>, found: &mut Vec<Policy<'y>>) {
    let plugin = node
        .typed()
        .filter(|typed| typed.name == WASM)
        .and_then(|typed| typed.fields.field("config"));
    let manifests = Manifest::of(node);
    match (&node.yaml().value, plugin) {
        (_, Some(plugin)) => found.extend(of_filter(&plugin)),
        (Value::Map(_), _) if !manifests.is_empty() => {
            found.extend(manifests.into_iter().filter_map(of_manifest));
        }
        // A map under the key is something else: what a route says to a filter of that name.
        (Value::Map(_), _)
            if node.get("vigile").is_some_and(|version| version.text().is_some()) =>
        {
            found.push(Policy::in_the_open(node.clone()));
        }
        (Value::Scalar { text, .. }, _) if text.trim_start().starts_with('{') => {
            if text.contains("\"vigile\"") {
                let policy = Policy::in_a_string(node.clone(), text);
                let is_one = policy.is_readable() && policy.says_vigile();
                found.extend(is_one.then_some(policy));
            }
        }
        _ => {
            node.entries().for_each(|(_, inner)| search(&inner, found));
            node.items().for_each(|inner| search(&inner, found));
        }
    }
}

/// The policy of a Wasm filter. One that is Vigile by its name or its file has a policy, be it a wrong
/// one.
fn of_filter<'y>(plugin: &Node<'y>) -> Option<Policy<'y>> {
    let configuration = plugin.field("configuration");
    let value = configuration.as_ref().and_then(|any| any.get("value"));
    let words = value.as_ref().and_then(Node::text).unwrap_or_default();
    let says_vigile = words.contains("\"vigile\"") || is_vigile(plugin);
    let policy = match (configuration, value) {
        (None, _) => {
            Policy::missing(plugin.clone(), "there is no policy: configuration is not set")
        }
        (Some(any), None) if any.get("vigile").is_some() => Policy::in_the_open(any),
        (Some(any), None) => Policy::missing(any, "there is no policy: value is not set"),
        (Some(any), Some(value)) => of_value(&any, value),
    };
    let policy = policy.of_filter(plugin.clone());
    (policy.says_vigile() || says_vigile).then_some(policy)
}

/// The policy of a part of a manifest.
fn of_manifest<'y>((manifest, config): (Manifest<'y>, Option<Node<'y>>)) -> Option<Policy<'y>> {
    let says_vigile = manifest.says_vigile();
    let policy = match config {
        // Envoy Gateway takes a text as well.
        Some(config) => match config.text() {
            Some(text) => Policy::in_a_string(config.clone(), text),
            None => Policy::in_the_open(config),
        },
        None => Policy::missing(manifest.node().clone(), "there is no policy: its key is not set"),
    };
    let policy = policy.of_manifest(manifest);
    (policy.says_vigile() || says_vigile).then_some(policy)
}

fn of_value<'y>(any: &Node<'y>, value: Node<'y>) -> Policy<'y> {
    let bytes = any.typed().is_some_and(|typed| typed.name.ends_with(".BytesValue"));
    match value.text() {
        None => Policy::in_the_open(value),
        Some(text) if !bytes => Policy::in_a_string(value, text),
        Some(text) => match Base64::decode_to_vec(text, None).map(String::from_utf8) {
            Ok(Ok(text)) => Policy::in_a_string(value, &text),
            _ => Policy::missing(
                value,
                "this is neither JSON nor a Struct, but bytes of another kind",
            ),
        },
    }
}

/// Tells whether the plugin's name, its VM's or its file says so.
fn is_vigile(plugin: &Node<'_>) -> bool {
    let paths: [&[&str]; 5] = [
        &["name"],
        &["root_id"],
        &["vm_config", "vm_id"],
        &["vm_config", "code", "local", "filename"],
        &["vm_config", "code", "remote", "http_uri", "uri"],
    ];
    let word = |path: &&[&str]| plugin.at(path).and_then(|node| node.text());
    paths.iter().filter_map(word).any(|word| word.to_ascii_lowercase().contains("vigile"))
}
