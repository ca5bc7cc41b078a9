//! Where the proxy-wasm SDK can panic, read from its source, and what docs/sdk-panics.md says of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A crate as Cargo has it.
pub struct Package {
    pub version: String,
    pub folder: PathBuf,
}

/// The SDK that the filter is built with.
pub fn package() -> Package {
    // Without the platform it would ask for crates that only other systems need.
    let host = Command::new("rustc").args(["--print", "host-tuple"]).output().expect("rustc");
    let host = String::from_utf8(host.stdout).expect("a name");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", host.trim()])
        .current_dir(crate::policies::project())
        .output()
        .expect("cargo metadata");
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr)));
    let packages = metadata["packages"].as_array().expect("packages");
    let sdk = packages.iter().find(|package| package["name"] == "proxy-wasm").expect("proxy-wasm");
    let manifest = Path::new(sdk["manifest_path"].as_str().unwrap());
    Package {
        version: sdk["version"].as_str().unwrap().to_owned(),
        folder: manifest.parent().unwrap().to_owned(),
    }
}

/// How often a function can panic, by what: `panic!`, `unwrap`, `expect`, `slice`, `borrow`.
pub type Sites = BTreeMap<String, usize>;

/// Every function that can panic: `hostcalls::log`, `traits::Context::get_property`.
pub fn panics(sdk: &Package) -> BTreeMap<String, Sites> {
    let mut all: BTreeMap<String, Sites> = BTreeMap::new();
    for entry in std::fs::read_dir(sdk.folder.join("src")).expect("the SDK's source") {
        let file = entry.unwrap().path();
        let module = file.file_stem().unwrap().to_string_lossy().into_owned();
        scan(&module, &std::fs::read_to_string(&file).unwrap(), &mut all);
    }
    all
}

fn scan(module: &str, source: &str, all: &mut BTreeMap<String, Sites>) {
    let (mut parent, mut function) = (String::new(), String::new());
    let mut test: Option<usize> = None;
    let lines: Vec<&str> = source.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let line = line.trim();
        // What is compiled for the SDK's own tests alone ends with the brace of its indentation.
        match test {
            Some(depth) if indent == depth && line == "}" => test = None,
            Some(_) => continue,
            None if line.starts_with("#[cfg(test)]") || line.starts_with("#[cfg(all(test") => {
                let item = lines[at + 1..].iter().find(|line| !line.trim().starts_with('#'));
                if item.is_some_and(|item| item.trim_end().ends_with('{')) {
                    test = Some(indent);
                }
                continue;
            }
            None => {}
        }
        if line.starts_with("//") {
            continue;
        }
        if let Some(name) = named(line, &["pub trait ", "impl "]) {
            let name =
                line.split(" for ").nth(1).and_then(|rest| named(rest, &[""])).unwrap_or(name);
            parent = format!("{name}::");
        } else if indent == 0 && line == "}" {
            parent.clear();
        }
        let item = ["pub(super) fn ", "pub(crate) fn ", "pub fn ", "pub extern \"C\" fn ", "fn "];
        if let Some(name) = named(line, &item) {
            function = format!("{module}::{parent}{name}");
        }
        for (kind, count) in sites(line) {
            *all.entry(function.clone()).or_default().entry(kind.to_owned()).or_default() += count;
        }
    }
}

/// The name behind one of these words at the beginning of a line.
fn named(line: &str, words: &[&str]) -> Option<String> {
    let rest = words.iter().find_map(|word| line.strip_prefix(word))?;
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

fn sites(line: &str) -> Vec<(&'static str, usize)> {
    let words = [
        ("panic!", "panic!("),
        ("unwrap", ".unwrap()"),
        ("expect", ".expect("),
        ("unreachable!", "unreachable!("),
        ("todo!", "todo!("),
        ("assert", "assert"),
        ("borrow", ".borrow_mut()"),
        ("borrow", ".borrow()"),
    ];
    let mut found: Vec<(&str, usize)> = words
        .into_iter()
        .map(|(kind, word)| (kind, line.matches(word).count()))
        .chain([("slice", line.matches("bytes[").count())])
        .filter(|(_, count)| *count > 0)
        .collect();
    found.sort();
    found
}

/// docs/sdk-panics.md.
pub struct Document {
    pub text: String,
    /// Every function of its tables: the heading above it, and how often it can panic.
    pub listed: BTreeMap<String, (String, Sites)>,
}

/// Reads the document; a row is `| `function` or `path::{one, another}` | panic! 1, borrow 2 | …`.
pub fn document() -> Document {
    let file = crate::policies::project().join("docs/sdk-panics.md");
    let text = std::fs::read_to_string(file).expect("docs/sdk-panics.md");
    let (mut heading, mut listed) = (String::new(), BTreeMap::new());
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            heading = title.to_owned();
        }
        let Some(row) = line.strip_prefix("| `") else { continue };
        let (name, rest) = row.split_once('`').expect("the end of a name");
        let counts = rest.split('|').nth(1).expect("a second column").split(',').map(|count| {
            let (kind, count) = count.trim().rsplit_once(' ').expect("a kind and a count");
            (kind.to_owned(), count.parse().expect("a count"))
        });
        let sites: Sites = counts.collect();
        for name in functions(name) {
            let before = listed.insert(name.clone(), (heading.clone(), sites.clone()));
            assert!(before.is_none(), "{name} stands twice");
        }
    }
    Document { text, listed }
}

fn functions(name: &str) -> Vec<String> {
    match name.split_once('{') {
        None => vec![name.to_owned()],
        Some((path, names)) => names
            .trim_end_matches('}')
            .split(',')
            .map(|name| format!("{path}{}", name.trim()))
            .collect(),
    }
}
