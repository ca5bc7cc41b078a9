//! Chromium under chromedriver.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::{DesiredCapabilities, WebDriver};
use vigile_tests::tools;

/// A running chromedriver; it ends with this value, and with it every Chromium that it started.
pub struct Chromedriver {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

/// How a browser is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Accept-Language.
    pub language: &'static str,
    /// Whether cookies of third parties are blocked, as most visitors have it.
    pub blocks_third_parties: bool,
    /// Whether all cookies are blocked.
    pub blocks_cookies: bool,
    /// Where the platform is on the internet and the module in the local network: whether the visitor lets the one
    /// reach the other.
    pub local_network: Option<bool>,
}

impl Settings {
    pub fn french() -> Self {
        Self {
            language: "fr-FR,fr",
            blocks_third_parties: true,
            blocks_cookies: false,
            local_network: None,
        }
    }

    pub fn english() -> Self {
        Self { language: "en-US,en", ..Self::french() }
    }
}

/// Where a name leads, and whom to trust.
pub struct Network<'n> {
    pub platform: SocketAddr,
    pub names: &'n [(&'n str, SocketAddr)],
    pub fingerprint: &'n str,
}

/// Chromium and chromedriver, or what is missing.
///
/// # Errors
/// The Debian package that brings it.
pub fn installed() -> Result<(), String> {
    let needed = [("chromium", "chromium"), ("chromedriver", "chromium-driver")];
    needed.iter().try_for_each(|(name, package)| tools::program(name, package).map(|_| ()))
}

impl Chromedriver {
    /// Starts it on a port that the system chooses.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let child = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { port: port(&log), child, _folder: folder }
    }

    /// A browser with a profile of its own, in this folder.
    pub async fn browse(&self, settings: &Settings, network: &Network<'_>, at: &Path) -> WebDriver {
        let capabilities = capabilities(settings, network, at);
        let server = format!("http://127.0.0.1:{}", self.port);
        WebDriver::new(server, capabilities).await.unwrap()
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        // Asked to, it ends its browsers; a signal would leave them.
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let _ = vigile_tests::envoy::get(address, "/shutdown");
        let deadline = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn port(log: &Path) -> u16 {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let said = std::fs::read_to_string(log).unwrap_or_default();
        let port = said.split("successfully on port ").nth(1);
        if let Some(port) = port.and_then(|rest| rest.split('.').next()?.parse().ok()) {
            return port;
        }
        assert!(Instant::now() < deadline, "chromedriver did not start: {said}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

const ARGUMENTS: [&str; 14] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    // Containers have little of /dev/shm, and a proxy of the machine's is not for these names.
    "--disable-dev-shm-usage",
    "--no-proxy-server",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1280,900",
    "--net-log-capture-mode=IncludeSensitive",
    "--enable-logging",
];

fn capabilities(
    settings: &Settings,
    network: &Network<'_>,
    at: &Path,
) -> thirtyfour::ChromeCapabilities {
    let rules = network.names.iter().map(|(name, to)| format!("MAP {name} {to}"));
    let rules: Vec<String> = rules.chain(["MAP * ~NOTFOUND".to_owned()]).collect();
    let places = [
        format!("--host-resolver-rules={}", rules.join(", ")),
        format!("--ignore-certificate-errors-spki-list={}", network.fingerprint),
        format!("--user-data-dir={}", profile(at).display()),
        format!("--log-net-log={}", net_log(at).display()),
        format!("--log-file={}", console(at).display()),
    ];
    let mut capabilities = DesiredCapabilities::chrome();
    for argument in ARGUMENTS.into_iter().chain(places.iter().map(String::as_str)) {
        capabilities.add_arg(argument).unwrap();
    }
    if settings.local_network.is_some() {
        let public = format!("--ip-address-space-overrides={}=public", network.platform);
        capabilities.add_arg(&public).unwrap();
    }
    capabilities.add_experimental_option("prefs", preferences(settings, at)).unwrap();
    capabilities
}

fn preferences(settings: &Settings, at: &Path) -> Value {
    let local_network = match settings.local_network {
        Some(true) => 1,
        Some(false) => 2,
        None => 3,
    };
    json!({
        "intl.accept_languages": settings.language,
        // 0 allows the cookies of third parties, 1 blocks them.
        "profile.cookie_controls_mode": u8::from(settings.blocks_third_parties),
        "profile.block_third_party_cookies": settings.blocks_third_parties,
        // 1 allows all cookies, 2 blocks them.
        "profile.default_content_setting_values.cookies": 1 + u8::from(settings.blocks_cookies),
        // 1 allows it, 2 blocks it, 3 asks the visitor. The first name became the other two.
        "profile.default_content_setting_values.local_network_access": local_network,
        "profile.default_content_setting_values.local_network": local_network,
        "profile.default_content_setting_values.loopback_network": local_network,
        "download.default_directory": downloads(at),
        "download.prompt_for_download": false,
    })
}

/// Where a browser of this folder keeps its profile.
pub fn profile(at: &Path) -> PathBuf {
    at.join("profile")
}

/// Where it writes what went over the network; whole once it has ended.
pub fn net_log(at: &Path) -> PathBuf {
    at.join("net-log.json")
}

/// Where it writes what its console says, of every frame.
pub fn console(at: &Path) -> PathBuf {
    at.join("console.log")
}

/// Where its downloads go.
pub fn downloads(at: &Path) -> PathBuf {
    at.join("downloads")
}
