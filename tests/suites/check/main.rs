//! `vigile check`: every kind of finding on a config that has the fault, at its place; none of them on
//! the same config without it.
//!
//! `tests/check/good` holds configs in which nothing is found. A case of `tests/check/faults` changes one
//! of them and says what is found then, all of it. Where a case says what Envoy does with such a config,
//! a real Envoy is asked.

mod hostile;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Trial};
use serde::Deserialize;
use vigile::check::{self, Format, Reported};
use vigile::proxy::Proxy;
use vigile::yaml::{Place, Yaml};
use vigile_tests::case::whole_numbers;
use vigile_tests::{envoy, policies, tools};

/// What every secret of the fixtures holds.
const SECRET: &str = "do-not-show";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    /// The config that its cases change: a file of `tests/check/good`.
    base: Option<String>,
    cases: Vec<Case>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    base: Option<String>,
    /// A text that the base holds once, and what stands in its place.
    replace: Option<String>,
    with: Option<String>,
    /// Further changes.
    #[serde(default)]
    also: Vec<Change>,
    /// A whole file, and the same without the fault.
    file: Option<String>,
    fixed: Option<String>,
    /// `--env`
    environment: Option<BTreeMap<String, String>>,
    /// `--host`
    #[serde(default)]
    host: Proxy,
    finds: Vec<Wanted>,
    envoy: Option<Starts>,
}

#[derive(Clone, Debug, Deserialize)]
struct Change {
    replace: String,
    with: String,
}

/// A finding: its severity and kind, where it is, its path, and what it says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    error: Option<String>,
    warning: Option<String>,
    note: Option<String>,
    /// A text that the file holds once, at whose beginning it is.
    at: String,
    column: Option<usize>,
    path: Option<String>,
    says: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Starts {
    Starts,
    Refuses,
}

fn main() {
    let arguments = Arguments::from_args();
    let fixtures: Vec<(String, Fixture)> = files("faults").iter().map(|file| read(file)).collect();
    let mut trials: Vec<Trial> = files("good").into_iter().flat_map(good).collect();
    trials.extend(samples().into_iter().map(|file| {
        let text = policies::rendered(&file);
        let name = format!("samples/{}", file.strip_prefix(policies::project()).unwrap().display());
        Trial::test(name, move || nothing_found(&file, &text))
    }));
    let found: BTreeSet<String> = kinds(&fixtures);
    trials.push(Trial::test("every kind of finding has a case", move || {
        let missing: Vec<&str> =
            check::ALL.iter().map(|kind| kind.name).filter(|name| !found.contains(*name)).collect();
        if missing.is_empty() { Ok(()) } else { Err(format!("none has {missing:?}").into()) }
    }));
    for (name, fixture) in fixtures {
        for case in fixture.cases {
            let title = format!("{name}/{}", case.name.replace(' ', "-"));
            let case = Case { base: case.base.or(fixture.base.clone()), ..case };
            trials.extend(in_envoy(&title, &case));
            trials.push(Trial::test(title, move || play(&case).map_err(Into::into)));
        }
    }
    trials.extend(hostile::trials(&files("good")));
    libtest_mimic::run(&arguments, trials).exit();
}

fn folder() -> PathBuf {
    policies::project().join("tests/check")
}

fn files(part: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder().join(part)).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn shown(file: &Path) -> String {
    file.file_name().unwrap().to_string_lossy().into_owned()
}

/// The configs of the samples that hold a policy.
fn samples() -> Vec<PathBuf> {
    let folders = std::fs::read_dir(policies::project().join("envoy")).into_iter().flatten();
    let files =
        folders.flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).into_iter().flatten());
    let yaml = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "yaml");
    let holds_policy =
        |file: &PathBuf| std::fs::read_to_string(file).is_ok_and(|text| text.contains("vigile: 1"));
    let mut files: Vec<PathBuf> =
        files.map(|file| file.unwrap().path()).filter(yaml).filter(holds_policy).collect();
    files.sort();
    files
}

fn read(file: &Path) -> (String, Fixture) {
    let text = std::fs::read_to_string(file).unwrap();
    let yaml = Yaml::parse(&text)
        .unwrap_or_else(|error| panic!("{}: {} {}", file.display(), error.place, error.problem));
    let json = whole_numbers(serde_json::to_value(yaml.tree()).unwrap());
    let fixture =
        serde_json::from_value(json).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    (file.file_stem().unwrap().to_string_lossy().into_owned(), fixture)
}

fn kinds(fixtures: &[(String, Fixture)]) -> BTreeSet<String> {
    let wanted =
        fixtures.iter().flat_map(|(_, fixture)| &fixture.cases).flat_map(|case| &case.finds);
    wanted.map(|wanted| wanted.kind().1.to_owned()).collect()
}

/// Nothing is found in a good config, and Envoy starts with it.
fn good(file: PathBuf) -> Vec<Trial> {
    let name = format!("good/{}", shown(&file));
    let text = std::fs::read_to_string(&file).unwrap();
    let format = Format::of(&shown(&file));
    let validated = text.contains("static_resources") || text.contains("staticResources");
    let envoy = validated.then(|| validation(&name, text.clone(), format, Starts::Starts));
    let found = Trial::test(name, move || nothing_found(&file, &text));
    envoy.into_iter().chain([found]).collect()
}

