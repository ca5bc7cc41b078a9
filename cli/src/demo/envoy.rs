//! The sample's Envoy, on names that need neither TLS nor a hosts file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};
use vigile_policy::Origin;

use super::other::{ending, stop};
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

/// Compiling the module takes about a second on a machine of today.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running Envoy; it ends with this value, and so does its folder.
pub(super) struct Envoy {
    child: Child,
    folder: Folder,
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left of it is in the system's folder for such files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Envoy {
    /// Starts Envoy and waits until it serves.
    pub(super) async fn start(settings: &Settings<'_>) -> Result<Self, String> {
        let folder = Folder::make()?;
        let config = config(settings)?;
        folder.write("envoy.json", &config.to_string())?;
        let output = std::fs::File::create(folder.0.join("access.log"))
            .map_err(|error| format!("access.log: {error}"))?;
        let child = Command::new(settings.envoy)
            .args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"])
            .args(["--component-log-level", "wasm:info", "--file-flush-interval-msec", "100"])
            .arg("--config-path")
            .arg(folder.0.join("envoy.json"))
            .arg("--log-path")
            .arg(folder.0.join("envoy.log"))
            .env_clear()
            .env("IAHOME_JWT_SECRET", settings.secret)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::null())
            // Ctrl-C is for the demo, which ends Envoy itself.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{}: {error}", settings.envoy.display()))?;
        let mut envoy = Self { child, folder };
        envoy.wait(settings.port).await?;
        Ok(envoy)
    }

    async fn wait(&mut self, port: u16) -> Result<(), String> {
        let started = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let ended = matches!(self.child.try_wait(), Ok(Some(_)));
            if ended || started.elapsed() > PATIENCE {
                let log = std::fs::read_to_string(self.log()).unwrap_or_default();
                return Err(format!("Envoy does not serve:\n{log}"));
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Where Envoy says what it does, and Vigile what it refuses.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.0.join("envoy.log")
    }

    pub(super) fn access_log(&self) -> String {
        self.folder.0.join("access.log").display().to_string()
    }

    /// How it ended, once it has.
    pub(super) async fn ended(&mut self) -> String {
        ending(&mut self.child).await
    }

    pub(super) async fn stop(mut self) {
        stop(&mut self.child).await;
    }
}

impl Folder {
    fn make() -> Result<Self, String> {
        use std::os::unix::fs::DirBuilderExt;
        // A name that nobody can have taken, and nobody else may look into.
        let name = format!("vigile-demo-{}", crate::system::random(9)?);
        let folder = std::env::temp_dir().join(name);
        let made = std::fs::DirBuilder::new().mode(0o700).create(&folder);
        made.map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), String> {
        std::fs::write(self.0.join(name), text).map_err(|error| format!("{name}: {error}"))
    }
}

/// The sample with the demo's names, its https listener in plain http: browsers hold localhost to be
/// secure, cookies and Sec-Fetch headers included (observed in Chromium).
fn config(settings: &Settings<'_>) -> Result<Value, String> {
    let sample = StableDiffusion {
        module: settings.module.to_owned(),
        host: settings.host.to_owned(),
        platform: settings.platform.clone(),
        upstream: (settings.upstream.ip().to_string(), settings.upstream.port()),
        tls: "unused".to_owned(),
        wasm: "unused".to_owned(),
        ports: (settings.port, 0),
        quota: None,
    };
    let text = sample.config().map_err(|wrong| wrong.to_string())?;
    let yaml = Yaml::parse(&text).map_err(|error| format!("{}: {}", error.place, error.problem))?;
    let mut config = serde_json::to_value(yaml.tree()).map_err(|error| error.to_string())?;
    let changed = changed(&mut config, settings.wasm);
    changed.map(|()| config).ok_or_else(|| "the sample has changed".to_owned())
}

/// The module file too: a person's folders may have names that no template takes.
fn changed(config: &mut Value, wasm: &Path) -> Option<()> {
    const FILTER: &str = "/filter_chains/0/filters/0/typed_config/http_filters/0";
    const MODULE: &str = "/typed_config/config/vm_config/code/local/filename";

    let listeners = config.pointer_mut("/static_resources/listeners")?.as_array_mut()?;
    listeners.truncate(1);
    let listener = listeners.first_mut()?;
    listener.pointer_mut("/filter_chains/0")?.as_object_mut()?.remove("transport_socket")?;
    *listener.pointer_mut(FILTER)?.pointer_mut(MODULE)? = json!(wasm.display().to_string());
    *listener.pointer_mut("/address/socket_address/address")? = json!("127.0.0.1");
    *config.pointer_mut("/admin/address/socket_address/port_value")? = json!(0);
    Some(())
}
