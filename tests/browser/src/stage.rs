//! Everything that a visit needs, started once and lazily: the sites, the apps, an Envoy per variant of
//! the sample.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use thirtyfour::WebDriver;
use tokio::runtime::Runtime;
use tokio_rustls::rustls::ServerConfig;

use crate::chromium::{Chromedriver, Network, Settings};
use crate::firefox::Geckodriver;
use crate::names;
use crate::pictures;
use crate::platform::Platform;
use crate::served::Served;
use crate::site;
use crate::tls::Certificates;
use crate::traces::Traces;
use crate::visit::{Browser, Visit};
use crate::worker::WorkerApp;
use vigile::sample::StableDiffusion;
use vigile_policy::Origin;
use vigile_tests::envoy::{self, Envoy};
use vigile_tests::https;
use vigile_tests::keys::RING;
use vigile_tests::recorder::Recorder;
use vigile_tests::sample::Sample;
use vigile_tests::tools;

pub const PLATFORM: &str = "iahome.fr";
pub const MODULE: &str = "stablediffusion.regispailler.fr";
/// The module on the platform's own registrable domain.
pub const NEIGHBOUR: &str = "stablediffusion.iahome.fr";
pub const HOSTILE: &str = "evil.example";

/// The tightest policy under which Gradio 6 works (docs/browsers.md).
pub const TIGHTEST: &str = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; manifest-src 'self'; base-uri 'self'; form-action 'self'; object-src 'none'";

/// What Gradio's own login takes: it guards nothing.
pub const LOGIN: &str = "gradio:as-nobody-else-would-guess";

/// Which module a visitor finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The sample as it stands, before Gradio 6.
    AsItStands,
    /// With the tightest Content-Security-Policy.
    Tightest,
    /// On a host of the platform's own registrable domain.
    Neighbour,
    /// Before Gradio 3, which speaks over a websocket.
    Websocket,
    /// Before a Gradio with a login of its own, whose cookies are partitioned.
    Login,
    /// Before the same, its cookies as they are.
    LoginUntouched,
    /// Before an app with a service worker.
    Worker,
    /// Before an app that is down, until a scenario brings it up.
    Down,
    /// What `vigile init frame` writes, before Streamlit.
    Streamlit,
    /// The same before JupyterLab.
    Jupyterlab,
    /// The same before marimo.
    Marimo,
}

/// Starts another gate than Envoy before an app, with the certificate of its host; gives where it listens.
pub type Gate = fn(SocketAddr, Arc<ServerConfig>) -> SocketAddr;

/// The sites, the apps and the browsers of a run.
pub struct Stage {
    gate: Option<(Gate, OnceLock<SocketAddr>)>,
    runtime: Runtime,
    pub browser: Browser,
    chromedriver: OnceLock<Chromedriver>,
    certificates: Certificates,
    fingerprint: String,
    pub platform: Platform,
    platform_address: SocketAddr,
    hostile_address: SocketAddr,
    apps: [OnceLock<App>; 6],
    worker: OnceLock<(WorkerApp, Recorder)>,
    /// The app of `Variant::Down`.
    pub down: WorkerApp,
    envoys: [OnceLock<Envoy>; 11],
}

/// An app and what it was sent.
pub struct App {
    pub served: Served,
    pub recorder: Recorder,
}

impl Stage {
    /// Starts what every scenario needs, for visitors with this browser.
    pub fn start(browser: Browser) -> Self {
        let runtime = Runtime::new().unwrap();
        let certificates = Certificates::make();
        let platform = Platform::default();
        let serve =
            |router, name| runtime.block_on(https::serve(router, certificates.server(name)));
        Self {
            platform_address: serve(platform.router(), PLATFORM),
            hostile_address: serve(site::hostile(), HOSTILE),
            browser,
            chromedriver: OnceLock::new(),
            fingerprint: certificates.fingerprint(),
            certificates,
            platform,
            apps: Default::default(),
            worker: OnceLock::new(),
            down: WorkerApp::down(),
            envoys: Default::default(),
            gate: None,
            runtime,
        }
    }

    /// The same with Chromium and a gate that is not Envoy, before the sample's app.
    pub fn behind(gate: Gate) -> Self {
        Self { gate: Some((gate, OnceLock::new())), ..Self::start(Browser::Chromium) }
    }

    /// Lets somebody visit, and gives what the browser leaves behind. Where the visit fails, there is a
    /// picture of it.
    pub fn visit(
        &self,
        settings: &Settings,
        variant: Variant,
        plot: impl AsyncFnOnce(&Visit),
    ) -> Traces {
        let folder = tempfile::tempdir().unwrap();
        let names = self.names(variant);
        let (driver, _gecko) = self.runtime.block_on(self.browse(settings, names, folder.path()));
        let visit = Visit::new(driver, self.browser, folder);
        let outcome = catch_unwind(AssertUnwindSafe(|| self.runtime.block_on(plot(&visit))));
        let traces = self.runtime.block_on(async {
            if outcome.is_err() {
                let name = format!("failed-{}", visit.name());
                visit.leave().await;
                visit.picture(&name).await;
                println!("a picture of it: {}/{name}.png", pictures::folder().display());
            }
            visit.end().await
        });
        if let Err(panic) = outcome {
            println!("{}", traces.console().join("\n"));
            resume_unwind(panic);
        }
        traces
    }

