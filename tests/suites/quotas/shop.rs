//! The sample before an app that says yes, and what curl asks of it over TLS.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::Failed;
use serde_json::Value;
use vigile_tests::app::App;
use vigile_tests::case::Recipe;
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::keys::RING;
use vigile_tests::sample::Sample;

const HOST: &str = "stablediffusion.regispailler.fr";

/// A running sample.
pub(crate) struct Shop {
    envoy: Envoy,
    curl: PathBuf,
    folder: tempfile::TempDir,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    method: &'static str,
    path: String,
    headers: Vec<String>,
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Call {
    pub(crate) fn get(path: &str) -> Self {
        Self { method: "GET", path: path.to_owned(), headers: Vec::new() }
    }

    pub(crate) fn post(path: &str) -> Self {
        Self { method: "POST", ..Self::get(path) }
    }

    pub(crate) fn delete(path: &str) -> Self {
        Self { method: "DELETE", ..Self::get(path) }
    }

    pub(crate) fn at(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    pub(crate) fn with(mut self, header: &str) -> Self {
        self.headers.push(header.to_owned());
        self
    }

    pub(crate) fn token(self, token: String) -> Self {
        self.with(&format!("Authorization: Bearer {token}"))
    }
}

impl Answer {
    /// The header's value; empty where there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let line = |line: &&str| {
            line.split_once(':').is_some_and(|(known, _)| known.eq_ignore_ascii_case(name))
        };
        let found = self.head.lines().find(line).and_then(|line| line.split_once(": "));
        found.map(|(_, value)| value.trim()).unwrap_or_default()
    }
}

impl Shop {
    pub(crate) fn open(binary: &Binary, curl: &Path) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let file = |name: &str| folder.path().join(name);
        let key = rcgen::KeyPair::generate()?;
        let names = rcgen::CertificateParams::new([HOST.to_owned()])?;
        std::fs::write(file("fullchain.pem"), names.self_signed(&key)?.pem())?;
        std::fs::write(file("privkey.pem"), key.serialize_pem())?;
        let (_, app) = App::start();
        let sample = Sample::read("stable-diffusion")
            .file("/etc/envoy/vigile.wasm", &envoy::module())
            .file("/etc/envoy/tls/fullchain.pem", &file("fullchain.pem"))
            .file("/etc/envoy/tls/privkey.pem", &file("privkey.pem"))
            .upstream("192.0.2.20:7860", app);
        let envoy = sample.start(binary, &RING.environment()).map_err(|error| error.0)?;
        Ok(Self { envoy, curl: curl.to_owned(), folder })
    }

    /// A token of the platform for this user.
    pub(crate) fn token(&self, subject: &str, claims: &Value) -> String {
        RING.mint(&Recipe {
            module: Some("stablediffusion".into()),
            subject: Some(subject.to_owned()),
            claims: claims.as_object().unwrap().clone(),
            ..Recipe::default()
        })
    }

    /// All of them over one connection, one after the other.
    pub(crate) fn send(&self, calls: &[Call]) -> Vec<Answer> {
        let port = self.envoy.listener("https").port();
        let mut config = String::new();
        for (at, Call { method, path, headers }) in calls.iter().enumerate() {
            let path = path.replace('\\', r"\\");
            let _ = write!(
                config,
                "{}url = \"https://{HOST}:{port}{path}\"\nrequest = {method}\nsilent\ninclude\n\
                 path-as-is\ngloboff\nhttp1.1\nresolve = {HOST}:{port}:127.0.0.1\ncacert = \"{}\"\n\
                 write-out = \"\\n<<end>>\\n\"\n",
                if at == 0 { "" } else { "next\n" },
                self.folder.path().join("fullchain.pem").display(),
            );
            headers.iter().for_each(|header| {
                let _ = writeln!(config, "header = \"{header}\"");
            });
        }
        let mut child = Command::new(&self.curl)
            .args(["--config", "-"])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("curl");
        child.stdin.take().unwrap().write_all(config.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", output.status);
        let said = String::from_utf8(output.stdout).unwrap();
        let answers: Vec<Answer> =
            said.split("\n<<end>>\n").filter(|part| !part.is_empty()).map(answer).collect();
        assert_eq!(answers.len(), calls.len());
        answers
    }
}

fn answer(text: &str) -> Answer {
    let (head, body) = text.split_once("\r\n\r\n").expect("an answer");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status: status.expect("a status"), head: head.to_owned(), body: body.to_owned() }
}
