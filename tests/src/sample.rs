//! The samples under `envoy/`, loaded as they stand, with the values of `envoy/.env.example`.
//!
//! What then ties a sample to one machine is replaced in its text, at the place where it stands, and nothing
//! else: Envoy reads the same YAML that an operator would give it. What is to be replaced and is not
//! there stops the test.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use vigile::yaml::{Place, Value, Yaml};

use crate::envoy::{Binary, Envoy, NotStarted};

/// A sample's config on its way into an Envoy.
#[derive(Clone)]
pub struct Sample {
    name: String,
    text: String,
    upstreams: Vec<String>,
}

impl Sample {
    /// Reads `envoy/NAME/envoy.yaml` with the values of `envoy/.env.example`. Its listeners and its admin
    /// interface move to 127.0.0.1 and to ports that the system chooses; ask [`Envoy::listener`] for them by
    /// the listener's name.
    pub fn read(name: &str) -> Self {
        let file = crate::policies::project().join("envoy").join(name).join("envoy.yaml");
        Self::of(name, crate::policies::rendered(&file))
    }

    /// The same with a config that `vigile init` writes from a sample.
    pub fn of(name: &str, text: String) -> Self {
        let mut sample = Self { name: name.to_owned(), text, upstreams: Vec::new() };
        sample.move_to_loopback(|yaml| vec![yaml.at(&["admin", "address"])]);
        let count = sample.yaml().at(&["static_resources", "listeners"]).unwrap().items().len();
        for index in 0..count {
            sample.move_to_loopback(|yaml| {
                let listeners = yaml.at(&["static_resources", "listeners"]);
                vec![listeners.and_then(|all| all.items()[index].get("address"))]
            });
        }
        sample
    }

    /// Another file in place of one that the sample names, such as `/etc/envoy/vigile.wasm`.
    #[must_use]
    pub fn file(mut self, named: &str, file: &Path) -> Self {
        let places = places(&self.yaml(), &|yaml| yaml.word() == Some(named));
        assert!(!places.is_empty(), "{} does not name {named}", self.name);
        self.put_all(&places, named, &file.display().to_string());
        self
    }

    /// Another address in place of a cluster's endpoint, such as `192.0.2.20:7860`.
    #[must_use]
    pub fn upstream(mut self, named: &str, to: SocketAddr) -> Self {
        let (address, port) = named.rsplit_once(':').expect("address:port");
        let is = |socket: &Yaml| {
            socket.get("address").and_then(Yaml::word) == Some(address)
                && socket.get("port_value").and_then(Yaml::word) == Some(port)
        };
        let count = self.endpoints().iter().filter(|socket| is(socket)).count();
        assert!(count > 0, "{} has no endpoint {named}", self.name);
        for _ in 0..count {
            let endpoint = self.endpoints().into_iter().find(is).unwrap();
            self.move_socket(&endpoint, to);
        }
        self.upstreams.push(to.to_string());
        self
    }

    /// Another text in place of one that stands in the sample once: what a test changes in the policy.
    #[must_use]
    pub fn with(mut self, old: &str, new: &str) -> Self {
        assert_eq!(self.text.matches(old).count(), 1, "{}: {old:?} stands there once", self.name);
        self.text = self.text.replace(old, new);
        self
    }

    /// The same, wherever it stands.
    #[must_use]
    pub fn with_each(mut self, old: &str, new: &str) -> Self {
        assert!(self.text.contains(old), "{}: {old:?} stands nowhere", self.name);
        self.text = self.text.replace(old, new);
        self
    }

