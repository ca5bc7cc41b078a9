//! `vigile check`.

use serde_json::json;

use super::{Output, contents, environment};
use crate::check::{self, Finding, Format, Reported, Severity};
use crate::proxy::Proxy;
use crate::yaml::Place;

/// Finds the mistakes of policies, and the holes of the Envoy configs around them
///
/// FILE is a policy, an Envoy config (YAML or JSON) in which every Vigile filter is found, or manifests of
/// Kubernetes with either. All findings are reported at once, as `file:line:column: severity: path: problem`, which editors can jump
/// to. An error opens a hole or keeps Envoy from starting; a warning weakens or breaks something; a note
/// is worth knowing. Secrets are not needed, and none is ever printed.
#[derive(clap::Args)]
#[command(after_long_help = after_help())]
pub struct Arguments {
    /// Files to check; `-` is the standard input
    #[arg(required = true)]
    file: Vec<String>,

    /// Also read `{ env: NAME }` from the environment of this command, and judge the values
    #[arg(long)]
    env: bool,

    /// What the policies are loaded into; for another proxy than Envoy, policies alone are looked at
    #[arg(long, value_enum, default_value = "envoy")]
    host: Proxy,

    /// How findings are printed
    #[arg(long, value_enum, default_value = "text")]
    format: Shape,
}

/// How findings are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Shape {
    /// A line each
    Text,
    /// One JSON object
    Json,
}

fn after_help() -> String {
    let width = check::ALL.iter().map(|kind| kind.name.len()).max().unwrap_or(0);
    let line = |kind: &check::Kind| format!("  {:width$}  {}", kind.name, kind.about);
    let kinds = check::ALL.iter().map(line).collect::<Vec<_>>().join("\n");
    format!("What is looked for:\n{kinds}\n\n{REST}")
}

const REST: &str = "\
Exit status:
  0   nothing but notes
  1   errors
  2   warnings and no errors
  64  wrong usage

Examples:
  vigile check envoy.yaml
  vigile check --env policy.yaml             with the secrets that Envoy would have
  kubectl get cm edge -o yaml | vigile check -
  helm template chart | vigile check -       Istio's, Envoy Gateway's and ConfigMaps
  curl -s 'http://127.0.0.1:9901/config_dump?include_eds' | vigile check -
  vigile check --host unit policy.yaml       what NGINX Unit could not honour
  vigile check --format json envoy.yaml | jq '.findings[].problem'";

impl Arguments {
    pub(super) fn run(self) -> Output {
        let environment = self.env.then(environment);
        let found: Vec<(String, Vec<Reported>)> = self
            .file
            .into_iter()
            .map(|file| match contents(&file) {
                Ok(bytes) => {
                    let format = Format::of(&file);
                    let found = check::check_for(self.host, &bytes, format, environment.as_ref());
                    (file, found)
                }
                Err(error) => (file, vec![unreadable(&error)]),
            })
            .collect();
        let count = |severity| {
            let all = found.iter().flat_map(|(_, found)| found);
            all.filter(|reported| reported.finding.severity == severity).count()
        };
        let counts = [Severity::Error, Severity::Warning, Severity::Note].map(count);
        let exit = match counts {
            [0, 0, _] => 0,
            [0, _, _] => 2,
            _ => 1,
        };
        match self.format {
            Shape::Text => Output { stdout: lines(&found), stderr: summary(counts), exit },
            Shape::Json => Output { stdout: object(&found, counts), stderr: String::new(), exit },
        }
    }
}

fn unreadable(error: &std::io::Error) -> Reported {
    let problem = format!("this file cannot be read: {error}");
    let finding =
        Finding { severity: Severity::Error, place: Place::START, path: String::new(), problem };
    Reported { kind: "file", finding }
}

fn lines(found: &[(String, Vec<Reported>)]) -> String {
    let line = |file: &str, finding: &Finding| {
        let Finding { severity, place, path, problem } = finding;
        match path.as_str() {
            "" => format!("{file}:{place}: {severity}: {problem}\n"),
            path => format!("{file}:{place}: {severity}: {path}: {problem}\n"),
        }
    };
    found
        .iter()
        .flat_map(|(file, found)| found.iter().map(move |reported| line(file, &reported.finding)))
        .collect()
}

fn summary([errors, warnings, notes]: [usize; 3]) -> String {
    let count = |number: usize, what: &str| match number {
        0 => None,
        1 => Some(format!("1 {what}")),
        number => Some(format!("{number} {what}s")),
    };
    let counts = [count(errors, "error"), count(warnings, "warning"), count(notes, "note")];
    match counts.into_iter().flatten().collect::<Vec<_>>().join(", ") {
        counts if counts.is_empty() => "nothing found\n".to_owned(),
        counts => format!("{counts}\n"),
    }
}

fn object(found: &[(String, Vec<Reported>)], [errors, warnings, notes]: [usize; 3]) -> String {
    let findings: Vec<serde_json::Value> = found
        .iter()
        .flat_map(|(file, found)| found.iter().map(move |reported| member(file, reported)))
        .collect();
    let object =
        json!({ "findings": findings, "errors": errors, "warnings": warnings, "notes": notes });
    format!("{object:#}\n")
}

fn member(file: &str, Reported { kind, finding }: &Reported) -> serde_json::Value {
    json!({
        "file": file,
        "line": finding.place.line,
        "column": finding.place.column,
        "severity": finding.severity.to_string(),
        "kind": kind,
        "path": finding.path,
        "problem": finding.problem,
    })
}
