//! The commands of `nginx-unit/README.md`, as they stand there, before a control socket that keeps what it is told.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use libtest_mimic::Arguments;
use serde_json::Value;
use vigile_policy::{Draft, Host};
use vigile_tests::keys::RING;
use vigile_tests::policies::project;
use vigile_tests::{snippets, tools};
use vigile_unit_tests::config::unknown_members;

const CONTROL: &str = "/run/control.unit.sock";
const FOLDER: &str = "/etc/vigile";

fn main() {
    let arguments = Arguments::from_args();
    let needed: Result<Vec<_>, String> =
        ["bash", "curl", "jq"].map(|name| tools::program(name, name)).into_iter().collect();
    let trial = tools::with("nginx-unit/README.md", needed, |_| run());
    libtest_mimic::run(&arguments, vec![trial]).exit();
}

fn run() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for part in ["nginx-unit", "envoy"] {
        copy(&project().join(part), &root.join(part));
    }
    fs::create_dir(root.join("bin")).unwrap();
    symlink(tools::vigile(), root.join("bin/vigile")).unwrap();
    let unit = Arc::new(Mutex::new(Unit::default()));
    let listener = UnixListener::bind(root.join("control.sock")).unwrap();
    let answering = unit.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answering.lock().unwrap().answer(stream.unwrap());
        }
    });
    let script = script(root);
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", root.join("bin").display());
    let ran = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(root)
        .env_clear()
        .env("PATH", path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert!(ran.status.success(), "{said}");
    let unit = unit.lock().unwrap();
    let asked: Vec<&str> = unit.asked.iter().map(String::as_str).collect();
    let wanted = [
        "PUT /config",
        "PUT /config",
        "PUT /config",
        "GET /control/applications/stable-diffusion/restart",
        "PUT /config/applications/stable-diffusion/environment/VIGILE_POLICY",
    ];
    assert_eq!(asked, wanted);
    let names = |member: &str| -> Vec<String> {
        let mut names: Vec<String> =
            unit.config[member].as_object().unwrap().keys().cloned().collect();
        names.sort();
        names
    };
    assert_eq!(names("applications"), ["ocr", "stable-diffusion"]);
    let listeners = ["127.0.0.1:8081", "127.0.0.1:8082", "unix:/run/vigile/gate.sock"];
    assert_eq!(names("listeners"), listeners);
    let stays = ["host", "source", "host"];
    assert_eq!(conditions(&unit.config["routes"]["stable-diffusion"]), stays);
    assert_eq!(conditions(&unit.config["routes"]["ocr"]), ["host", "uri"]);
    assert_eq!(unknown_members(&unit.config), Vec::<String>::new());
    assert!(fs::read_to_string(root.join("front.yaml")).unwrap().contains("port_value: 8082"));
    let ocr = fs::read_to_string(root.join("policies/ocr.json")).unwrap();
    let ocr: Value = serde_json::from_str(&ocr).unwrap();
    assert_eq!(ocr["modules"][0]["name"], "ocr");
    let environment = &unit.config["applications"]["stable-diffusion"]["environment"];
    let text = |name: &str| environment[name].as_str().unwrap().to_owned();
    assert_eq!(text("IAHOME_JWT_SECRET"), RING.environment()["IAHOME_JWT_SECRET"]);
    let file = fs::read_to_string(root.join("policies/stable-diffusion.json")).unwrap();
    for policy in [text("VIGILE_POLICY"), file] {
        let secrets: BTreeMap<_, _> = RING.environment().into_iter().collect();
        let state = Draft::read(policy.as_bytes()).unwrap().resolve(&secrets, Host::UNIT).unwrap();
        assert!(state.policy().modules().any(|module| module == "stablediffusion"));
    }
}

/// The first condition of each route of a list, by the alphabet.
fn conditions(routes: &Value) -> Vec<&str> {
    let routes = routes.as_array().unwrap().iter();
    routes
        .filter_map(|route| Some(route.get("match")?.as_object()?.keys().min()?.as_str()))
        .collect()
}

/// The `sh` blocks, with this folder in the place of the system's, and a secret where one is to be filled in.
fn script(root: &Path) -> String {
    let readme = fs::read_to_string(root.join("nginx-unit/README.md")).unwrap();
    let blocks = snippets::all(&readme).into_iter().filter(|snippet| snippet.language == "sh");
    let commands: String = blocks.map(|snippet| snippet.text).collect();
    assert!(commands.contains(CONTROL) && commands.contains(FOLDER) && commands.contains('…'));
    commands
        .replace(CONTROL, "control.sock")
        .replace(FOLDER, "policies")
        .replace(" /var/log/unit", " log")
        .replace(" /run/vigile", " run")
        // A user that not every machine has.
        .replace("-o unit -g unit ", "")
        .replace('…', &RING.environment()["IAHOME_JWT_SECRET"])
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let file = entry.unwrap().path();
        let name = to.join(file.file_name().unwrap());
        match file.is_dir() {
            true => copy(&file, &name),
            false => drop(fs::copy(&file, name).unwrap()),
        }
    }
}

/// What Unit's control socket was told.
#[derive(Default)]
struct Unit {
    asked: Vec<String>,
    config: Value,
}

impl Unit {
    fn answer(&mut self, stream: UnixStream) {
        let mut reader = BufReader::new(&stream);
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first).unwrap();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            match line.trim().to_ascii_lowercase().split_once(": ") {
                Some(("content-length", text)) => length = text.parse().unwrap(),
                Some(_) => {}
                None => break,
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let asked = first.trim().trim_end_matches(" HTTP/1.1").to_owned();
        let status = match self.take(&asked, String::from_utf8(body).unwrap()) {
            Some(()) => "200 OK",
            None => "404 Not Found",
        };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        (&stream).write_all(answer.as_bytes()).unwrap();
        self.asked.push(asked);
    }

    /// `None` where Unit knows of nothing there.
    fn take(&mut self, asked: &str, body: String) -> Option<()> {
        let (method, path) = asked.split_once(' ')?;
        match (method, path.strip_prefix("/control")) {
            ("GET", Some(application)) => {
                self.config.pointer(application.strip_suffix("/restart")?).map(drop)
            }
            ("PUT", None) => {
                let value = serde_json::from_str(&body).ok()?;
                let at = path.strip_prefix("/config")?;
                *self.config.pointer_mut(at)? = value;
                Some(())
            }
            _ => None,
        }
    }
}
