//! `vigile token`.

use ct_codecs::{Base64, Base64NoPadding, Base64UrlSafe, Base64UrlSafeNoPadding, Decoder};
use serde_json::{Value, json};
use vigile_policy::{Algorithm, Family, algorithm, shown_variable};

use super::{Output, Problem, variable, without_newline};
use crate::mint::{Claims, Signer};
use crate::system::now;
use crate::when::moment;

/// Mints a token
///
/// The secret or key comes from the environment or from a file, never from the arguments, which other
/// users of the machine can read.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Arguments {
    /// HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA
    #[arg(long, value_parser = algorithm)]
    alg: Algorithm,

    #[command(flatten)]
    source: Source,

    /// The secret is written in base64, as `{ env: NAME, encoding: base64 }` reads it
    #[arg(long)]
    base64: bool,

    /// The key's name, for the token's header
    #[arg(long)]
    kid: Option<String>,

    /// The module that the token is for
    #[arg(long)]
    module: Option<String>,

    /// The claim that names the module
    #[arg(long, default_value = "moduleName", value_name = "CLAIM")]
    module_claim: String,

    /// Whom the token is for (sub)
    #[arg(long)]
    subject: Option<String>,

    /// A role; several are given one by one
    #[arg(long)]
    role: Vec<String>,

    /// The claim that holds the roles
    #[arg(long, default_value = "roles", value_name = "CLAIM")]
    roles_claim: String,

    /// Any other claim: JSON where it is JSON, else text
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    claim: Vec<(String, Value)>,

    /// When it ends (exp): a span from now, negative for the past, a time in RFC 3339, or never
    #[arg(long, default_value = "10m", value_name = "WHEN", allow_hyphen_values = true)]
    expires: String,

    /// When it begins (nbf): a span from now, or a time in RFC 3339
    #[arg(long, value_name = "WHEN", allow_hyphen_values = true)]
    not_before: Option<String>,

    /// Who made it (iss)
    #[arg(long)]
    issuer: Option<String>,

    /// Which audience it is meant for (aud); several are given one by one
    #[arg(long)]
    audience: Vec<String>,
}

/// Where the key comes from.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Source {
    /// The variable that holds a shared secret
    #[arg(long, value_name = "NAME")]
    secret_env: Option<String>,

    /// The file that holds a shared secret; one newline at its end is not part of it
    #[arg(long, value_name = "FILE")]
    secret_file: Option<String>,

    /// The variable that holds a private key in PEM
    #[arg(long, value_name = "NAME")]
    key_env: Option<String>,

    /// The file that holds a private key in PEM
    #[arg(long, value_name = "FILE")]
    key_file: Option<String>,
}

const AFTER: &str = "\
iat is always written.

Examples:
  vigile token --alg HS256 --secret-env IAHOME_JWT_SECRET --module stablediffusion --subject user-1
  vigile token --alg ES256 --key-file issuer.pem --kid 2026 --role admin --claim plan=pro --expires 24h
  vigile token --alg HS256 --secret-env S --expires -5m          a stale one, to see it refused
  curl -H \"Authorization: Bearer $(vigile token --alg HS256 --secret-env S)\" https://ai.example.org/";

fn pair(text: &str) -> Result<(String, Value), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => {
            let value = serde_json::from_str(value).unwrap_or_else(|_| value.into());
            Ok((name.to_owned(), value))
        }
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

impl Arguments {
    pub(super) fn run(self) -> Result<Output, Problem> {
        self.source.suits(self.alg)?;
        let key = self.source.key(self.base64)?;
        if is_secret(self.alg) && key.trim_ascii_start().starts_with(b"-----BEGIN ") {
            return Err(Problem::Failed(format!(
                "this is a key in PEM, and {} takes a shared secret: anybody who has the public half could sign",
                self.alg
            )));
        }
        let mut signer = Signer::new(self.alg, &key).map_err(Problem::Failed)?;
        if let Some(kid) = &self.kid {
            signer = signer.with_kid(kid);
        }
        let claims = self.claims(now())?;
        let token = signer.sign(&claims).map_err(Problem::Failed)?;
        Ok(Output::of(format!("{token}\n")))
    }

