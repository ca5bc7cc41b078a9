//! `vigile render`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Output, Problem, contents, environment};
use crate::find;
use crate::policy::Policy;
use crate::sample::{self, Unfilled, Unread};
use crate::yaml::Yaml;

/// Fills in every `${NAME}` of an Envoy config, which Envoy itself does not
///
/// The config goes to the standard output. A value comes from the environment of this command or, where
/// it is not set there, from the env file. Where one is missing, or could change the YAML around it,
/// there is no config: all of them are told at once, and none of their values. Secrets are not filled in:
/// Envoy hands them over when it runs (`{ env: NAME }`), so that no file holds one. What the values mean
/// is for `vigile check` and `envoy --mode validate` to judge, on the config that this writes.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Arguments {
    /// The config with its `${NAME}`; `-` is the standard input
    file: String,

    /// Lines with NAME=value
    #[arg(long, value_name = "FILE")]
    env_file: Option<String>,
}

const AFTER: &str = "\
Exit status:
  0   the config is written
  1   something is missing or wrong, and nothing is written
  64  wrong usage

Examples:
  vigile render envoy/ocr/envoy.yaml --env-file .env > envoy.yaml
  OCR_UPSTREAM_PORT=8001 vigile render envoy/ocr/envoy.yaml --env-file .env | vigile check -";

impl Arguments {
    pub(super) fn run(self) -> Result<Output, Problem> {
        let text = text(&self.file)?;
        let (mut values, mut wrong) = match &self.env_file {
            Some(file) => from_file(file)?,
            None => Default::default(),
        };
        values.extend(environment());
        let secrets = secrets(&text);
        let secret = sample::places(&text).filter(|(_, name)| secrets.contains(*name));
        let mut unfilled: Vec<Unfilled> =
            secret.map(|(line, name)| Unfilled::of(line, name, SECRET)).collect();
        let rendered = sample::render(&text, &values);
        if let Err(more) = &rendered {
            unfilled.extend(more.iter().filter(|one| !secrets.contains(&one.name)).cloned());
        }
        unfilled.sort_by_key(|one| one.line);
        let mut named = BTreeSet::new();
        unfilled.retain(|one| named.insert(one.shown()));
        wrong.extend(unfilled.iter().map(|unfilled| {
            format!("{}:{}: {} {}", self.file, unfilled.line, unfilled.shown(), unfilled.problem)
        }));
        match rendered {
            Ok(config) if wrong.is_empty() => Ok(Output::of(config)),
            _ => Ok(Output { stderr: wrong.join("\n") + "\n", exit: 1, ..Output::default() }),
        }
    }
}

const SECRET: &str =
    "is one of the policy's own variables, which Envoy hands over: nothing is filled in for it";

fn text(file: &str) -> Result<String, Problem> {
    let bytes = contents(file).map_err(|error| Problem::Failed(format!("{file}: {error}")))?;
    String::from_utf8(bytes).map_err(|_| Problem::Failed(format!("{file}: this is not UTF-8 text")))
}

/// The variables of an env file, and its lines that are none.
fn from_file(file: &str) -> Result<(BTreeMap<String, String>, Vec<String>), Problem> {
    let shown = |Unread { line, problem }: &Unread| format!("{file}:{line}: {problem}");
    let (values, wrong) = sample::variables(&text(file)?);
    Ok((values, wrong.iter().map(shown).collect()))
}

/// The names that a policy of the config reads at run time. With numbers in its places a template is
/// YAML, whatever they stand for.
fn secrets(text: &str) -> BTreeSet<String> {
    let numbers = sample::places(text).map(|(_, name)| (name.to_owned(), "1".to_owned()));
    let yaml =
        sample::render(text, &numbers.collect()).ok().and_then(|text| Yaml::parse(&text).ok());
    let names = |yaml: Yaml| -> BTreeSet<String> {
        let policies = find::policies(&yaml);
        policies.iter().flat_map(Policy::variables).map(|one| one.name).collect()
    };
    yaml.map(names).unwrap_or_default()
}