    /// Starts Envoy with it.
    ///
    /// # Errors
    /// What Envoy said where it did not start.
    pub fn start(
        &self,
        binary: &Binary,
        environment: &BTreeMap<String, String>,
    ) -> Result<Envoy, NotStarted> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("envoy.yaml"), self.text()).unwrap();
        Envoy::start_file(binary, folder, "envoy.yaml", environment)
    }

    /// The text for Envoy, once everything is replaced that must be.
    pub fn text(&self) -> &str {
        for line in self.text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            assert!(!line.contains("/etc/envoy/"), "{}: not replaced: {line}", self.name);
        }
        for socket in self.endpoints() {
            let word = |key| socket.get(key).and_then(Yaml::word).unwrap_or_default();
            let endpoint = format!("{}:{}", word("address"), word("port_value"));
            assert!(self.upstreams.contains(&endpoint), "{}: not replaced: {endpoint}", self.name);
        }
        &self.text
    }

    /// The config as JSON: what it says, for a test that reads it.
    pub fn json(&self) -> serde_json::Value {
        serde_json::to_value(self.yaml().tree()).unwrap()
    }

    fn yaml(&self) -> Yaml {
        Yaml::parse(&self.text)
            .unwrap_or_else(|error| panic!("{}: {} {}", self.name, error.place, error.problem))
    }

    fn endpoints(&self) -> Vec<Yaml> {
        let yaml = self.yaml();
        let clusters = yaml.at(&["static_resources", "clusters"]);
        clusters.map(|clusters| below(clusters, "socket_address")).unwrap_or_default()
    }

    fn move_to_loopback(&mut self, find: impl Fn(&Yaml) -> Vec<Option<&Yaml>>) {
        let yaml = self.yaml();
        for address in find(&yaml) {
            let socket = address.and_then(|address| address.get("socket_address"));
            let socket = socket.unwrap_or_else(|| panic!("{}: no socket_address", self.name));
            self.move_socket(socket, SocketAddr::from(([127, 0, 0, 1], 0)));
        }
    }

    /// The later of the two words first, so that the place of the other one stays.
    fn move_socket(&mut self, socket: &Yaml, to: SocketAddr) {
        let word = |key: &str| socket.get(key).unwrap_or_else(|| panic!("{key} of a socket"));
        let mut edits = [
            (word("address").clone(), to.ip().to_string()),
            (word("port_value").clone(), to.port().to_string()),
        ];
        edits.sort_by_key(|(yaml, _)| std::cmp::Reverse(yaml.place));
        for (yaml, new) in edits {
            self.put(yaml.place, yaml.word().unwrap(), &new);
        }
    }

    fn put_all(&mut self, places: &[Place], old: &str, new: &str) {
        for place in places.iter().rev() {
            self.put(*place, old, new);
        }
    }

    /// Replaces the word at a place.
    fn put(&mut self, place: Place, old: &str, new: &str) {
        let line_start: usize =
            self.text.split_inclusive('\n').take(place.line - 1).map(str::len).sum();
        let line = &self.text[line_start..];
        let column: usize = line.chars().take(place.column - 1).map(char::len_utf8).sum();
        let at = line_start + column;
        let at = at + usize::from(self.text[at..].starts_with(['"', '\'']));
        assert!(self.text[at..].starts_with(old), "{}: {place} is not {old}", self.name);
        self.text.replace_range(at..at + old.len(), new);
    }
}

/// The places of all values that are such, in the order of the text.
fn places(yaml: &Yaml, is: &dyn Fn(&Yaml) -> bool) -> Vec<Place> {
    let inner: Vec<&Yaml> = match &yaml.value {
        Value::Map(entries) => entries.iter().map(|(_, value)| value).collect(),
        Value::List(items) => items.iter().collect(),
        Value::Scalar { .. } => Vec::new(),
    };
    let own = is(yaml).then_some(yaml.place);
    let mut found: Vec<Place> =
        own.into_iter().chain(inner.into_iter().flat_map(|value| places(value, is))).collect();
    found.sort_unstable();
    // What stands behind an alias is met once for each of its places in the tree.
    found.dedup();
    found
}

/// Every value under this key, at any depth.
fn below(yaml: &Yaml, key: &str) -> Vec<Yaml> {
    match &yaml.value {
        Value::Map(entries) => entries
            .iter()
            .flat_map(|(known, value)| match known.text == key {
                true => vec![value.clone()],
                false => below(value, key),
            })
            .collect(),
        Value::List(items) => items.iter().flat_map(|item| below(item, key)).collect(),
        Value::Scalar { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn a_sample_moves_to_loopback_and_keeps_the_rest() {
        let wasm = std::path::Path::new("/x/vigile.wasm");
        let sample = Sample::read("stable-diffusion")
            .file("/etc/envoy/vigile.wasm", wasm)
            .file("/etc/envoy/tls/fullchain.pem", wasm)
            .file("/etc/envoy/tls/privkey.pem", wasm)
            .upstream("192.0.2.20:7860", ([127, 0, 0, 1], 7).into());
        let text = sample.text();
        let bare = text.replace('"', "");
        assert_eq!(bare.matches("{ address: 127.0.0.1, port_value: 0 }").count(), 3);
        assert!(bare.contains("{ address: 127.0.0.1, port_value: 7 }"));
        assert!(text.contains("code: { local: { filename: \"/x/vigile.wasm\" } }"));
    }

    #[test]
    #[should_panic(expected = "not replaced")]
    fn what_is_forgotten_stops_the_test() {
        let _ = Sample::read("stable-diffusion").text();
    }

    #[test]
    #[should_panic(expected = "has no endpoint")]
    fn what_is_not_there_stops_the_test() {
        let _ =
            Sample::read("stable-diffusion").upstream("192.0.2.99:1", ([127, 0, 0, 1], 7).into());
    }
}
