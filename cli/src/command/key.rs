//! `vigile key`.

use ct_codecs::{Encoder, Hex};

use super::{Output, Problem, contents};
use crate::system::random;

/// Makes a strong random key, or the SHA-256 of one
///
/// The key goes to the standard output, for a pipe or a variable; what the policy may hold in its place
/// goes to the standard error. It serves as an API key and as a signing secret.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Arguments {
    /// What the key begins with, to tell keys apart: letters, digits, _ and -
    #[arg(long, default_value = "", value_parser = prefix)]
    prefix: String,

    /// How many random bytes it holds; each 3 of them become 4 characters
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u16).range(24..=512))]
    bytes: u16,

    /// Read a key from the standard input and print its SHA-256
    #[arg(long, conflicts_with_all = ["prefix", "bytes"])]
    sha256: bool,
}

const AFTER: &str = "\
A secret is at least as long as the hash it is used with: 32 bytes for HS256, 48 for HS384, 64 for HS512
(--bytes 48 makes 64 characters). An API key has 32 characters at least.

Examples:
  vigile key --prefix nuno_service_
  export SERVICE_API_KEY=$(vigile key --prefix nuno_service_)
  export IAHOME_JWT_SECRET=$(vigile key --bytes 48)
  printf %s \"$SERVICE_API_KEY\" | vigile key --sha256";

/// As the policy's reader has it for keys that it sees.
const SHORTEST: usize = 32;

fn prefix(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match text.chars().all(fits) && text.len() <= 64 {
        true => Ok(text.to_owned()),
        false => Err("letters, digits, _ and - alone, 64 at most".to_owned()),
    }
}

impl Arguments {
    pub(super) fn run(self) -> Result<Output, Problem> {
        if self.sha256 {
            return of_given();
        }
        let random = random(self.bytes).map_err(Problem::Failed)?;
        let key = format!("{}{random}", self.prefix);
        let stderr = format!("sha256: {}\n", sha256(&key)?);
        Ok(Output { stdout: format!("{key}\n"), stderr, exit: 0 })
    }
}

/// The key of the standard input, without the newline at its end.
fn of_given() -> Result<Output, Problem> {
    let bytes = contents("-").map_err(|error| Problem::Failed(error.to_string()))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Problem::Failed("the key on the standard input is not text".to_owned()))?;
    let key = super::without_newline(&text);
    match key.len() {
        0 => Err(Problem::Failed("there is no key on the standard input".to_owned())),
        _ if key.len() < SHORTEST => Err(Problem::Failed(format!(
            "this key has {} characters: an API key has {SHORTEST} at least, since whoever sees a hash can try short ones",
            key.len()
        ))),
        _ => Ok(Output::of(format!("{}\n", sha256(key)?))),
    }
}

fn sha256(key: &str) -> Result<String, Problem> {
    Hex::encode_to_string(hmac_sha256::Hash::hash(key.as_bytes()))
        .map_err(|error| Problem::Failed(error.to_string()))
}
