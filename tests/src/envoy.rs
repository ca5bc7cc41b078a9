//! A real Envoy: its config, its process, what it logged.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::tail::Tail;

/// An Envoy binary and its version.
#[derive(Clone, Debug)]
pub struct Binary {
    pub version: String,
    pub path: PathBuf,
}

/// The Envoys that `./build.sh test` installed: `VIGILE_ENVOYS`, `version=path` with spaces between.
pub fn binaries() -> Vec<Binary> {
    let listed = std::env::var("VIGILE_ENVOYS").expect("VIGILE_ENVOYS is set: run ./build.sh test");
    let parse = |entry: &str| {
        let (version, path) = entry.split_once('=').expect("version=path");
        Binary { version: version.into(), path: path.into() }
    };
    listed.split_whitespace().map(parse).collect()
}

/// The newest one.
pub fn newest() -> Binary {
    binaries().pop().expect("at least one Envoy")
}

/// The module under test.
pub fn module() -> PathBuf {
    std::env::var_os("VIGILE_WASM")
        .map_or_else(|| crate::policies::project().join("dist/vigile.wasm"), PathBuf::from)
}

/// A running Envoy; it ends with this value.
pub struct Envoy {
    child: Child,
    admin: SocketAddr,
    folder: tempfile::TempDir,
    listeners: BTreeMap<String, SocketAddr>,
    access: Mutex<Tail>,
    log: Mutex<Tail>,
    /// From its start to LIVE on /ready, to 5 ms.
    pub ready_after: Duration,
}

/// A test waits for lines of a log.
const AT_ONCE: [&str; 2] = ["--file-flush-interval-msec", "2"];

/// Why Envoy did not start: what it logged.
#[derive(Debug)]
pub struct NotStarted(pub String);

impl Envoy {
    /// Starts Envoy with a config that it can read, and waits until its listeners listen.
    pub fn start(
        binary: &Binary,
        config: &Value,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, NotStarted> {
        Self::start_with(binary, config, environment, 1)
    }

    /// The same with so many workers.
    pub fn start_with(
        binary: &Binary,
        config: &Value,
        environment: &BTreeMap<String, String>,
        workers: usize,
    ) -> Result<Self, NotStarted> {
        Self::run(binary, written(config), "envoy.json", environment, workers, &AT_ONCE)
    }

    /// The same with Envoy's own pace of writing files: what the tests ask for costs work.
    pub fn start_at_its_pace(
        binary: &Binary,
        config: &Value,
        environment: &BTreeMap<String, String>,
        workers: usize,
    ) -> Result<Self, NotStarted> {
        Self::run(binary, written(config), "envoy.json", environment, workers, &[])
    }

    /// The same with a file that is in the folder already.
    pub fn start_file(
        binary: &Binary,
        folder: tempfile::TempDir,
        file: &str,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, NotStarted> {
        Self::run(binary, folder, file, environment, 1, &AT_ONCE)
    }

    fn run(
        binary: &Binary,
        folder: tempfile::TempDir,
        file: &str,
        environment: &BTreeMap<String, String>,
        workers: usize,
        pace: &[&str],
    ) -> Result<Self, NotStarted> {
        let path = |name: &str| folder.path().join(name);
        let begun = Instant::now();
        let mut child = Command::new(&binary.path)
            .args(["--concurrency", &workers.to_string(), "--disable-hot-restart"])
            .args(pace)
            .args([
                "--log-level",
                "warning",
                "--component-log-level",
                "wasm:info",
                "--log-format",
                "%L %v",
            ])
            .arg("--config-path")
            .arg(path(file))
            .arg("--admin-address-path")
            .arg(path("admin"))
            .arg("--log-path")
            .arg(path("envoy.log"))
            .current_dir(folder.path())
            .env_clear()
            .envs(environment)
            .stdin(Stdio::null())
            .stdout(Stdio::from(File::create(path("stdout")).unwrap()))
            .stderr(Stdio::from(File::create(path("stderr")).unwrap()))
            .spawn()
            .expect("Envoy can be run");
        let said = || {
            let read = |name| std::fs::read_to_string(path(name)).unwrap_or_default();
            format!("{}{}", read("envoy.log"), read("stderr"))
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        let admin = loop {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(NotStarted(format!("{status}\n{}", said())));
            }
            let known = std::fs::read_to_string(path("admin"))
                .ok()
                .and_then(|text| text.trim().parse().ok());
            if let Some(admin) = known
                && get(admin, "/ready").is_some_and(|body| body.trim() == "LIVE")
            {
                break admin;
            }
            if Instant::now() > deadline {
                let _ = child.kill();
                let _ = child.wait();
                return Err(NotStarted(format!("not ready in time\n{}", said())));
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let ready_after = begun.elapsed();
        let tail = |name| Mutex::new(Tail::new(path(name)));
        let (access, log) = (tail("access.log"), tail("envoy.log"));
        let listeners = BTreeMap::new();
        let mut envoy = Self { child, admin, folder, listeners, access, log, ready_after };
        envoy.listeners = envoy.read_listeners();
        Ok(envoy)
    }

    fn read_listeners(&self) -> BTreeMap<String, SocketAddr> {
        let body: Value = serde_json::from_str(&self.get("/listeners?format=json")).unwrap();
        let statuses = body["listener_statuses"].as_array().cloned().unwrap_or_default();
        let parse = |status: &Value| {
            let socket = &status["local_address"]["socket_address"];
            let address = format!("{}:{}", socket["address"].as_str()?, socket["port_value"]);
            Some((status["name"].as_str()?.to_owned(), address.parse().ok()?))
        };
        statuses.iter().filter_map(parse).collect()
    }

    /// The address of a listener.
    pub fn listener(&self, name: &str) -> SocketAddr {
        *self
            .listeners
            .get(name)
            .unwrap_or_else(|| panic!("no listener is named {name}: {:?}", self.listeners))
    }

    /// The folder of its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A page of the admin interface.
    pub fn get(&self, path: &str) -> String {
        get(self.admin, path).unwrap_or_default()
    }

    /// All that Envoy has logged.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("envoy.log")).unwrap_or_default()
    }

    /// Whether Envoy logs this: a line may reach the file after what it tells of.
    pub fn logs(&self, what: &str) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.logged().contains(what) {
            if Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        true
    }

    /// All that Envoy has printed: the access log of samples, which log to the standard output.
    pub fn printed(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("stdout")).unwrap_or_default()
    }

    /// The access log's line of a request.
    pub fn access(&self, id: &str) -> Option<Value> {
        self.access.lock().unwrap().wait(id)
    }

    /// The audit line of a request.
    pub fn audit(&self, id: &str) -> Option<Value> {
        self.log.lock().unwrap().wait(id)
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A page by plain HTTP/1.1.
pub fn get(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let answer = crate::wire::read(&mut stream, false).ok()?;
    String::from_utf8(answer.body).ok()
}

/// POST without a body.
pub fn post(address: SocketAddr, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    .ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    Some(text)
}

/// A folder with the config in it.
fn written(config: &Value) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let config = serde_json::to_vec_pretty(&at(config, folder.path())).unwrap();
    std::fs::write(folder.path().join("envoy.json"), config).unwrap();
    folder
}

/// `@folder@` in a config stands for the folder of this Envoy's files.
fn at(config: &Value, folder: &Path) -> Value {
    let text = config.to_string().replace("@folder@", &folder.display().to_string());
    serde_json::from_str(&text).unwrap()
}

/// The access log that tells the runner what Vigile left for later filters.
pub fn access_log() -> Value {
    json!([{
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": "@folder@/access.log",
            "log_format": { "json_format": {
                "request_id": "%REQ(X-REQUEST-ID)%",
                "status": "%RESPONSE_CODE%",
                "path": "%PATH(NQ)%",
                "request_line": "%REQ(:METHOD)% %REQ(:PATH)%",
                "module": "%FILTER_STATE(wasm.vigile.module:PLAIN)%",
                "verdict": "%FILTER_STATE(wasm.vigile.verdict:PLAIN)%",
                "reason": "%FILTER_STATE(wasm.vigile.reason:PLAIN)%",
                "subject": "%FILTER_STATE(wasm.vigile.subject:PLAIN)%",
            }},
        },
    }])
}

/// The filter with its policy; `encoded` is the policy as an Any.
pub fn vigile(policy: &Value, environment: &BTreeMap<String, String>) -> Value {
    let keys: Vec<&String> = environment.keys().collect();
    json!({
        "name": "envoy.filters.http.wasm",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "vigile",
                // A panic would close this filter for good, and every later case would say so.
                "failure_policy": "FAIL_CLOSED",
                "allow_on_headers_stop_iteration": true,
                "vm_config": {
                    "vm_id": "vigile",
                    "runtime": "envoy.wasm.runtime.v8",
                    "code": { "local": { "filename": module() } },
                    "environment_variables": { "host_env_keys": keys },
                },
                "configuration": policy,
            },
        },
    })
}

