//! The sample `envoy/stable-diffusion` below HTTP: what is spoken on its TLS listener, and where the plain
//! one leads.

use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::gate::same;
use vigile_tests::keys::RING;
use vigile_tests::sample::Sample;
use vigile_tests::tools;

const HOST: &str = "stablediffusion.regispailler.fr";

type Test = fn(&Stage) -> Result<(), Failed>;

fn main() {
    let arguments = Arguments::from_args();
    let tests: [(&str, Test); 4] = [
        ("plain http leads nobody to another host", leads_nowhere_else),
        ("plain http leads to https without the query", leads_to_https),
        ("tls 1.2 and 1.3 are spoken", is_spoken),
        ("tls 1.1 is not", is_not_spoken),
    ];
    let needed = tools::envoys().and_then(|_| tools::program("curl", "curl"));
    let trials = tests.into_iter().flat_map(|(name, test)| match &needed {
        Ok(_) => envoy::binaries().iter().map(|binary| trial(binary, name, test)).collect(),
        Err(missing) => vec![tools::skipped(name, missing)],
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn trial(binary: &Binary, name: &str, test: Test) -> Trial {
    let binary = binary.clone();
    Trial::test(format!("{}/{name}", binary.version), move || test(&Stage::start(&binary)?))
}

struct Stage {
    envoy: Envoy,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn start(binary: &Binary) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let made = rcgen::generate_simple_self_signed([HOST.to_owned()])?;
        let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        std::fs::write(&chain, made.cert.pem())?;
        std::fs::write(&key, made.signing_key.serialize_pem())?;
        let sample = Sample::read("stable-diffusion")
            .file("/etc/envoy/vigile.wasm", &envoy::module())
            .file("/etc/envoy/tls/fullchain.pem", &chain)
            .file("/etc/envoy/tls/privkey.pem", &key)
            // No app: Vigile answers before one is asked.
            .upstream("192.0.2.20:7860", ([127, 0, 0, 1], envoy::free_port()).into());
        let envoy = sample.start(binary, &RING.environment()).map_err(|error| error.0)?;
        Ok(Self { envoy, _folder: folder })
    }

    /// What curl prints of an answer, or of its failure.
    fn curl(
        &self,
        listener: &str,
        scheme: &str,
        path: &str,
        more: &[&str],
    ) -> Result<String, Failed> {
        let port = self.envoy.listener(listener).port();
        let output = Command::new("curl")
            .args(["--silent", "--show-error", "--insecure", "--output", "/dev/null"])
            .args([
                "--write-out",
                "%{http_version} %{http_code} %header{vigile-reason}%header{location}",
            ])
            .args(["--resolve", &format!("{HOST}:{port}:127.0.0.1")])
            .args(more)
            .arg(format!("{scheme}://{HOST}:{port}{path}"))
            .output()?;
        let text = [output.stdout, output.stderr].concat();
        Ok(String::from_utf8_lossy(&text).trim().to_owned())
    }
}

/// A token that came in clear is not carried on.
fn leads_to_https(stage: &Stage) -> Result<(), Failed> {
    let said = stage.curl("http", "http", "/a/b?token=in.the.clear&c=1", &[])?;
    Ok(same(&said, &format!("1.1 301 https://{HOST}:8443/a/b"))?)
}

/// A link with another name in Host would have the sample send its visitors there.
fn leads_nowhere_else(stage: &Stage) -> Result<(), Failed> {
    let said = stage.curl("http", "http", "/", &["--header", "Host: evil.example"])?;
    Ok(same(&said, &"1.1 404".to_owned())?)
}

fn is_spoken(stage: &Stage) -> Result<(), Failed> {
    for version in ["1.2", "1.3"] {
        let only = [&format!("--tlsv{version}"), "--tls-max", version];
        let said = stage.curl("https", "https", "/", &only)?;
        same(&said, &"2 401 token.missing".to_owned())?;
    }
    Ok(())
}

/// It is the server that refuses it: its alert is what the client tells of.
fn is_not_spoken(stage: &Stage) -> Result<(), Failed> {
    let old = ["--tlsv1.0", "--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"];
    let said = stage.curl("https", "https", "/", &old)?;
    match said.contains("alert protocol version") {
        true => Ok(()),
        false => Err(said.into()),
    }
}
