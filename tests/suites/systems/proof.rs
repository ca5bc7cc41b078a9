//! Whether a proof exists, and runs in a real Envoy.
//!
//! A case of the corpus is read as its runner reads it. A trial of a suite is looked for by its name in the
//! suite's source, where a trial's name stands: first in a call or a pair, before what runs, or behind
//! `let name =`; with Envoy's version before or behind it, which a row leaves out. So a trial that was
//! renamed or taken away is seen. Not seen are a trial that the suite skips when it runs (`CI=1` makes
//! these fail), a string that stands where a name would and is none, and what a trial asserts: that a case
//! shows what its row says is for the reader.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use vigile::yaml::Yaml;
use vigile_tests::policies::project;
use vigile_tests::{bad, case};

/// Everything that a proof may name.
pub(crate) struct Known {
    /// Cases of the corpus, and why not in Envoy.
    cases: BTreeMap<String, Option<String>>,
    suites: BTreeMap<String, Suite>,
}

struct Suite {
    trials: BTreeSet<String>,
    asks_envoy: bool,
}

impl Known {
    pub(crate) fn read() -> Self {
        let reason = |case: &case::Case| case.not_on.get("envoy").cloned();
        let cases =
            case::all().into_iter().map(|named| (named.name, reason(&named.case))).collect();
        let mut suites = BTreeMap::new();
        for package in ["tests", "tests/browser", "tests/limits"].map(|path| project().join(path)) {
            suites.extend(
                declared(&package).into_iter().map(|(name, main)| (name, Suite::read(&main))),
            );
        }
        let mut add = |suite: &str, names: Vec<String>| {
            let suite = suites.get_mut(suite).unwrap_or_else(|| panic!("a suite {suite}"));
            suite.trials.extend(names);
        };
        // The trials of these are files.
        let refused = bad::all().into_iter().filter(|bad| bad.in_envoy);
        add("policies", refused.map(|bad| bad.name).collect());
        add("check", faults());
        let samples = samples();
        add("readmes", samples.iter().map(|name| format!("envoy/{name}/README.md")).collect());
        add("samples", samples);
        Self { cases, suites }
    }

    /// # Errors
    /// What is wrong with the proof.
    pub(crate) fn find(&self, proof: &str) -> Result<(), String> {
        if let Some(name) = proof.strip_prefix("corpus:") {
            return match self.cases.get(name) {
                Some(None) => Ok(()),
                Some(Some(why)) => Err(format!("{proof} is not run in Envoy: {why}")),
                None => Err(format!("{proof}: there is no tests/corpus/{name}.yaml")),
            };
        }
        let Some((suite, name)) = proof.strip_prefix("test:").and_then(|name| name.split_once('/'))
        else {
            return Err(format!("{proof} is neither corpus:topic/name nor test:SUITE/name"));
        };
        let known = self.suites.get(suite).ok_or_else(|| format!("{proof}: no suite {suite}"))?;
        if !known.asks_envoy {
            return Err(format!("{proof}: the suite {suite} runs no Envoy"));
        }
        match known.trials.contains(name) {
            true => Ok(()),
            false => Err(format!("{proof}: no trial of {suite} has this name")),
        }
    }
}

/// The suites that a package's Cargo.toml names, and the file of each.
fn declared(package: &Path) -> Vec<(String, PathBuf)> {
    let manifest = std::fs::read_to_string(package.join("Cargo.toml")).unwrap_or_default();
    let value = |section: &str, key: &str| {
        let line = section
            .lines()
            .find_map(|line| line.strip_prefix(key)?.trim_start().strip_prefix('='))?;
        Some(line.trim().trim_matches('"').to_owned())
    };
    let sections =
        manifest.split("\n[[test]]\n").skip(1).map(|rest| rest.split("\n[").next().unwrap());
    sections
        .filter_map(|section| {
            Some((value(section, "name")?, package.join(value(section, "path")?)))
        })
        .collect()
}

impl Suite {
    fn read(main: &Path) -> Self {
        let mut suite = Self { trials: BTreeSet::new(), asks_envoy: false };
        for file in sources(main) {
            let text = std::fs::read_to_string(&file).unwrap();
            let tokens = text.parse().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            suite.walk(tokens, Place::Elsewhere);
        }
        suite
    }