/// A policy as the binary message that Envoy hands over.
pub fn as_struct(policy: &Value) -> Value {
    json!({ "@type": "type.googleapis.com/google.protobuf.Struct", "value": policy })
}

/// A policy as JSON text, as Istio sends it.
pub fn as_string(policy: &Value) -> Value {
    json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": format!("\n{policy}") })
}

/// Any text where a policy should be.
pub fn as_text(text: &str) -> Value {
    json!({ "@type": "type.googleapis.com/google.protobuf.StringValue", "value": text })
}

/// A listener with this policy and no app behind it: admitted requests get 204.
pub fn plain_listener(policy: &Value, environment: &BTreeMap<String, String>) -> Value {
    let action = json!({ "match": { "prefix": "/" }, "direct_response": { "status": 204 } });
    listener("plain", 0, &vigile(policy, environment), &action)
}

/// A listener on a port of this machine, with one filter and one route.
pub fn listener(name: &str, port: u16, filter: &Value, route: &Value) -> Value {
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": name,
        "access_log": access_log(),
        "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [route] }] },
        "http_filters": [filter, {
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        }],
    });
    json!({
        "name": name,
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": port } },
        "filter_chains": [{ "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }] }],
    })
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A cluster of one address.
pub fn cluster(name: &str, address: SocketAddr) -> Value {
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "2s",
        "load_assignment": { "cluster_name": name, "endpoints": [{ "lb_endpoints": [{ "endpoint": {
            "address": { "socket_address": { "address": address.ip(), "port_value": address.port() } }
        } }] }] },
    })
}

/// A whole config with these listeners and clusters.
pub fn bootstrap(listeners: &[Value], clusters: &[Value]) -> Value {
    json!({
        "admin": { "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } } },
        "static_resources": { "listeners": listeners, "clusters": clusters },
    })
}
