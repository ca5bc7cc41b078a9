//! `vigile init`.

use vigile_policy::{Origin, ascii_host};

use super::{Output, Problem};
use crate::check::{self, Format, Reported, Severity};
use crate::sample::{Ocr, Quota, StableDiffusion, Unwritten};

/// Writes an Envoy config to start from: a sample of this project, with your names
///
/// The config goes to the standard output, what is left to do to the standard error. It has been through
/// `vigile check` and holds no secret.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    sample: Sample,
}

#[derive(clap::Subcommand)]
enum Sample {
    /// A web app in the frame of a platform's page, behind the platform's tokens
    #[command(after_long_help = FRAME)]
    Frame(Frame),
    /// The same, for a module by the name of stablediffusion
    #[command(after_long_help = STABLE_DIFFUSION)]
    StableDiffusion(Frame),
    /// A service that other servers call, behind service keys and addresses
    #[command(after_long_help = OCR)]
    Ocr(Service),
}

const FRAME: &str = "\
Example:
  vigile init frame --module notes --host notes.example.org --platform https://example.org \\
    --upstream 192.0.2.20:8888 > envoy.yaml";

const STABLE_DIFFUSION: &str = "\
Example:
  vigile init stable-diffusion --host sd.example.org --platform https://example.org \\
    --upstream 192.0.2.20:7860 > envoy.yaml
  vigile init stable-diffusion --quota automatic1111 --host sd.example.org … > envoy.yaml";

const OCR: &str = "\
Levels, as 001_d9637b39f961e8b1.txt counts them:
  1  nothing is asked for; Vigile logs and counts
  2  the service key
  3  the service key, and the caller's address is listed
  4  and at most 60 calls a minute from an address

Example:
  vigile init ocr --level 3 --observe --upstream 127.0.0.1:8000 > envoy.yaml";

#[derive(clap::Args)]
struct Frame {
    /// The host that browsers ask for
    #[arg(long, value_parser = host)]
    host: String,

    /// Where the platform's pages come from
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    platform: Origin,

    /// The module's name, which its tokens name as moduleName; app or stablediffusion if it is not given
    #[arg(long, value_parser = name)]
    module: Option<String>,

    /// Count generations: 10 a day for each user, 200 for those whose token says access_level pro
    #[arg(long, value_name = "APP")]
    quota: Option<Quota>,

    #[command(flatten)]
    place: Place,

    /// The port for https
    #[arg(long, default_value_t = 8443)]
    https: u16,

    /// The port for http, which leads to https
    #[arg(long, default_value_t = 8080)]
    http: u16,
}

#[derive(clap::Args)]
struct Service {
    /// How much is asked of callers
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=4))]
    level: u8,

    /// Log and count only: nobody is refused yet
    #[arg(long)]
    observe: bool,

    /// The module's name
    #[arg(long, default_value = "ocr", value_parser = name)]
    module: String,

    /// The host of the provider that the service calls, whose key Envoy adds
    #[arg(long, default_value = "api.openai.com", value_parser = host)]
    provider: String,

    #[command(flatten)]
    place: Place,
}

/// What every sample needs to know of the machine.
#[derive(clap::Args)]
struct Place {
    /// Where the app listens, for nobody but Envoy; localhost is 127.0.0.1
    #[arg(long, value_name = "HOST:PORT", value_parser = upstream)]
    upstream: (String, u16),

    /// The folder of fullchain.pem and privkey.pem
    #[arg(long, default_value = "/etc/envoy/tls", value_name = "FOLDER", value_parser = path)]
    tls: String,

    /// The module file
    #[arg(long, default_value = "/etc/envoy/vigile.wasm", value_name = "FILE", value_parser = path)]
    wasm: String,
}

impl Arguments {
    pub(super) fn run(self) -> Result<Output, Problem> {
        let (head, config, left) = match self.sample {
            Sample::Frame(frame) => (frame.head(), frame.config("app"), FRAME_LEFT),
            Sample::StableDiffusion(frame) => {
                (frame.head(), frame.config("stablediffusion"), FRAME_LEFT)
            }
            Sample::Ocr(service) => (service.head(), service.config(), SERVICE_LEFT),
        };
        let config = config.map_err(|wrong| Problem::Failed(wrong.to_string()))?;
        let config = headed(&head, &config);
        match errors(&config) {
            errors if errors.is_empty() => {
                Ok(Output { stdout: config, stderr: left.to_owned(), exit: 0 })
            }
            errors => {
                Err(Problem::Usage(format!("with these names the config is wrong\n{errors}")))
            }
        }
    }
}

