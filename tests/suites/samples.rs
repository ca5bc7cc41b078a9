//! The samples as configs, and the policies that docs/policy.md prints: sound for `vigile check`, and
//! taken by every Envoy.

mod samples {
    pub(crate) mod document;
}

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use samples::document;
use vigile::check::{Format, check as found_in};
use vigile::sample::Ocr;
use vigile::yaml::Yaml;
use vigile_tests::envoy::{self, Binary};
use vigile_tests::keys::RING;
use vigile_tests::snippets::{self, Snippet};
use vigile_tests::{policies, tools};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    let samples = as_they_stand();
    for (name, text) in variants(&samples["ocr"]) {
        trials.push(check(&name, &text));
        trials.extend(in_envoy(&name, &text, |binaries| binaries.split_off(binaries.len() - 1)));
    }
    for (name, text) in samples {
        trials.push(check(&name, &text));
        let sample = text.clone();
        trials.push(Trial::test(format!("clusters/{name}"), move || prefers_ipv4(&sample)));
        trials.extend(in_envoy(&name, &text, std::mem::take));
    }
    let policy = read("docs/policy.md");
    for snippet in yaml(&policy) {
        let name = format!("docs/policy.md/line {}", snippet.line);
        trials.push(Trial::test(name, move || document::is_a_policy(&snippet)));
    }
    trials.push(Trial::test("docs/policy.md names every key", move || {
        document::names_every_key(&policy)
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn check(name: &str, text: &str) -> Trial {
    let text = text.to_owned();
    Trial::test(format!("check/{name}"), move || nothing_found(&text))
}

fn in_envoy(name: &str, text: &str, chosen: fn(&mut Vec<Binary>) -> Vec<Binary>) -> Vec<Trial> {
    let trial = |binary: Binary| {
        let text = text.to_owned();
        let name = format!("envoy/{}/{name}", binary.version);
        Trial::test(name, move || is_taken(&binary, &text))
    };
    match tools::envoys() {
        Ok(mut binaries) => chosen(&mut binaries).into_iter().map(trial).collect(),
        Err(missing) => vec![tools::skipped(format!("envoy/{name}"), missing)],
    }
}

fn read(file: &str) -> String {
    std::fs::read_to_string(policies::project().join(file)).unwrap()
}

fn yaml(document: &str) -> Vec<Snippet> {
    snippets::all(document).into_iter().filter(|snippet| snippet.language == "yaml").collect()
}

/// The configs that stand under `envoy/`, with the values of the example.
fn as_they_stand() -> BTreeMap<String, String> {
    let file = |name: &str| policies::project().join("envoy").join(name).join("envoy.yaml");
    let samples = policies::samples().into_iter();
    samples.map(|name| (name.clone(), policies::rendered(&file(&name)))).collect()
}

/// The levels of the OCR service as `vigile init` writes them, and what its README says for a load
/// balancer.
fn variants(sample: &str) -> BTreeMap<String, String> {
    let level = |(level, observe): (usize, bool)| {
        let init = Ocr {
            level,
            observe,
            module: "ocr".into(),
            upstream: ("127.0.0.1".into(), 8000),
            provider: "api.openai.com".into(),
            tls: "/etc/envoy/tls".into(),
            wasm: "/etc/envoy/vigile.wasm".into(),
        };
        let name = format!("ocr, level {level}{}", if observe { ", observe" } else { "" });
        (name, init.config().unwrap())
    };
    let levels = [(1, false), (2, false), (3, false), (3, true)].map(level);
    let balanced = ("ocr, load balancer".to_owned(), behind_a_load_balancer(sample));
    levels.into_iter().chain([balanced]).collect()
}

/// The fragment of the OCR service's README, where it says that it belongs.
fn behind_a_load_balancer(sample: &str) -> String {
    let fragments = yaml(&read("envoy/ocr/README.md"));
    let [fragment] = &fragments[..] else { panic!("one fragment, not {fragments:?}") };
    let own = "                use_remote_address: true\n";
    let lines = fragment.text.lines().map(|line| format!("                {line}\n"));
    let fragment: String = lines.collect();
    let text = sample.replacen(own, &format!("{}{fragment}", own.replace("true", "false")), 1);
    let text = text.replacen(
        "vigile: 1\n",
        "vigile: 1\n                            client_address: envoy\n",
        1,
    );
    assert!(text.contains("xff_trusted_cidrs") && text.contains("client_address"), "{text}");
    text
}

/// A name such as `localhost` has addresses of both families, and most apps listen on the one of IPv4. By
/// itself Envoy takes those of IPv6 alone, where there are any.
fn prefers_ipv4(text: &str) -> Result<(), Failed> {
    let yaml = Yaml::parse(text).map_err(|error| error.problem)?;
    let config = serde_json::to_value(yaml.tree())?;
    let clusters = config["static_resources"]["clusters"].as_array().ok_or("no clusters")?;
    for cluster in clusters {
        let (kind, family) = (&cluster["type"], &cluster["dns_lookup_family"]);
        if kind != "STATIC" && family != "V4_PREFERRED" {
            return Err(format!("{}: {kind}, {family}", cluster["name"]).into());
        }
    }
    Ok(())
}

/// No error, no warning, not even a note.
fn nothing_found(text: &str) -> Result<(), Failed> {
    let found = found_in(text.as_bytes(), Format::Yaml, None);
    if found.is_empty() { Ok(()) } else { Err(format!("{found:#?}").into()) }
}

/// `envoy --mode validate` loads the module and its policy as well.
fn is_taken(binary: &Binary, text: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let key = rcgen::KeyPair::generate()?;
    let names = rcgen::CertificateParams::new(["sample.example.org".to_owned()])?;
    std::fs::write(folder.path().join("fullchain.pem"), names.self_signed(&key)?.pem())?;
    std::fs::write(folder.path().join("privkey.pem"), key.serialize_pem())?;
    let here = folder.path().display().to_string();
    let text = text
        .replace("/etc/envoy/tls", &here)
        .replace("/etc/ssl/certs/ca-certificates.crt", &format!("{here}/fullchain.pem"))
        .replace("/etc/envoy/vigile.wasm", &envoy::module().display().to_string());
    std::fs::write(folder.path().join("envoy.yaml"), text)?;
    let said = validate(binary, folder.path())?;
    // A deprecated field is a sample that the next Envoy may refuse.
    match said.lines().find(|line| line.contains("eprecated")) {
        None => Ok(()),
        Some(line) => Err(line.to_owned().into()),
    }
}

fn validate(binary: &Binary, folder: &Path) -> Result<String, Failed> {
    let output = Command::new(&binary.path)
        .args(["--mode", "validate", "--config-path", "envoy.yaml"])
        .current_dir(folder)
        .env_clear()
        .envs(RING.environment())
        .output()?;
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() { Ok(said) } else { Err(said.into()) }
}
