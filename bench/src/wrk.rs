//! The load: wrk, for a slice of time.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::Deserialize;

use crate::cpu;
use crate::policy::HOST;

const SCRIPT: &str = include_str!("requests.lua");
/// Enough that Envoy always has something to do.
pub const CONNECTIONS: usize = 32;

/// What wrk counted.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Count {
    pub requests: u64,
    /// Answers of 400 and more.
    pub refused: u64,
    /// Connections that could not be opened, read or written, and answers that took 2 seconds.
    pub broken: u64,
}

/// Requests in a folder, ready to be sent.
pub struct Load<'a> {
    folder: &'a Path,
    path: &'static str,
}

impl<'a> Load<'a> {
    pub fn write(
        folder: &'a Path,
        path: &'static str,
        authorizations: &[String],
    ) -> std::io::Result<Self> {
        std::fs::write(folder.join("requests.lua"), SCRIPT)?;
        std::fs::write(folder.join("authorizations"), authorizations.join("\n") + "\n")?;
        Ok(Self { folder, path })
    }

    /// Sends them for so long.
    pub fn run(&self, to: SocketAddr, slice: Duration) -> Result<Count, String> {
        let running = self.start(to, slice)?;
        std::thread::sleep(slice);
        running.stop()
    }

    /// Sends them until it is told to stop; should nobody, a little longer than this.
    pub fn start(&self, to: SocketAddr, about: Duration) -> Result<Running, String> {
        Command::new("wrk")
            .args(["--threads", "1", "--connections", &CONNECTIONS.to_string()])
            .args(["--duration", &format!("{}s", about.as_secs() + 5), "--script"])
            .arg(self.folder.join("requests.lua"))
            .arg(format!("http://{to}{}", self.path))
            .args(["--".as_ref(), self.folder.join("authorizations").as_os_str(), HOST.as_ref()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map(Running)
            .map_err(|error| format!("wrk: {error}"))
    }
}

/// A wrk at work.
pub struct Running(Child);

impl Running {
    pub fn stop(self) -> Result<Count, String> {
        // wrk knows whole seconds alone; interrupted, it says what it counted.
        cpu::interrupt(self.0.id()).map_err(|error| format!("wrk: {error}"))?;
        let output = self.0.wait_with_output().map_err(|error| format!("wrk: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        let count = said.lines().find(|line| line.starts_with('{'));
        count.and_then(|line| serde_json::from_str(line).ok()).ok_or_else(|| {
            format!("wrk counted nothing: {said}{}", String::from_utf8_lossy(&output.stderr))
        })
    }
}
