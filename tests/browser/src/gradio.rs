//! A real Gradio app as a child process.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running app; it ends with this value.
pub struct Gradio {
    child: Child,
    address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Gradio {
    /// Starts an app of the project on a port that the system chooses. It does not wait.
    pub fn start(python: &Path, app: &str, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(python)
            .arg(vigile_tests::policies::project().join(app))
            .env("PORT", address.port().to_string())
            .env("GRADIO_TEMP_DIR", folder.path().join("files"))
            // Nothing is asked of the Internet.
            .env("GRADIO_ANALYTICS_ENABLED", "False")
            .env("HF_HUB_OFFLINE", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .envs(environment.iter().copied())
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, address, folder }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the app printed.
    pub fn printed(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Waits until it answers.
    pub fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(180);
        while vigile_tests::envoy::get(self.address, "/config").is_none() {
            let ended = self.child.try_wait().unwrap();
            let waits = ended.is_none() && Instant::now() < deadline;
            assert!(waits, "Gradio did not start ({ended:?}):\n{}", self.printed());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Gradio {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap()
}
