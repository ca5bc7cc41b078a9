//! A sample's app under uvicorn, as its README starts it.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use crate::envoy;
use crate::policies::project;

/// The app of `envoy/NAME/app.py`; it ends with this value.
pub struct Uvicorn {
    child: Child,
    folder: tempfile::TempDir,
}

impl Uvicorn {
    /// Starts it on a socket that listens already, so that nobody else can have its port meanwhile, and
    /// waits until `/health` answers. It has these variables and no others.
    pub fn start(
        python: &Path,
        sample: &str,
        socket: &TcpListener,
        environment: &BTreeMap<String, String>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(python)
            .args(["-m", "uvicorn", "app:app", "--fd", "0", "--log-level", "warning"])
            // What many frameworks say of themselves, and a policy takes away.
            .args(["--header", "x-powered-by:FastAPI"])
            .current_dir(project().join("envoy").join(sample))
            .env_clear()
            .envs(environment)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(OwnedFd::from(socket.try_clone().unwrap()))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut app = Self { child, folder };
        let deadline = Instant::now() + Duration::from_secs(60);
        while envoy::get(socket.local_addr().unwrap(), "/health").is_none() {
            let ended = app.child.try_wait().unwrap();
            assert!(
                ended.is_none() && Instant::now() < deadline,
                "no app: {ended:?}\n{}",
                app.logged()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        app
    }

    /// What it has printed.
    pub fn logged(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Uvicorn {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
