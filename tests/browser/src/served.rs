//! A real app as a child process.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vigile_tests::policies::project;

/// How an app is started.
pub struct Program {
    /// The environment of Python that has it.
    pub venv: &'static str,
    /// Modules and options before the file.
    pub before: &'static [&'static str],
    /// A file of the project, if the app is made of one.
    pub file: Option<&'static str>,
    /// Options behind it; `{port}` stands for the port, which is in PORT as well.
    pub after: &'static [&'static str],
    /// The path at which it answers once it is there.
    pub answers: &'static str,
}

/// A running app; it ends with this value.
pub struct Served {
    child: Child,
    address: SocketAddr,
    answers: &'static str,
    folder: tempfile::TempDir,
}

impl Served {
    /// Starts an app on a port that the system chooses. It does not wait.
    pub fn start(python: &Path, program: &Program, environment: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free_address();
        let log = File::create(folder.path().join("log")).unwrap();
        let port = address.port().to_string();
        let child = Command::new(python)
            .args(program.before)
            .args(program.file.map(|file| copied(file, folder.path())))
            .args(program.after.iter().map(|option| option.replace("{port}", &port)))
            .env("PORT", port)
            .env("HOME", folder.path())
            // Some of the tests' apps are the sample's with something more.
            .env("PYTHONPATH", project().join("envoy/stable-diffusion"))
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
        Self { child, address, answers: program.answers, folder }
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
        while vigile_tests::envoy::get(self.address, self.answers).is_none() {
            let ended = self.child.try_wait().unwrap();
            let waits = ended.is_none() && Instant::now() < deadline;
            assert!(waits, "the app did not start ({ended:?}):\n{}", self.printed());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A copy, beside which an app may write what it likes.
fn copied(file: &str, folder: &Path) -> PathBuf {
    let file = project().join(file);
    let copy = folder.join(file.file_name().unwrap());
    std::fs::copy(file, &copy).unwrap();
    copy
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_address() -> SocketAddr {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap()
}
