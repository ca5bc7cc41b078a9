//! A Redis for one test: Debian's `redis-server` on a Unix socket, which keeps nothing on disk.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vigile_tests::tools;

/// A Redis; it ends with this value.
pub struct RedisServer {
    program: PathBuf,
    folder: tempfile::TempDir,
    child: Option<Child>,
}

impl RedisServer {
    /// The program, or the Debian package that brings it.
    ///
    /// # Errors
    /// Where it is not installed.
    pub fn program() -> Result<PathBuf, String> {
        tools::program("redis-server", "redis-server")
    }

    pub fn start(program: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut server = Self { program: program.to_owned(), folder, child: None };
        server.start_again();
        server
    }

    /// Where clients find it, before and after a restart.
    pub fn address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// Ends it; what it had counted is gone.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub fn start_again(&mut self) {
        self.stop();
        let _ = std::fs::remove_file(self.socket());
        let child = Command::new(&self.program)
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(self.socket())
            .arg("--dir")
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        self.child = Some(child.expect("redis-server can be run"));
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.try_client().is_err() {
            assert!(Instant::now() < deadline, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Lets it answer nobody, and keeps every connection: what a hanging machine looks like.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// A client of its own.
    pub fn client(&self) -> redis::Connection {
        self.try_client().expect("redis-server answers")
    }

    fn try_client(&self) -> redis::RedisResult<redis::Connection> {
        let mut client = redis::Client::open(self.address())?.get_connection()?;
        redis::cmd("PING").query::<String>(&mut client)?;
        Ok(client)
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    fn signal(&self, name: &str) {
        let pid = self.child.as_ref().expect("redis-server runs").id().to_string();
        let status = Command::new("kill").args([&format!("-{name}"), &pid]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -{name} {pid}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop();
    }
}
