//! The samples as configs, and the policies that docs/policy.md prints: sound for `vigile check`, and
//! taken by every Envoy.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use vigile::check::{self, Format};
use vigile::sample::Ocr;
use vigile_policy::{Draft, Host, SchemaKey};
use vigile_tests::bad::{self, Bad};
use vigile_tests::envoy::{self, Binary};
use vigile_tests::keys::RING;
use vigile_tests::snippets::{self, Snippet};
use vigile_tests::{policies, tools};

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (name, text) in configs() {
        let config = text.clone();
        trials.push(Trial::test(format!("check/{name}"), move || nothing_found(&config)));
        match tools::envoys() {
            Ok(binaries) => trials.extend(binaries.into_iter().map(|binary| {
                let text = text.clone();
                let name = format!("envoy/{}/{name}", binary.version);
                Trial::test(name, move || is_taken(&binary, &text))
            })),
            Err(missing) => trials.push(tools::skipped(format!("envoy/{name}"), missing)),
        }
    }
    let document = read("docs/policy.md");
    for snippet in yaml(&document) {
        let name = format!("docs/policy.md/line {}", snippet.line);
        trials.push(Trial::test(name, move || is_a_policy(&snippet)));
    }
    trials.push(Trial::test("docs/policy.md names every key", move || names_every_key(&document)));
    libtest_mimic::run(&arguments, trials).exit();
}

fn read(file: &str) -> String {
    std::fs::read_to_string(policies::project().join(file)).unwrap()
}

fn yaml(document: &str) -> Vec<Snippet> {
    snippets::all(document).into_iter().filter(|snippet| snippet.language == "yaml").collect()
}

/// Every whole config: those that stand under `envoy/`, the levels of the OCR service as `vigile init`
/// writes them, and what its README says for a load balancer.
fn configs() -> BTreeMap<String, String> {
    let folders = std::fs::read_dir(policies::project().join("envoy")).unwrap();
    let folders = folders.map(|folder| folder.unwrap().file_name().into_string().unwrap());
    let config = |folder: String| (folder.clone(), read(&format!("envoy/{folder}/envoy.yaml")));
    let mut configs: BTreeMap<String, String> = folders.map(config).collect();
    for (level, observe) in [(1, false), (2, false), (3, false), (3, true)] {
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
        configs.insert(name, init.config().unwrap());
    }
    configs.insert("ocr, load balancer".into(), behind_a_load_balancer(&configs["ocr"]));
    configs
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

/// No error, no warning, not even a note.
fn nothing_found(text: &str) -> Result<(), Failed> {
    let found = check::check(text.as_bytes(), Format::Yaml, None);
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

/// What is printed can be copied: it is a whole policy, and a good one.
fn is_a_policy(snippet: &Snippet) -> Result<(), Failed> {
    let yaml = vigile::yaml::Yaml::parse(&snippet.text)
        .map_err(|error| format!("{} {}", error.place, error.problem))?;
    let mut variables = RING.environment();
    variables.insert("IAHOME_PUBLIC_KEY".into(), variables["RSA_PUBLIC_KEY"].clone());
    let state = Draft::from(yaml.tree()).resolve(&variables, Host::ENVOY);
    state.map_err(|mistakes| Failed::from(format!("{mistakes:#?}")))?;
    nothing_found(&snippet.text)
}

/// Every key of the schema stands in code in the section of its parent: in a table or a sentence, for an
/// example alone explains nothing.
fn names_every_key(document: &str) -> Result<(), Failed> {
    let sections = sections(document);
    let missing: BTreeSet<String> = schema()
        .into_iter()
        .map(|key| key.path)
        .filter(|path| !is_named(path, &sections))
        .collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!("not named: {missing:#?}").into()),
    }
}

fn is_named(path: &str, sections: &BTreeMap<String, BTreeSet<String>>) -> bool {
    let mut parts = path.split('.').map(|part| part.trim_end_matches("[]")).rev();
    let name = parts.next().unwrap();
    let parent = parts.find_map(|part| sections.get(part));
    let top = match path.starts_with("{}") {
        true => "How it is written",
        false => "The top",
    };
    // A name of the author's own has none.
    name == "*" || parent.unwrap_or(&sections[top]).contains(name)
}

/// The words in code of each section, by its heading.
fn sections(document: &str) -> BTreeMap<String, BTreeSet<String>> {
    let prose: String = document.split("```").step_by(2).collect();
    let sections = prose.split("\n#").skip(1).map(|section| {
        let (heading, text) = section.split_once('\n').unwrap();
        let heading = heading.trim_start_matches('#').trim().trim_matches('`');
        (heading.to_owned(), words_in_code(text))
    });
    sections.collect()
}

/// Every key that any policy of the corpus, good or bad, makes a reader ask for.
fn schema() -> BTreeSet<SchemaKey> {
    let keys = |(_, tree)| Draft::from(tree).keys(&RING.environment(), Host::ENVOY);
    let good = bad::good().into_iter().flat_map(keys);
    good.chain(bad::all().iter().flat_map(Bad::keys)).collect()
}

/// The words between backticks.
fn words_in_code(text: &str) -> BTreeSet<String> {
    let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let code = text.split('`').skip(1).step_by(2);
    code.flat_map(|code| code.split(word)).map(str::to_owned).collect()
}
