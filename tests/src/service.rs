//! A sample that stands: its config in a real Envoy, its app under uvicorn, a recorder between them, and
//! callers over TLS.

use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::caller::{Answer, Call, Gate};
use crate::envoy::{self, Binary, Envoy};
use crate::keys::RING;
use crate::recorder::Recorder;
use crate::sample::Sample;
use crate::uvicorn::Uvicorn;

/// A sample with an app, as `envoy/.env.example` names its parts.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Its folder under `envoy/`.
    pub name: &'static str,
    /// What its variables begin with.
    pub prefix: &'static str,
    /// What the app alone is told.
    pub app: &'static [(&'static str, &'static str)],
}

/// A running sample.
pub struct Service {
    pub envoy: Envoy,
    pub gate: Gate,
    recorder: Recorder,
    _app: Uvicorn,
    _folder: tempfile::TempDir,
    _runtime: Runtime,
}

impl Plan {
    /// A variable of `envoy/.env.example`.
    pub fn variable(&self, name: &str) -> String {
        vigile::sample::example()[&format!("{}_{name}", self.prefix)].clone()
    }

    /// The sample as it stands.
    pub fn start(&self, binary: &Binary, python: &Path) -> Service {
        self.start_with(binary, python, &[], |sample| sample)
    }

    /// The same on the newest Envoy.
    pub fn start_newest(&self, python: &Path) -> Service {
        self.start(&envoy::newest(), python)
    }

    /// On the newest Envoy, with what a test changes in the sample.
    pub fn start_changed(&self, python: &Path, change: impl FnOnce(Sample) -> Sample) -> Service {
        self.start_with(&envoy::newest(), python, &[], change)
    }

    /// With more variables for the app.
    pub fn start_with(
        &self,
        binary: &Binary,
        python: &Path,
        more: &[(&str, &str)],
        change: impl FnOnce(Sample) -> Sample,
    ) -> Service {
        let host = self.variable("HOST");
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.clone()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let [chain, private] = ["chain.pem", "key.pem"].map(|name| folder.path().join(name));
        std::fs::write(&chain, certificate.pem()).unwrap();
        std::fs::write(&private, key.serialize_pem()).unwrap();

        let runtime = Runtime::new().unwrap();
        let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let recorder = runtime.block_on(Recorder::start(socket.local_addr().unwrap()));
        let upstream =
            format!("{}:{}", self.variable("UPSTREAM_HOST"), self.variable("UPSTREAM_PORT"));
        let sample = Sample::read(self.name)
            .file("/etc/envoy/vigile.wasm", &envoy::module())
            .file("/etc/envoy/tls/fullchain.pem", &chain)
            .file("/etc/envoy/tls/privkey.pem", &private)
            .upstream(&upstream, recorder.address());
        let mut environment = RING.environment();
        let envoy = change(sample).start(binary, &environment);
        let envoy = envoy.unwrap_or_else(|error| panic!("Envoy did not start:\n{}", error.0));
        for (name, value) in self.app.iter().chain(more) {
            environment.insert((*name).to_owned(), (*value).to_owned());
        }
        let app = Uvicorn::start(python, self.name, &socket, &environment);
        let gate = Gate::new(envoy.listener("https"), &host, certificate.der());
        Service { envoy, gate, recorder, _app: app, _folder: folder, _runtime: runtime }
    }
}

impl Service {
    #[track_caller]
    pub fn send(&self, call: &Call) -> Answer {
        self.gate.send(call)
    }

    /// All that came to the app.
    pub fn app_saw(&self) -> String {
        String::from_utf8_lossy(&self.recorder.bytes()).into_owned()
    }

    /// How many requests came to the app that begin so: `POST /chat`.
    pub fn asked(&self, start: &str) -> usize {
        self.app_saw().matches(&format!("{start} HTTP/1.1\r\n")).count()
    }

    /// How many came to the app at all.
    pub fn requests(&self) -> usize {
        self.app_saw().matches(" HTTP/1.1\r\n").count()
    }

    /// The lines of the access log that are such, once there are so many.
    pub fn access_log(&self, lines: usize, is: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.wait_for(lines, &is, || self.envoy.printed())
    }

    /// The audit lines that are such, once there are so many.
    pub fn audit_log(&self, lines: usize, is: impl Fn(&Value) -> bool) -> Vec<Value> {
        self.wait_for(lines, &is, || self.envoy.logged())
    }

    fn wait_for(
        &self,
        lines: usize,
        is: &dyn Fn(&Value) -> bool,
        read: impl Fn() -> String,
    ) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let text = read();
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            let json = |line: &str| serde_json::from_str::<Value>(&line[line.find('{')?..]).ok();
            let found: Vec<Value> = whole.lines().filter_map(json).filter(is).collect();
            if found.len() >= lines {
                return found;
            }
            assert!(Instant::now() < deadline, "too few such lines:\n{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What a counter of Vigile stands at, as Prometheus sees it.
    pub fn counted(&self, module: &str, reason: &str) -> u64 {
        let name = format!("vigile_requests{{module=\"{module}\",reason=\"{reason}\"}} ");
        let page = self.envoy.get("/stats/prometheus");
        let value = page.lines().find_map(|line| line.strip_prefix(&name));
        value.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
    }
}
