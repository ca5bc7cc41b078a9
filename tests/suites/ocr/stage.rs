//! Everything that the service needs, started for one test: Envoy with the sample, the sample's app on
//! uvicorn with a recorder before it, and what stands for the provider.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::Runtime;
use vigile::sample::Ocr;
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::keys::SERVICE_API_KEY;
use vigile_tests::recorder::Recorder;
use vigile_tests::sample::Sample;
use vigile_tests::uvicorn::Uvicorn;

use super::authority::Authority;
use super::provider::Provider;

/// No secret: nobody but the stand-in takes it.
pub(crate) const PROVIDER_KEY: &str = "sk-proj-made-for-this-run";
/// The name that the certificates for the service's own listener are for.
pub(crate) const HOST: &str = "ocr.example.org";
const PROVIDER: &str = "api.openai.com";

/// The variables of Envoy and of the app, which are the same.
pub(crate) type Environment = BTreeMap<String, String>;

/// A running service.
pub(crate) struct Stage {
    pub(crate) envoy: Envoy,
    pub(crate) provider: Provider,
    pub(crate) authority: Authority,
    pub(crate) python: PathBuf,
    recorder: Recorder,
    _app: Uvicorn,
    _runtime: Runtime,
}

/// What the document sets at a level.
pub(crate) fn environment(level: usize) -> Environment {
    let mut variables = vec![("OPENAI_API_KEY", PROVIDER_KEY)];
    variables.extend((level >= 2).then_some(("SERVICE_API_KEY", SERVICE_API_KEY)));
    variables.extend((level >= 3).then_some(("ALLOWED_IPS", "127.0.0.2,127.0.0.3")));
    variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// The config that `vigile init ocr` writes for a level, with the names of the sample.
pub(crate) fn init(level: usize, observe: bool) -> String {
    let init = Ocr {
        level,
        observe,
        module: "ocr".into(),
        upstream: ("127.0.0.1".into(), 8000),
        provider: PROVIDER.into(),
        tls: "/etc/envoy/tls".into(),
        wasm: "/etc/envoy/vigile.wasm".into(),
    };
    init.config().unwrap()
}

pub(crate) fn at_level(level: usize, observe: bool) -> Sample {
    Sample::of(&format!("ocr at level {level}"), init(level, observe))
}

/// The parts that stand before Envoy does.
pub(crate) struct Setting {
    runtime: Runtime,
    authority: Authority,
    provider: Provider,
    recorder: Recorder,
    socket: TcpListener,
    python: PathBuf,
}

impl Setting {
    /// With a provider whose certificate is for this name.
    fn with_provider(name: &str, python: &Path) -> Self {
        let runtime = Runtime::new().unwrap();
        let authority = Authority::make();
        let provider = runtime.block_on(Provider::start(authority.server(name)));
        let socket = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let recorder = runtime.block_on(Recorder::start(socket.local_addr().unwrap()));
        Self { runtime, authority, provider, recorder, socket, python: python.to_owned() }
    }

    pub(crate) fn new(python: &Path) -> Self {
        Self::with_provider(PROVIDER, python)
    }

    /// The sample's text for this machine.
    pub(crate) fn place(&self, sample: Sample) -> Sample {
        let files = self.authority.files(HOST);
        sample
            .file("/etc/envoy/vigile.wasm", &envoy::module())
            .file("/etc/envoy/tls/fullchain.pem", &files.chain)
            .file("/etc/envoy/tls/privkey.pem", &files.key)
            .file("/etc/ssl/certs/ca-certificates.crt", &self.authority.file())
            .upstream("127.0.0.1:8000", self.recorder.address())
            .upstream(&format!("{PROVIDER}:443"), self.provider.address)
    }

    /// Starts the app, last: it is told where Envoy listens for it.
    pub(crate) fn app(&self, envoy: &Envoy, environment: &Environment) -> Uvicorn {
        let mut environment = environment.clone();
        let provider = format!("http://{}", envoy.listener("provider"));
        environment.insert("PROVIDER_URL".into(), provider);
        Uvicorn::start(&self.python, "ocr", &self.socket, &environment)
    }

    pub(crate) fn complete(self, envoy: Envoy, environment: &Environment) -> Stage {
        let app = self.app(&envoy, environment);
        Stage {
            envoy,
            provider: self.provider,
            authority: self.authority,
            python: self.python,
            recorder: self.recorder,
            _app: app,
            _runtime: self.runtime,
        }
    }

    fn start(self, binary: &Binary, sample: Sample, environment: &Environment) -> Stage {
        let envoy = self.place(sample).start(binary, environment);
        let envoy = envoy.unwrap_or_else(|error| panic!("Envoy did not start:\n{}", error.0));
        self.complete(envoy, environment)
    }
}

impl Stage {
    /// The sample as it stands: level 4.
    pub(crate) fn as_it_stands(binary: &Binary, python: &Path) -> Self {
        Setting::new(python).start(binary, Sample::read("ocr"), &environment(4))
    }

    /// On the newest Envoy.
    pub(crate) fn of(sample: Sample, environment: &Environment, python: &Path) -> Self {
        Setting::new(python).start(&envoy::newest(), sample, environment)
    }

    /// With a provider that can prove no more than another name.
    pub(crate) fn with_provider(name: &str, python: &Path) -> Self {
        let setting = Setting::with_provider(name, python);
        setting.start(&envoy::newest(), Sample::read("ocr"), &environment(4))
    }

    /// Where Django calls in clear text, as in the document.
    pub(crate) fn address(&self) -> SocketAddr {
        self.envoy.listener("ocr")
    }

    /// All that came to the app.
    pub(crate) fn app_saw(&self) -> String {
        String::from_utf8_lossy(&self.recorder.bytes()).into_owned()
    }

    /// How many analyses the app was asked for.
    pub(crate) fn analyses(&self) -> usize {
        self.app_saw().matches("POST /v1/analyze-wound").count()
    }

    /// The lines of the access log in which a member is this, once there are so many.
    pub(crate) fn access_log(&self, member: &str, is: &str, lines: usize) -> Vec<Value> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let printed = self.envoy.printed();
            let whole = printed.rfind('\n').map_or("", |end| &printed[..end]);
            let all = whole.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let found: Vec<Value> = all.filter(|line| line[member] == is).collect();
            if found.len() >= lines {
                return found;
            }
            assert!(Instant::now() < deadline, "too few lines with {member} {is}:\n{printed}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What a counter of Vigile stands at, as Prometheus sees it.
    pub(crate) fn counted(&self, metric: &str, module: &str, reason: &str) -> u64 {
        let page = self.envoy.get("/stats/prometheus");
        let name = format!("{metric}{{module=\"{module}\",reason=\"{reason}\"}} ");
        let value = page.lines().find_map(|line| line.strip_prefix(&name));
        value.unwrap_or_else(|| panic!("no {name}")).parse().unwrap()
    }
}
