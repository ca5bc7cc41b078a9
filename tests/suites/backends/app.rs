//! The backends: an app of each framework, on a port of this machine.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use vigile_tests::policies::project;
use vigile_tests::{tools, wire};

use crate::trick::Trick;

/// A framework.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    file: &'static str,
    runs_on: Runtime,
}

#[derive(Clone, Copy, Debug)]
enum Runtime {
    Python,
    Node,
    Php,
}

pub(crate) const ALL: [Kind; 9] = [
    Kind { name: "Bottle", file: "bottle_app.py", runs_on: Runtime::Python },
    Kind { name: "Django", file: "django_app.py", runs_on: Runtime::Python },
    Kind { name: "Flask", file: "flask_app.py", runs_on: Runtime::Python },
    Kind { name: "FastAPI", file: "fastapi_app.py", runs_on: Runtime::Python },
    Kind { name: "aiohttp", file: "aiohttp_app.py", runs_on: Runtime::Python },
    Kind { name: "Express", file: "express-app.mjs", runs_on: Runtime::Node },
    Kind { name: "Fastify", file: "fastify-app.mjs", runs_on: Runtime::Node },
    Kind { name: "Node", file: "url-app.mjs", runs_on: Runtime::Node },
    Kind { name: "PHP", file: "app.php", runs_on: Runtime::Php },
];

impl Kind {
    /// The thing that it needs and that is not here.
    pub(crate) fn missing(&self) -> Option<String> {
        self.program().err()
    }

    fn program(&self) -> Result<PathBuf, String> {
        match self.runs_on {
            Runtime::Python => tools::venv("backends"),
            Runtime::Node => {
                tools::node_modules("backends-node", "tests/backends")?;
                tools::program("node", "nodejs")
            }
            Runtime::Php => tools::program("php", "php-cli"),
        }
    }

    fn command(&self, address: SocketAddr) -> Command {
        let mut command = Command::new(self.program().unwrap());
        let apps = project().join("tests/backends");
        match self.runs_on {
            Runtime::Python => {
                command.arg(apps.join(self.file)).arg(address.port().to_string());
            }
            // A module is looked for beside the file that asks for it.
            Runtime::Node => {
                let folder = project().join(".tools/backends-node");
                std::fs::copy(apps.join(self.file), folder.join(self.file)).unwrap();
                command.arg(folder.join(self.file)).arg(address.port().to_string());
            }
            Runtime::Php => {
                command.arg("-S").arg(address.to_string()).arg(apps.join(self.file));
            }
        }
        command.current_dir(apps).env("PYTHONDONTWRITEBYTECODE", "1");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

/// A backend at work; it ends with this value.
pub(crate) struct Backend {
    pub(crate) kind: &'static Kind,
    pub(crate) address: SocketAddr,
    child: Child,
}

impl Backend {
    pub(crate) fn start(kind: &'static Kind) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], tools::free_port()));
        let child = kind.command(address).spawn().unwrap();
        let mut backend = Self { kind, address, child };
        let deadline = Instant::now() + Duration::from_secs(60);
        while backend.ask(&Trick::get("/", "")) != "open" {
            let ended = backend.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "no {}: {ended:?}", kind.name);
            std::thread::sleep(Duration::from_millis(50));
        }
        backend
    }

    /// The word that it answers, or its status.
    pub(crate) fn ask(&self, trick: &Trick) -> String {
        exchange(self.address, &trick.bytes(&[])).map_or("–".to_owned(), |answer| word(&answer))
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn exchange(to: SocketAddr, bytes: &[u8]) -> std::io::Result<wire::Answer> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream.write_all(bytes)?;
    wire::read(&mut stream, false)
}

/// One of the words that every app knows, or the status of another answer.
pub(crate) fn word(answer: &wire::Answer) -> String {
    let body = String::from_utf8_lossy(&answer.body);
    match body.trim().trim_matches('"') {
        word @ ("admin" | "settings" | "members" | "changed" | "deleted" | "open")
            if answer.status == 200 =>
        {
            word.to_owned()
        }
        _ => answer.status.to_string(),
    }
}
