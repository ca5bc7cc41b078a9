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
            let exit = if error.use_stderr() { USAGE } else { 0 };
            return error.print().map_or(ExitCode::FAILURE, |()| exit.into());
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_commands_fit_together() {
        super::Arguments::command().debug_assert();
    }
}