    /// A browser with a profile in this folder, and what must live as long as it does.
    async fn browse(
        &self,
        settings: &Settings,
        names: Vec<(String, SocketAddr)>,
        at: &Path,
    ) -> (WebDriver, Option<Geckodriver>) {
        match self.browser {
            Browser::Chromium => {
                let names: Vec<(&str, SocketAddr)> =
                    names.iter().map(|(name, to)| (name.as_str(), *to)).collect();
                let network = Network {
                    platform: self.platform_address,
                    names: &names,
                    fingerprint: &self.fingerprint,
                };
                let chromedriver = self.chromedriver.get_or_init(Chromedriver::start);
                (chromedriver.browse(settings, &network, at).await, None)
            }
            Browser::Firefox => {
                let gecko = Geckodriver::start(at);
                let proxy = names::proxy(names).await;
                (gecko.browse(settings, proxy, at).await, Some(gecko))
            }
        }
    }

    fn names(&self, variant: Variant) -> Vec<(String, SocketAddr)> {
        let host = if variant == Variant::Neighbour { NEIGHBOUR } else { MODULE };
        let module = match &self.gate {
            None => self.envoy(variant).listener("https"),
            Some((gate, address)) => *address.get_or_init(|| {
                gate(self.app(variant).recorder.address(), self.certificates.server(host))
            }),
        };
        vec![
            (format!("{PLATFORM}:443"), self.platform_address),
            (format!("{HOSTILE}:443"), self.hostile_address),
            (format!("{host}:443"), module),
        ]
    }

    /// The app of a variant, started by whoever asks first.
    pub fn app(&self, variant: Variant) -> &App {
        let (index, program) = variant.program();
        self.apps[index].get_or_init(|| {
            // A step of a model takes its time.
            let environment = [("SECONDS_PER_STEP", "0.2"), ("LOGIN", LOGIN)];
            let python = tools::venv(program.venv).unwrap();
            let mut served = Served::start(&python, &program, &environment);
            served.wait();
            let recorder = self.runtime.block_on(Recorder::start(served.address()));
            App { served, recorder }
        })
    }

    /// What the app with a service worker was sent.
    pub fn worker(&self) -> &Recorder {
        let (_, recorder) = self.worker.get_or_init(|| {
            let app = WorkerApp::down();
            app.rise();
            let recorder = self.runtime.block_on(Recorder::start(app.address()));
            (app, recorder)
        });
        recorder
    }

    fn upstream(&self, variant: Variant) -> SocketAddr {
        match variant {
            Variant::Worker => self.worker().address(),
            Variant::Down => self.down.address(),
            _ => self.app(variant).recorder.address(),
        }
    }

    /// The lines of the access log of a variant about a user.
    pub fn logged(&self, variant: Variant, user: &str) -> Vec<Value> {
        let printed = self.envoy(variant).printed();
        let lines = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["subject"] == user).collect()
    }

    /// Envoy with a variant of the sample.
    pub fn envoy(&self, variant: Variant) -> &Envoy {
        self.envoys[variant as usize].get_or_init(|| {
            let sample = self.sample(variant);
            let started = sample.start(&envoy::newest(), &RING.environment());
            started.unwrap_or_else(|error| panic!("Envoy did not start:\n{}", error.0))
        })
    }

    fn sample(&self, variant: Variant) -> Sample {
        let host = if variant == Variant::Neighbour { NEIGHBOUR } else { MODULE };
        let files = self.certificates.files(host);
        let sample = match variant {
            Variant::Streamlit | Variant::Jupyterlab | Variant::Marimo => {
                Sample::of("init frame", any_app())
            }
            _ => Sample::read("stable-diffusion"),
        };
        let sample = sample
            .file("/etc/envoy/vigile.wasm", &envoy::module())
            .file("/etc/envoy/tls/fullchain.pem", &files.chain)
            .file("/etc/envoy/tls/privkey.pem", &files.key)
            .upstream("192.0.2.20:7860", self.upstream(variant));
        match variant {
            Variant::AsItStands
            | Variant::Websocket
            | Variant::Login
            | Variant::Worker
            | Variant::Down
            | Variant::Streamlit
            | Variant::Jupyterlab
            | Variant::Marimo => sample,
            Variant::LoginUntouched => {
                let refresh = "                                  refresh: /.vigile/refresh\n";
                let more = refresh.replace("refresh: /.vigile/refresh", "app_cookies: untouched");
                sample.with(refresh, &format!("{refresh}{more}"))
            }
            Variant::Neighbour => sample.with_each(MODULE, NEIGHBOUR),
            Variant::Tightest => {
                let embed = "                                embed:\n";
                sample.with(
                    embed,
                    &format!("                                csp: \"{TIGHTEST}\"\n{embed}"),
                )
            }
        }
    }
}

/// As `vigile init frame` writes it.
fn any_app() -> String {
    let config = StableDiffusion {
        module: "stablediffusion".to_owned(),
        host: MODULE.to_owned(),
        platform: Origin::parse(format!("https://{PLATFORM}").as_bytes()).unwrap(),
        upstream: ("192.0.2.20".to_owned(), 7860),
        tls: "/etc/envoy/tls".to_owned(),
        wasm: "/etc/envoy/vigile.wasm".to_owned(),
        ports: (8443, 8080),
        quota: None,
    };
    config.config().unwrap()
}
