//! A page in a headless Chromium, for as long as a test needs it.

use std::process::{Child, Command, Stdio};

/// A browser with a profile of its own; it ends with this value.
pub struct Headless {
    child: Child,
    _profile: tempfile::TempDir,
}

impl Headless {
    pub fn open(address: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let child = Command::new("chromium")
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"])
            .args(["--no-proxy-server", "--no-first-run", "--disable-background-networking"])
            .args(["--disable-component-update", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg(address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromium starts");
        Self { child, _profile: profile }
    }
}

impl Drop for Headless {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
