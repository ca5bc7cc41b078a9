//! `vigile explain`.

mod browser;
mod claims;
mod hidden;
mod policy;
mod request;
mod show;

use vigile_policy::{UnixTime, finish, verify};

use super::which::Which;
use super::{Output, Problem, document, environment};
use crate::find;
use crate::system::now;
use crate::when::time;
use hidden::Hidden;
use request::Asked;

/// Shows what a policy makes of one request: each check and its outcome, then the answer
///
/// A refusal is shown with what was wanted and what stood there: a token's claims, the reading of a path that
/// clashes and both routes. Variables are read from the environment of this command. Where a secret is not
/// set, that is said, and the rest is explained all the same. No secret and no signature is printed.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Arguments {
    /// A policy, or an Envoy config that holds one; `-` is the standard input
    file: String,

    #[command(flatten)]
    request: request::Described,

    /// The time of the request, in RFC 3339; now where nothing is said
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<i64>,

    #[command(flatten)]
    which: Which,

    /// Also print the answer's body: the block page, or JSON
    #[arg(long)]
    body: bool,
}

const AFTER: &str = "\
Exit status:
  0   let through, or answered with what was asked for
  1   the policy cannot be read
  3   refused
  64  wrong usage

Examples:
  vigile explain envoy.yaml --get https://ocr.example.org/v1/scan --method POST --from 192.0.2.9
  vigile explain policy.yaml --get /admin --header \"Cookie: __Host-vigile=$TOKEN\" --dest document
  vigile explain policy.yaml --get \"/?token=$TOKEN\" --dest iframe --at 2030-01-01T00:00:00Z
  vigile explain policy.yaml --get /chat --method POST --data @chat.json --body
  vigile explain policy.yaml --get /v1/scan --from 192.0.2.9:0     an address out of X-Forwarded-For";

/// The exit status for a request that is refused.
const REFUSED: u8 = 3;

impl Arguments {
    pub(super) fn run(self) -> Result<Output, Problem> {
        let yaml = document(&self.file)?;
        let policies = find::policies(&yaml);
        let policy = self.which.of(&policies)?;
        let environment = environment();
        let loaded = policy::load(policy, &environment).map_err(|mistakes| {
            let lines = mistakes.iter().map(|invalid| {
                format!("{}:{}: error: {invalid}", self.file, policy.place_of(&invalid.path))
            });
            Problem::Failed(format!(
                "this policy has mistakes\n{}",
                lines.collect::<Vec<_>>().join("\n")
            ))
        })?;
        let asked = Asked::read(&self.request, policy, &environment)?;
        let time = UnixTime(self.at.unwrap_or_else(now));
        let mut memory = loaded.state.memory([0, 0]);
        let request = asked.request();
        let step = loaded.state.explain(&request, &memory, time);
        let next = verify(step, |question| loaded.state.keys().verify(question), &mut memory);
        let decision = *finish(next, asked.rest());
        let hidden = Hidden::of(policy, &environment, &loaded, &asked);
        let place = format!("{}:{}", self.file, policy.place_of(""));
        let shown = show::Shown { hidden: &hidden, asked: &asked, time, body: self.body };
        let stdout = [
            shown.question(&place, &loaded),
            shown.checks(&decision, &loaded),
            shown.answer(&decision),
        ];
        let exit = if decision.record.reason().refuses() { REFUSED } else { 0 };
        Ok(Output { stdout: stdout.concat(), stderr: String::new(), exit })
    }
}