/// The config with another first paragraph: the sample's speaks of the folder that it stands in.
fn headed(head: &str, config: &str) -> String {
    let rest = config.split_once("\n#\n").map_or(config, |(_, rest)| rest);
    format!("# {head}, written by `vigile init`.\n#\n{rest}")
}

/// What the names given make impossible.
fn errors(config: &str) -> String {
    let found = check::check(config.as_bytes(), Format::of("envoy.yaml"), None);
    let error = |Reported { finding, .. }: &Reported| match finding.severity {
        Severity::Error => Some(format!("{}: {}\n", finding.path, finding.problem)),
        Severity::Warning | Severity::Note => None,
    };
    found.iter().filter_map(error).collect()
}

const FRAME_LEFT: &str = "\
Left to do:
  - the certificate of the host: fullchain.pem and privkey.pem
  - IAHOME_JWT_SECRET in Envoy's environment: what the platform signs with (`vigile key` makes one)
  - envoy --mode validate --config-path FILE, then the platform's side: docs/platform.md
";

const SERVICE_LEFT: &str = "\
Left to do:
  - the certificate: fullchain.pem and privkey.pem
  - in Envoy's environment SERVICE_API_KEY (`vigile key --prefix nuno_service_` makes one), ALLOWED_IPS
    (addresses and networks, with commas between) and OPENAI_API_KEY, as far as the level asks for them
  - the app calls its provider at http://127.0.0.1:8801, without a key
  - envoy --mode validate --config-path FILE
";

impl Frame {
    fn head(&self) -> String {
        format!("{} in a frame of {}", self.host, self.platform)
    }

    fn config(self, module: &str) -> Result<String, Unwritten> {
        let Place { upstream, tls, wasm } = self.place;
        StableDiffusion {
            module: self.module.unwrap_or_else(|| module.to_owned()),
            host: self.host,
            platform: self.platform,
            upstream,
            tls,
            wasm,
            ports: (self.https, self.http),
            quota: self.quota,
        }
        .config()
    }
}

impl Service {
    fn head(&self) -> String {
        let observe = if self.observe { ", nobody refused yet" } else { "" };
        format!("The service {} at level {}{observe}", self.module, self.level)
    }

    fn config(self) -> Result<String, Unwritten> {
        let Place { upstream, tls, wasm } = self.place;
        Ocr {
            level: self.level.into(),
            observe: self.observe,
            module: self.module,
            upstream,
            provider: self.provider,
            tls,
            wasm,
        }
        .config()
    }
}

// The names go into YAML as they are given, so what YAML could read in another way is refused here.

fn name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err("a letter, then letters, digits, _ and -".to_owned()),
    }
}

fn host(text: &str) -> Result<String, String> {
    let label = |label: &str| {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
        !label.is_empty() && label.chars().all(fits) && !label.starts_with('-')
    };
    match text.split('.').all(label) && text.len() <= 253 {
        true => Ok(text.to_ascii_lowercase()),
        false => Err(match ascii_host(text) {
            Some(ascii) => format!("browsers send it as {ascii}: write that"),
            None => "a host name such as sd.example.org, without scheme and port".to_owned(),
        }),
    }
}

fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text.as_bytes())
        .ok_or_else(|| "an origin such as https://example.org, without a path".to_owned())
}

fn upstream(text: &str) -> Result<(String, u16), String> {
    const WANTED: &str = "an address and a port such as 192.0.2.20:7860 or app.internal:7860";
    let (address, port) = text.rsplit_once(':').ok_or(WANTED)?;
    let port = port.parse().ok().filter(|port| *port != 0).ok_or(WANTED)?;
    let bare = address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    match bare.map(str::parse::<std::net::Ipv6Addr>) {
        Some(Ok(address)) => Ok((address.to_string(), port)),
        Some(Err(_)) => Err(WANTED.to_owned()),
        None => host(address).map(|name| (by_number(name), port)).map_err(|_| WANTED.to_owned()),
    }
}

/// Envoy asks for the IPv6 address of `localhost` alone, where few apps listen (observed on 1.40).
fn by_number(name: String) -> String {
    if name == "localhost" { "127.0.0.1".to_owned() } else { name }
}

fn path(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "/._-+".contains(c);
    match text.trim_end_matches('/') {
        "" => Err("a path".to_owned()),
        path if path.chars().all(fits) && !path.starts_with('-') => Ok(path.to_owned()),
        _ => Err("letters, digits and / . _ - + alone".to_owned()),
    }
}
