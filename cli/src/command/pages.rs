//! `vigile pages`.

use vigile_policy::Origin;

use super::Output;
use crate::pages;

/// Writes the page that a visitor sees where the app is down or starting, as Envoy config
///
/// Put it into `local_reply_config.mappers` of the http connection manager. It is for what Envoy answers by itself with 429,
/// 502, 503 and 504 to a browser that opens a page. The page is in English and French, and asks again by itself. In a frame it
/// tells the platform's page, which docs/vigile-frame.js listens to.
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Arguments {
    /// Where the platform's pages come from; without it nobody is told
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    platform: Option<Origin>,
}

const AFTER: &str = "\
Example:
  vigile pages --platform https://example.org";

impl Arguments {
    pub(super) fn run(self) -> Output {
        let platform = self.platform.map(|origin| origin.to_string());
        Output::of(pages::mapper(platform.as_deref()))
    }
}

fn origin(text: &str) -> Result<Origin, String> {
    Origin::parse(text.as_bytes())
        .ok_or_else(|| "an origin such as https://example.org, without a path".to_owned())
}
