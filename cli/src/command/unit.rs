//! `vigile unit`.

use std::fs;
use std::path::{Path, PathBuf};

use super::which::Which;
use super::{Output, Problem, document};
use crate::find;
use crate::proxy::Proxy;

/// Writes a policy as NGINX Unit reads it: JSON, where Unit can honour it
///
/// The policy goes to the standard output, or to a file that `VIGILE_POLICY` names. Where it holds a mistake,
/// or what Unit cannot honour, nothing is written: all of it is told at once. Secrets are not needed, and none
/// is filled in: Unit hands them over in the application's environment (`{ env: NAME }`).
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Arguments {
    /// A policy, or an Envoy config that holds one; `-` is the standard input
    file: String,

    /// Which Unit reads the policy
    #[arg(long, value_enum, default_value_t)]
    host: Unit,

    /// The file to write; a file that is there is replaced as a whole, and stays where nothing is written
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    which: Which,
}

/// The hosts of `vigile check --host` that are Unit.
#[derive(Clone, Copy, Default, clap::ValueEnum)]
enum Unit {
    /// NGINX Unit, which tells no component the caller's address
    #[default]
    Unit,
    /// NGINX Unit behind a route that writes the address into the path (`VIGILE_ADDRESS=path`)
    UnitTwoHops,
}

const AFTER: &str = "\
Exit status:
  0   the policy is written
  1   it holds mistakes, or what Unit cannot honour; nothing is written
  64  wrong usage

Examples:
  vigile unit policy.yaml --output /etc/vigile/policy.json
  vigile render envoy/ocr/envoy.yaml --env-file .env |
    vigile unit - --host unit-two-hops --module ocr --output /etc/vigile/ocr.json";

impl Arguments {
    pub(super) fn run(self) -> Result<Output, Problem> {
        let yaml = document(&self.file)?;
        let policies = find::policies(&yaml);
        let policy = self.which.of(&policies)?;
        let proxy = match self.host {
            Unit::Unit => Proxy::Unit,
            Unit::UnitTwoHops => Proxy::UnitTwoHops,
        };
        let mistakes = policy.mistakes(proxy.host());
        if mistakes.is_empty() {
            let json = serde_json::to_string_pretty(&policy.tree())
                .map_err(|error| Problem::Failed(format!("{}: {error}", self.file)))?;
            return written(json + "\n", self.output.as_deref());
        }
        let lines = mistakes.iter().map(|invalid| {
            format!("{}:{}: error: {invalid}\n", self.file, policy.place_of(&invalid.path))
        });
        Ok(Output { stderr: lines.collect(), exit: 1, ..Output::default() })
    }
}

/// To the standard output, or to a file that has all of it at once: Unit reads it for each request.
fn written(json: String, output: Option<&Path>) -> Result<Output, Problem> {
    let Some(file) = output else { return Ok(Output::of(json)) };
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = file.with_file_name(name);
    let replaced = fs::write(&new, json).and_then(|()| fs::rename(&new, file));
    replaced.map(|()| Output::default()).map_err(|error| {
        let _ = fs::remove_file(&new);
        Problem::Failed(format!("{}: {error}", file.display()))
    })
}