    fn claims(&self, now: i64) -> Result<Claims, Problem> {
        let one = |name: &str, value: &Option<String>| {
            value.as_ref().map(|value| (name.to_owned(), json!(value)))
        };
        let audience = match self.audience.as_slice() {
            [] => None,
            [one] => Some(json!(one)),
            several => Some(json!(several)),
        };
        let at = |option: &str, when: &str| {
            moment(when, now).map_err(|problem| Problem::Usage(format!("{option}: {problem}")))
        };
        let expires = match self.expires.as_str() {
            "never" => None,
            when => Some(at("--expires", when)?),
        };
        let not_before = self.not_before.as_deref();
        let not_before = not_before.map(|when| at("--not-before", when)).transpose()?;
        let said = [
            one("iss", &self.issuer),
            one("sub", &self.subject),
            audience.map(|audience| ("aud".to_owned(), audience)),
            Some(("iat".to_owned(), json!(now))),
            not_before.map(|at| ("nbf".to_owned(), json!(at))),
            expires.map(|at| ("exp".to_owned(), json!(at))),
            one(&self.module_claim, &self.module),
            (!self.role.is_empty()).then(|| (self.roles_claim.clone(), json!(self.role))),
        ];
        let mut claims = Claims::new();
        for (name, value) in said.into_iter().flatten().chain(self.claim.iter().cloned()) {
            if claims.contains_key(&name) {
                return Err(Problem::Usage(given_twice(&name)));
            }
            claims.insert(name, value);
        }
        Ok(claims)
    }
}

/// A claim that an option writes already.
fn given_twice(name: &str) -> String {
    let hint = match name {
        "exp" => ": leave --claim exp out and say --expires, which writes it",
        "iat" => ": iat is always written, and is the time of minting",
        _ => ": once by --claim is enough, or by the option of its own",
    };
    format!("the claim {name} is given twice{hint}")
}

fn is_secret(algorithm: Algorithm) -> bool {
    matches!(algorithm.family(), Family::Secret(_))
}

impl Source {
    /// Refuses a secret where the algorithm takes a key, and a key where it takes a secret.
    fn suits(&self, algorithm: Algorithm) -> Result<(), Problem> {
        let by_secret = self.secret_env.is_some() || self.secret_file.is_some();
        match (is_secret(algorithm), by_secret) {
            (true, true) | (false, false) => Ok(()),
            (true, false) => Err(Problem::Usage(format!(
                "{algorithm} takes a shared secret: say --secret-env or --secret-file"
            ))),
            (false, true) => Err(Problem::Usage(format!(
                "{algorithm} takes a private key: say --key-env or --key-file"
            ))),
        }
    }

    fn key(&self, base64: bool) -> Result<Vec<u8>, Problem> {
        let file = |path: &String| {
            let shown =
                if path.contains(['/', '.', '\\']) { path.into() } else { shown_variable(path) };
            std::fs::read(path).map_err(|error| Problem::Failed(format!("{shown}: {error}")))
        };
        let key = match (&self.secret_env, &self.key_env, &self.secret_file, &self.key_file) {
            (Some(name), ..) => secret_of(name)?.into_bytes(),
            (_, Some(name), ..) => variable(name)?.into_bytes(),
            (_, _, Some(path), _) => cut(file(path)?),
            (.., Some(path)) => file(path)?,
            _ => return Err(Problem::Usage("a secret or a key is required".to_owned())),
        };
        if !base64 {
            return Ok(key);
        }
        decoded(&key).ok_or_else(|| Problem::Failed("the secret is not base64".to_owned()))
    }
}

/// As the policy's `{ env: NAME }` has it: a newline at the end would be part of the secret.
fn secret_of(name: &str) -> Result<String, Problem> {
    match variable(name)? {
        secret if secret.ends_with('\n') => Err(Problem::Failed(format!(
            "the variable {name} ends with a newline, as when a file is read into it: cut it off"
        ))),
        secret => Ok(secret),
    }
}

/// Editors end files with a newline, which `$(cat file)` cuts as well.
fn cut(mut secret: Vec<u8>) -> Vec<u8> {
    if secret.ends_with(b"\n") {
        secret.pop();
        if secret.ends_with(b"\r") {
            secret.pop();
        }
    }
    secret
}

/// Either alphabet, with or without padding (RFC 4648 §4 and §5), as the policy reads it.
fn decoded(key: &[u8]) -> Option<Vec<u8>> {
    let text = without_newline(std::str::from_utf8(key).ok()?);
    Base64::decode_to_vec(text, None)
        .or_else(|_| Base64NoPadding::decode_to_vec(text, None))
        .or_else(|_| Base64UrlSafe::decode_to_vec(text, None))
        .or_else(|_| Base64UrlSafeNoPadding::decode_to_vec(text, None))
        .ok()
}
