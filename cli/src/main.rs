//! `vigile`: checks and explains policies, mints tokens and keys.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use vigile::command::{Command, Output};

/// Checks and explains policies of Vigile, a security filter for Envoy, and makes tokens and keys.
#[derive(Parser)]
#[command(name = "vigile", version, after_help = EXIT)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT: &str = "\
Exit status:
  0   all is well
  1   errors
  64  wrong usage
Some commands have others: see `vigile COMMAND --help`.";

/// Wrong usage (sysexits.h).
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and the version come this way too, and are no errors.
            if !error.use_stderr() {
                return error.print().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
            }
            let told = std::io::stderr().write_all(bare(&error.to_string()).as_bytes());
            return told.map_or(ExitCode::FAILURE, |()| USAGE.into());
        }
    };
    let Output { stdout, stderr, exit } = arguments.command.run();
    let told = std::io::stderr().write_all(stderr.as_bytes());
    let written = std::io::stdout().write_all(stdout.as_bytes());
    match told.and(written) {
        Ok(()) => exit.into(),
        // The reader of a pipe has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => exit.into(),
        Err(_) => ExitCode::FAILURE,
    }
}

/// The longest argument that is repeated: no secret and no token is as short.
const LONGEST: usize = 31;

/// clap's message without the arguments that may be a secret, wherever they were put.
fn bare(text: &str) -> String {
    let arguments = std::env::args_os().skip(1).filter_map(|one| one.into_string().ok());
    let mut long: Vec<String> = Vec::new();
    for one in arguments {
        // clap takes `--option=value` apart, and repeats one of its halves.
        let (option, value) = one.split_once('=').unwrap_or_default();
        let parts = [one.as_str(), option, value].map(str::to_owned);
        long.extend(parts.into_iter().filter(|part| part.len() > LONGEST));
    }
    long.sort_by_key(|one| std::cmp::Reverse(one.len()));
    long.iter().fold(text.to_owned(), |text, one| {
        text.replace(one.as_str(), &format!("(a text of {} characters)", one.chars().count()))
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_commands_fit_together() {
        super::Arguments::command().debug_assert();
    }
}