fn nothing_found(file: &Path, text: &str) -> Result<(), libtest_mimic::Failed> {
    let found = check::check(text.as_bytes(), Format::of(&shown(file)), None);
    if found.is_empty() { Ok(()) } else { Err(lines(&found).into()) }
}

impl Case {
    fn format(&self) -> Format {
        Format::of(self.base.as_deref().filter(|_| self.file.is_none()).unwrap_or_default())
    }

    /// The file with its fault.
    fn faulty(&self) -> String {
        if let Some(file) = &self.file {
            return file.clone();
        }
        let base = self.base.as_deref().expect("a case has a base or a file");
        let name = if base.contains('.') { base.to_owned() } else { format!("{base}.yaml") };
        let text = std::fs::read_to_string(folder().join("good").join(&name)).unwrap();
        let first = self.replace.clone().zip(self.with.clone());
        let changes = first
            .into_iter()
            .chain(self.also.iter().map(|change| (change.replace.clone(), change.with.clone())));
        changes.fold(text, |text, (old, new)| {
            assert_eq!(
                text.matches(&old).count(),
                1,
                "{}: {old:?} stands once in {name}",
                self.name
            );
            text.replacen(&old, &new, 1)
        })
    }
}

impl Wanted {
    fn kind(&self) -> (&'static str, &str) {
        match (&self.error, &self.warning, &self.note) {
            (Some(kind), None, None) => ("error", kind),
            (None, Some(kind), None) => ("warning", kind),
            (None, None, Some(kind)) => ("note", kind),
            _ => panic!("one of error, warning and note: {self:?}"),
        }
    }

    fn place(&self, text: &str) -> Place {
        assert_eq!(text.matches(&self.at).count(), 1, "{:?} stands once in the file", self.at);
        let before = &text[..text.find(&self.at).unwrap()];
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = self.column.unwrap_or(before[start..].chars().count() + 1);
        Place { line: before.matches('\n').count() + 1, column }
    }

    fn is(&self, reported: &Reported, text: &str) -> bool {
        let (severity, kind) = self.kind();
        let finding = &reported.finding;
        finding.severity.to_string() == severity
            && reported.kind == kind
            && finding.place == self.place(text)
            && self.path.as_ref().is_none_or(|path| finding.path == *path)
            && self.says.as_ref().is_none_or(|says| finding.problem.contains(says))
    }
}

fn lines(found: &[Reported]) -> String {
    let line = |Reported { kind, finding }: &Reported| {
        let check::Finding { severity, place, path, problem } = finding;
        format!("{place} {severity} {kind} {path}: {problem}")
    };
    found.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What is wanted is found, and nothing else.
fn play(case: &Case) -> Result<(), String> {
    let text = case.faulty();
    let environment = case.environment.as_ref();
    let found = check::check_for(case.host, text.as_bytes(), case.format(), environment);
    let shown = lines(&found);
    for wanted in &case.finds {
        if !found.iter().any(|reported| wanted.is(reported, &text)) {
            let place = wanted.place(&text);
            return Err(format!("not found: {place} {wanted:?}\nfound:\n{shown}"));
        }
    }
    let unwanted =
        |reported: &&Reported| !case.finds.iter().any(|wanted| wanted.is(reported, &text));
    let unwanted: Vec<Reported> = found.iter().filter(unwanted).cloned().collect();
    if !unwanted.is_empty() {
        return Err(format!("found beside what is wanted:\n{}", lines(&unwanted)));
    }
    if shown.contains(SECRET) {
        return Err(format!("a secret is shown:\n{shown}"));
    }
    match &case.fixed {
        Some(fixed) => match check::check_for(case.host, fixed.as_bytes(), case.format(), None) {
            found if found.is_empty() => Ok(()),
            found => Err(format!("found without the fault:\n{}", lines(&found))),
        },
        None => Ok(()),
    }
}

/// What a case says of Envoy, asked of the newest one.
fn in_envoy(title: &str, case: &Case) -> Option<Trial> {
    Some(validation(title, case.faulty(), case.format(), case.envoy?))
}

/// `envoy --mode validate`, which loads the module and its policy as well.
fn validation(title: &str, text: String, format: Format, wanted: Starts) -> Trial {
    let title = format!("envoy/{title}");
    if let Err(missing) = tools::envoys() {
        return tools::skipped(title, missing);
    }
    let run = move || {
        let folder = tempfile::tempdir().unwrap();
        let extension = if format == Format::Json { "json" } else { "yaml" };
        let file = folder.path().join(format!("envoy.{extension}"));
        std::fs::write(
            &file,
            text.replace("dist/vigile.wasm", &envoy::module().display().to_string()),
        )
        .unwrap();
        let key = "do-not-show-0123456789-0123456789-0123456789";
        let output = Command::new(envoy::newest().path)
            .args(["--mode", "validate", "--config-path"])
            .arg(&file)
            .env_clear()
            .envs([("IAHOME_JWT_SECRET", key), ("SERVICE_API_KEY", key)])
            .output()
            .expect("Envoy can be run");
        let is = if output.status.success() { Starts::Starts } else { Starts::Refuses };
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if is == wanted { Ok(()) } else { Err(format!("Envoy {is:?}\n{said}").into()) }
    };
    Trial::test(title, run)
}