    /// Looks for names among the tokens of a file, or of what stands between brackets in it.
    fn walk(&mut self, tokens: TokenStream, place: Place) {
        let tokens = Tokens(tokens.into_iter().collect());
        for (at, token) in tokens.0.iter().enumerate() {
            match token {
                TokenTree::Ident(word) => {
                    let word = word.to_string();
                    self.asks_envoy |= ["binaries", "newest", "envoys"].contains(&word.as_str());
                    if word == "fn" && tokens.is_test(at) {
                        self.trials.extend(tokens.word(at + 1));
                    }
                }
                TokenTree::Literal(literal) if tokens.names_a_trial(at, place) => {
                    self.trials.extend(name(&literal.to_string()));
                }
                TokenTree::Group(group) => {
                    if let Some(place) = tokens.place_in(group, at) {
                        self.walk(group.stream(), place);
                    }
                }
                TokenTree::Literal(_) | TokenTree::Punct(_) => {}
            }
        }
    }
}

/// What a list of tokens stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// The parentheses of a call or a pair.
    Parentheses,
    Format,
    Elsewhere,
}

struct Tokens(Vec<TokenTree>);

impl Tokens {
    fn is(&self, at: usize, mark: char) -> bool {
        matches!(self.0.get(at), Some(TokenTree::Punct(punct)) if punct.as_char() == mark)
    }

    fn word(&self, at: usize) -> Option<String> {
        match self.0.get(at) {
            Some(TokenTree::Ident(word)) => Some(word.to_string()),
            _ => None,
        }
    }

    /// First in its parentheses, with what runs behind it; or `let name = "…";`.
    fn names_a_trial(&self, at: usize, place: Place) -> bool {
        let runs = !matches!(self.0.get(2), Some(TokenTree::Literal(_)) | None);
        let first = match place {
            Place::Parentheses => at == 0 && self.is(1, ',') && runs,
            Place::Format => at == 0,
            Place::Elsewhere => false,
        };
        first
            || (at > 1
                && self.word(at - 2).is_some_and(|word| word == "name")
                && self.is(at - 1, '=')
                && self.is(at + 1, ';'))
    }

    /// `#[test]` stands before.
    fn is_test(&self, at: usize) -> bool {
        at > 0 && matches!(self.0.get(at - 1), Some(TokenTree::Group(group)) if is_test(group))
    }

    /// Where to look on; what an assertion says of its failure is no trial.
    fn place_in(&self, group: &Group, at: usize) -> Option<Place> {
        let called =
            (at > 1 && self.is(at - 1, '!')).then(|| self.word(at - 2).unwrap_or_default());
        match called.as_deref() {
            Some("format") => Some(Place::Format),
            Some("vec") => Some(Place::Elsewhere),
            Some(_) => None,
            None if group.delimiter() == Delimiter::Parenthesis => Some(Place::Parentheses),
            None => Some(Place::Elsewhere),
        }
    }
}

fn is_test(group: &Group) -> bool {
    group.delimiter() == Delimiter::Bracket && group.stream().to_string() == "test"
}

/// A name without the version that stands before or behind it: `{}/client`, `{name}/{}`.
fn name(literal: &str) -> Option<String> {
    let mut name = literal.strip_prefix('"')?.strip_suffix('"')?;
    while let Some(rest) = name.strip_prefix('{') {
        name = rest.split_once("}/")?.1;
    }
    (!name.is_empty() && !name.contains(['{', '\\'])).then(|| name.to_owned())
}

/// A suite's files: the one that Cargo.toml names, and those of the folder of its name, or beside main.rs.
fn sources(main: &Path) -> Vec<PathBuf> {
    let folder = match main.file_name().is_some_and(|name| name == "main.rs") {
        true => main.parent().unwrap().to_owned(),
        false => main.with_extension(""),
    };
    let mut found = BTreeSet::from([main.to_owned()]);
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false if path.extension().is_some_and(|extension| extension == "rs") => {
                    found.insert(path);
                }
                false => {}
            }
        }
    }
    found.into_iter().collect()
}

/// Cases of tests/check/faults that ask a real Envoy too.
fn faults() -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(project().join("tests/check/faults")).unwrap() {
        let file = entry.unwrap().path();
        let yaml = Yaml::parse(&std::fs::read_to_string(&file).unwrap());
        let yaml = yaml.unwrap_or_else(|error| panic!("{}: {}", file.display(), error.problem));
        let tree = serde_json::to_value(yaml.tree()).unwrap();
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        let cases = tree["cases"].as_array().cloned().unwrap_or_default();
        let asked = cases.iter().filter(|case| !case["envoy"].is_null());
        names
            .extend(asked.map(|case| {
                format!("{stem}/{}", case["name"].as_str().unwrap().replace(' ', "-"))
            }));
    }
    names
}

/// The samples, by the names of their folders.
fn samples() -> Vec<String> {
    let folders =
        std::fs::read_dir(project().join("envoy")).unwrap().map(|entry| entry.unwrap().path());
    let whole = folders.filter(|folder| folder.join("envoy.yaml").is_file());
    whole.map(|folder| folder.file_name().unwrap().to_string_lossy().into_owned()).collect()
}
