//! The sample's Envoy, on names that need neither TLS nor a hosts file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vigile_policy::Origin;

use crate::sample::StableDiffusion;
use crate::yaml::Yaml;

/// What the sample is started with.
pub(super) struct Settings<'s> {
    pub(super) envoy: &'s Path,
    pub(super) wasm: &'s Path,
    pub(super) module: &'s str,
    pub(super) host: &'s str,
    pub(super) platform: Origin,
    pub(super) upstream: SocketAddr,
    pub(super) port: u16,
    pub(super) secret: &'s str,
}

/// A running Envoy; it ends with this value.
pub(super) struct Envoy {
    child: Child,
    /// Where it writes `envoy.log` and `access.log`.
    pub(super) folder: PathBuf,
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Envoy {
    /// Starts Envoy and waits until it serves.
    pub(super) fn start(settings: &Settings<'_>) -> Result<Self, String> {
        let folder = std::env::temp_dir().join(format!("vigile-demo-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let file = |name: &str| folder.join(name);
        let config = config(settings, &folder)?;
        std::fs::write(file("envoy.json"), config.to_string()).map_err(|error| error.to_string())?;
        let output = std::fs::File::create(file("access.log")).map_err(|error| error.to_string())?;
        let child = Command::new(settings.envoy)
            .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"])
            .args(["--component-log-level", "wasm:info", "--file-flush-interval-msec", "100"])
            .arg("--config-path")
            .arg(file("envoy.json"))
            .arg("--admin-address-path")
            .arg(file("admin"))
            .arg("--log-path")
            .arg(file("envoy.log"))
            .env_clear()
            .env("IAHOME_JWT_SECRET", settings.secret)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", settings.envoy.display()))?;
        let mut envoy = Self { child, folder };
        envoy.wait(settings.port)?;
        Ok(envoy)
    }

    fn wait(&mut self, port: u16) -> Result<(), String> {
        let deadline = Instant::now().checked_add(Duration::from_secs(30));
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = self.child.try_wait().map_err(|error| error.to_string())?;
            if ended.is_some() || Some(Instant::now()) > deadline {
                let log = std::fs::read_to_string(self.folder.join("envoy.log")).unwrap_or_default();
                return Err(format!("Envoy does not serve:\n{log}"));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// The sample with the demo's names, its https listener in plain http: browsers hold localhost to be
/// secure, cookies and Sec-Fetch headers included (iframe.md).
fn config(settings: &Settings<'_>, folder: &Path) -> Result<Value, String> {
    let sample = StableDiffusion {
        module: settings.module.to_owned(),
        host: settings.host.to_owned(),
        platform: settings.platform.clone(),
        upstream: (settings.upstream.ip().to_string(), settings.upstream.port()),
        tls: "unused".to_owned(),
        wasm: settings.wasm.display().to_string(),
        ports: (settings.port, 0),
    };
    let text = sample.config().map_err(|missing| missing.to_string())?;
    let yaml = Yaml::parse(&text).map_err(|error| format!("{}: {}", error.place, error.problem))?;
    let mut config = serde_json::to_value(yaml.tree()).map_err(|error| error.to_string())?;
    let listeners = config.pointer_mut("/static_resources/listeners").and_then(Value::as_array_mut);
    let listeners = listeners.ok_or("the sample has no listeners")?;
    listeners.truncate(1);
    let listener = listeners.first_mut().ok_or("the sample has no listener")?;
    if let Some(chain) = listener.pointer_mut("/filter_chains/0").and_then(Value::as_object_mut) {
        chain.remove("transport_socket");
    }
    if let Some(address) = listener.pointer_mut("/address/socket_address/address") {
        *address = json!("127.0.0.1");
    }
    if let Some(port) = config.pointer_mut("/admin/address/socket_address/port_value") {
        *port = json!(0);
    }
    let _ = folder;
    Ok(config)
}
