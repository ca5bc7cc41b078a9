//! `vigile check`: every kind of finding on a config that has the fault, at its place; none of them on
//! the same config without it.
//!
//! `tests/check/good` holds configs in which nothing is found. A case of `tests/check/faults` changes one
//! of them and says what is found then, all of it. Where a case says what Envoy does with such a config,
//! a real Envoy is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Trial};
use serde::Deserialize;
use vigile::check::{self, Format, Reported};
use vigile::yaml::{Place, Yaml};
use vigile_tests::case::whole_numbers;
use vigile_tests::{envoy, policies};

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
        Trial::test(format!("samples/{}", shown(&file)), move || nothing_found(&file))
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
    trials.extend(hostile());
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
    let envoy = validated.then(|| validation(&name, text, format, Starts::Starts));
    let found = Trial::test(name, move || nothing_found(&file));
    envoy.into_iter().chain([found]).collect()
}

fn nothing_found(file: &Path) -> Result<(), libtest_mimic::Failed> {
    let bytes = std::fs::read(file).unwrap();
    let found = check::check(&bytes, Format::of(&shown(file)), None);
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
    let found = check::check(text.as_bytes(), case.format(), case.environment.as_ref());
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
        Some(fixed) => match check::check(fixed.as_bytes(), case.format(), None) {
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
    let skipped = std::env::var_os("VIGILE_ENVOYS").is_none();
    let reason = if skipped { " (no VIGILE_ENVOYS: ./build.sh test installs them)" } else { "" };
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
    Trial::test(format!("envoy/{title}{reason}"), run).with_ignored_flag(skipped)
}

/// Files that nobody would call configs: an error each, and no panic.
fn hostile() -> Vec<Trial> {
    let bomb = |depth: usize| {
        let level = |level: usize| {
            format!("a{level}: &a{level} [{}]\n", format!("*a{}, ", level - 1).repeat(9))
        };
        format!("a0: &a0 [vigile, vigile]\n{}", (1..depth).map(level).collect::<String>())
    };
    let inside = |policy: &str| format!("vigile: 1\nmodules: {policy}\n");
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("blank", b" \n\n\t\n".to_vec()),
        ("a comment", b"# nothing\n".to_vec()),
        ("a word", b"vigile".to_vec()),
        ("a list", b"- vigile: 2\n".to_vec()),
        ("binary", (0..=255).cycle().take(100_000).collect()),
        ("a module", b"\0asm\x01\0\0\0".to_vec()),
        ("zeros", vec![0; 1_000_000]),
        ("UTF-16", "vigile: 1".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("large", vec![b' '; 20_000_000]),
        ("many small values", [b"[".to_vec(), b"1,".repeat(4_000_000), b"]".to_vec()].concat()),
        ("deep in brackets", "[".repeat(1_000_000).into_bytes()),
        ("deep in braces", "{a: ".repeat(1_000_000).into_bytes()),
        ("deep in dashes", "- ".repeat(1_000_000).into_bytes()),
        (
            "deep by indentation",
            (0..2_000)
                .map(|depth| format!("{}a:\n", " ".repeat(depth)))
                .collect::<String>()
                .into_bytes(),
        ),
        ("deep in a policy", inside(&["[".repeat(98), "]".repeat(98)].concat()).into_bytes()),
        ("aliases", bomb(20).into_bytes()),
        ("an alias of itself", b"vigile: &a [*a]\n".to_vec()),
        ("a key that is a map", b"{a: 1}: 2\n".to_vec()),
        (
            "huge numbers",
            format!(
                "vigile: 1{}\nremember_tokens: -1{}e99999\nmodules: 0x{}\n",
                "0".repeat(5_000),
                "0".repeat(400),
                "f".repeat(300)
            )
            .into_bytes(),
        ),
        (
            "a long key",
            format!("vigile: 1\n{}: 1\nmodules: []\n", "k".repeat(1_000_000)).into_bytes(),
        ),
        (
            "a long path of keys",
            format!(
                "vigile: 1\nmodules: {}1{}",
                format!("{{{}: ", "k".repeat(10_000)).repeat(90),
                "}".repeat(90)
            )
            .into_bytes(),
        ),
        (
            "a policy in a policy",
            inside("[{ name: a, routes: [{ path: /, public: true, vigile: { vigile: 1 } }] }]")
                .into_bytes(),
        ),
        (
            "a policy in strings in strings",
            format!(
                "x: {:?}\n",
                format!("{{\"vigile\": 1, \"modules\": {:?}}}", "{\"vigile\": 1}")
            )
            .into_bytes(),
        ),
    ];
    let mut trials: Vec<Trial> = files
        .into_iter()
        .map(|(name, bytes)| {
            let run = move || {
                for format in [Format::Yaml, Format::Json] {
                    let found = check::check(&bytes, format, Some(&BTreeMap::new()));
                    let errors =
                        found.iter().filter(|one| one.finding.severity == check::Severity::Error);
                    if errors.count() == 0 {
                        return Err("no error is found".into());
                    }
                }
                Ok(())
            };
            Trial::test(format!("hostile/{}", name.replace(' ', "-")), run)
        })
        .collect();
    trials.push(Trial::test("hostile/mangled", || {
        mangled();
        Ok(())
    }));
    trials
}

/// Good files with bytes changed, moved and repeated: whatever comes of them, no panic.
fn mangled() {
    let seeds: Vec<Vec<u8>> =
        files("good").iter().map(|file| std::fs::read(file).unwrap()).collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let pieces = [
        "&a ", "*a", "{", "}", "[", "]", ": ", "- ", "\n", "'", "\"", "vigile", "\u{e9}", "null",
        "~", "|", "9e999", "<<", "\\ud83d",
    ];
    for round in 0..2_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=random(4) {
            let (at, other) = (random(bytes.len()), random(bytes.len()));
            match random(4) {
                0 => bytes[at] = random(256) as u8,
                1 => drop(bytes.splice(at..at, pieces[random(pieces.len())].bytes())),
                2 => {
                    let piece = bytes[at..(at + random(60)).min(bytes.len())].to_vec();
                    drop(bytes.splice(other..other, piece));
                }
                _ => drop(bytes.drain(at..(at + random(30)).min(bytes.len()))),
            }
        }
        for format in [Format::Yaml, Format::Json] {
            let _ = check::check(&bytes, format, Some(&BTreeMap::new()));
        }
    }
}
