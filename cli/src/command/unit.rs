//! `vigile unit`.

use super::which::Which;
use super::{Output, Problem, document};
use crate::find;
use crate::proxy::Proxy;

/// Writes a policy as NGINX Unit reads it: JSON, where Unit can honour it
///
/// The policy goes to the standard output, for the file that `VIGILE_POLICY` names. Where it holds a mistake,
/// or what Unit cannot honour, nothing is written: all of it is told at once. Secrets are not needed, and none
/// is filled in: Unit hands them over in the application's environment (`{ env: NAME }`).
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Arguments {
    /// A policy, or an Envoy config that holds one; `-` is the standard input
    file: String,

    /// A route in front writes the caller's address into the path (`VIGILE_ADDRESS=path`)
    #[arg(long)]
    two_hops: bool,

    #[command(flatten)]
    which: Which,
}

const AFTER: &str = "\
Exit status:
  0   the policy is written
  1   it holds mistakes, or what Unit cannot honour; nothing is written
  64  wrong usage

Examples:
  vigile unit policy.yaml > /etc/vigile/policy.json
  vigile render envoy/ocr/envoy.yaml --env-file .env | vigile unit --two-hops - > /etc/vigile/ocr.json";

impl Arguments {
    pub(super) fn run(self) -> Result<Output, Problem> {
        let yaml = document(&self.file)?;
        let policies = find::policies(&yaml);
        let policy = self.which.of(&policies)?;
        let proxy = if self.two_hops { Proxy::UnitTwoHops } else { Proxy::Unit };
        let mistakes = policy.mistakes(None, proxy.host());
        if mistakes.is_empty() {
            let json = serde_json::to_string_pretty(&policy.tree());
            return json
                .map(|json| Output::of(json + "\n"))
                .map_err(|error| Problem::Failed(format!("{}: {error}", self.file)));
        }
        let lines = mistakes.iter().map(|invalid| {
            format!("{}:{}: error: {invalid}\n", self.file, policy.place_of(&invalid.path))
        });
        Ok(Output { stderr: lines.collect(), exit: 1, ..Output::default() })
    }
}
