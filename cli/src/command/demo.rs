//! `vigile demo`.

use std::io::Write;
use std::path::PathBuf;

use super::{Output, Problem};
use crate::demo;

/// Shows a module in the frame of a platform's page, with a real Envoy between them, on this machine
///
/// `./build.sh demo` brings the Envoy and the module file. Everything listens on 127.0.0.1 alone, and ends
/// with Ctrl-C.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Arguments {
    /// The Envoy binary, one with Wasm
    #[arg(long, value_name = "FILE")]
    envoy: PathBuf,

    /// The module file
    #[arg(long, value_name = "FILE", default_value = "dist/vigile.wasm")]
    wasm: PathBuf,

    /// The platform's port, and the module's is the next one; others are taken where these are not free
    #[arg(long, default_value_t = 8900)]
    port: u16,

    /// A command that starts another app in place of the small one; it is told its port by PORT
    #[arg(long, num_args = 1.., allow_hyphen_values = true, value_name = "COMMAND")]
    app: Vec<String>,
}

const AFTER: &str = "\
The names end in .localhost, which browsers lead to this machine by themselves (RFC 6761 §6.3) and hold to
be secure without TLS. Safari does neither.

Examples:
  vigile demo --envoy /usr/bin/envoy
  vigile demo --envoy /usr/bin/envoy --app python3 app.py";

impl Arguments {
    pub(super) fn run(self) -> Result<Output, Problem> {
        let options =
            demo::Options { envoy: self.envoy, wasm: self.wasm, port: self.port, app: self.app };
        // A terminal that is gone is no reason to leave Envoy behind: the demo ends by its signals.
        let say = |text: &str| drop(writeln!(std::io::stdout(), "{text}"));
        demo::run(&options, say).map(|()| Output::default()).map_err(Problem::Failed)
    }
}
