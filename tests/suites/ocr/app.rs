//! The sample's app under uvicorn.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vigile_tests::envoy;
use vigile_tests::policies::project;

use super::stage::Environment;

/// The sample's app; it ends with this value.
pub(crate) struct App {
    child: Child,
    folder: tempfile::TempDir,
}

impl App {
    /// Starts it and waits until it answers. Its provider is where Envoy listens for it.
    pub(crate) fn start(
        python: &Path,
        at: SocketAddr,
        provider: SocketAddr,
        environment: &Environment,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(python)
            .args(["-m", "uvicorn", "app:app", "--host", "127.0.0.1", "--log-level", "warning"])
            .args(["--port", &at.port().to_string()])
            .current_dir(project().join("envoy/ocr"))
            .env_clear()
            .envs(environment)
            .env("PROVIDER_URL", format!("http://{provider}"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut app = Self { child, folder };
        let deadline = Instant::now() + Duration::from_secs(60);
        while envoy::get(at, "/health").is_none() {
            let ended = app.child.try_wait().unwrap();
            let said =
                || std::fs::read_to_string(app.folder.path().join("log")).unwrap_or_default();
            assert!(ended.is_none() && Instant::now() < deadline, "no app: {ended:?}\n{}", said());
            std::thread::sleep(Duration::from_millis(50));
        }
        app
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
