//! Firefox under geckodriver.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use thirtyfour::common::capabilities::firefox::FirefoxPreferences;
use thirtyfour::{CapabilitiesHelper, DesiredCapabilities, WebDriver};
use vigile_tests::tools;

use crate::chromium::{Settings, downloads, profile};

/// A running geckodriver. It takes one browser, which ends with this value.
pub struct Geckodriver {
    child: Child,
    port: u16,
}

/// Finds Firefox and geckodriver, or says what is missing.
///
/// # Errors
/// The command that brings it.
pub fn installed() -> Result<(), String> {
    tools::program("firefox-esr", "firefox-esr")?;
    tools::program("geckodriver", "firefox-esr").map(|_| ()).map_err(|_| {
        "geckodriver is missing: cargo install geckodriver --version 0.37.1 --locked".to_owned()
    })
}

impl Geckodriver {
    /// Starts it on a port that the system chooses. Its log lies in this folder.
    pub fn start(at: &Path) -> Self {
        let log = at.join("geckodriver.log");
        let child = Command::new("geckodriver")
            .args(["--port", "0", "--websocket-port", "0", "--allow-system-access"])
            .env("MOZ_HEADLESS", "1")
            // Firefox refuses a home of somebody else's, and keeps nothing there for us.
            .env("HOME", at)
            .stdin(Stdio::null())
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child, port: port(&log) }
    }

    /// Opens a browser with a profile of its own in this folder, which finds every name by this proxy.
    pub async fn browse(&self, settings: &Settings, proxy: SocketAddr, at: &Path) -> WebDriver {
        // It asks for neither: another profile would be taken, and other downloads.
        for folder in [profile(at), downloads(at)] {
            std::fs::create_dir_all(folder).unwrap();
        }
        let mut capabilities = DesiredCapabilities::firefox();
        for argument in ["-profile", &profile(at).display().to_string()] {
            capabilities.add_arg(argument).unwrap();
        }
        // The certificates are made for the run, and Firefox takes no fingerprint of one.
        capabilities.accept_insecure_certs(true).unwrap();
        capabilities.set_preferences(preferences(settings, proxy, at)).unwrap();
        WebDriver::new(format!("http://127.0.0.1:{}", self.port), capabilities).await.unwrap()
    }
}

impl Drop for Geckodriver {
    fn drop(&mut self) {
        // The visit's end has ended its browser.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn preferences(settings: &Settings, proxy: SocketAddr, at: &Path) -> FirefoxPreferences {
    let mut preferences = FirefoxPreferences::new();
    let mut set = |name: &str, value: serde_json::Value| preferences.set(name, value).unwrap();
    set("intl.accept_languages", settings.language.into());
    set("network.proxy.type", 1.into());
    set("network.proxy.ssl", proxy.ip().to_string().into());
    set("network.proxy.ssl_port", proxy.port().into());
    // Nothing but the run's own names: whatever else Firefox asks for is told no by the proxy.
    set("network.captive-portal-service.enabled", false.into());
    set("network.connectivity-service.enabled", false.into());
    set("browser.download.folderList", 2.into());
    set("browser.download.dir", downloads(at).display().to_string().into());
    // Firefox's default keeps the cookies of third parties apart, by the page's site (5); 0 lets all through.
    let cookies = if settings.blocks_third_parties { 5 } else { 0 };
    set("network.cookie.cookieBehavior", cookies.into());
    preferences
}

fn port(log: &Path) -> u16 {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let said = std::fs::read_to_string(log).unwrap_or_default();
        let line = said.lines().find_map(|line| line.split("Listening on 127.0.0.1:").nth(1));
        if let Some(port) = line.and_then(|rest| rest.trim().parse().ok()) {
            return port;
        }
        assert!(Instant::now() < deadline, "geckodriver did not start: {said}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
