//! Envoy with its listeners from a file: what an update brings about.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::envoy::{Binary, Envoy, NotStarted};

/// An Envoy whose listeners can be replaced while it runs.
pub struct Served {
    pub envoy: Envoy,
    folder: PathBuf,
    version: u32,
}

impl Served {
    /// Starts with these listeners. In them and in the clusters `@folder@` is the folder of its files.
    pub fn start(
        binary: &Binary,
        listeners: &[Value],
        clusters: &[Value],
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, NotStarted> {
        let temporary = tempfile::tempdir().unwrap();
        let folder = temporary.path().to_owned();
        let config = json!({
            "node": { "id": "tests", "cluster": "tests" },
            "admin": { "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } } },
            "dynamic_resources": { "lds_config": { "path_config_source": { "path": folder.join("listeners.json") } } },
            "static_resources": { "clusters": clusters },
        });
        std::fs::write(folder.join("envoy.json"), config.to_string()).unwrap();
        write(&folder, listeners, 0);
        let envoy = Envoy::start_file(binary, temporary, "envoy.json", environment)?;
        Ok(Self { envoy, folder, version: 0 })
    }

    /// Replaces the listeners at once, by a rename: what Envoy watches for.
    pub fn update(&mut self, listeners: &[Value]) {
        self.version += 1;
        write(&self.folder, listeners, self.version);
    }

    /// A counter or gauge.
    pub fn stat(&self, name: &str) -> u64 {
        let stats = self.envoy.get(&format!("/stats?filter=^{name}$"));
        let value = stats.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }

    /// Waits until a counter has come so far.
    pub fn reaches(&self, name: &str, value: u64) -> Result<(), String> {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.stat(name) < value {
            if Instant::now() > deadline {
                return Err(format!("{name} is {}:\n{}", self.stat(name), self.envoy.logged()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}

fn write(folder: &Path, listeners: &[Value], version: u32) {
    let resources: Vec<Value> = listeners
        .iter()
        .map(|listener| {
            let mut resource = listener.clone();
            resource["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
            resource
        })
        .collect();
    let text = json!({ "version_info": version.to_string(), "resources": resources }).to_string();
    let text = text.replace("@folder@", &folder.display().to_string());
    std::fs::write(folder.join("next.json"), text).unwrap();
    std::fs::rename(folder.join("next.json"), folder.join("listeners.json")).unwrap();
}
