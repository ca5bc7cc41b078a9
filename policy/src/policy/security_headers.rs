//! `security_headers`: the lists of the customer's documents, by name (docs/policy.md, `security_headers`).

use vigile_core::policy::{Embed, Headers};

use crate::document::{Node, Section};

/// A list of headers for one kind of module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Preset {
    /// Answers that are data, and load nothing.
    Api,
    /// Pages that no other page frames.
    Page,
    /// Pages that `embed` puts into a frame.
    Frame,
}

/// Without `preload`, which 003_2fa7766864bfebd3.txt has in one of its two lists: a host that is in the
/// browsers' own lists does not come out of them for months.
const TRANSPORT: (&str, &str) =
    ("strict-transport-security", "max-age=31536000; includeSubDomains");

pub(super) fn read(node: &Node<'_>) -> Option<Preset> {
    node.word(&[("api", Preset::Api), ("page", Preset::Page), ("frame", Preset::Frame)])
}

impl Preset {
    fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Api => &[
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("x-robots-tag", "noindex,nofollow"),
            ],
            Self::Page => &[
                ("x-content-type-options", "nosniff"),
                ("x-frame-options", "DENY"),
                ("x-robots-tag", "noindex,nofollow"),
                ("x-xss-protection", "1; mode=block"),
            ],
            // X-Frame-Options knows no list of origins: frame-ancestors, which `embed` writes, says it.
            Self::Frame => {
                &[("x-content-type-options", "nosniff"), ("x-xss-protection", "1; mode=block")]
            }
        }
    }

    /// Its Content-Security-Policy, where the module writes none.
    pub(super) fn csp(self) -> Option<&'static str> {
        match self {
            Self::Api => Some("default-src 'none'"),
            Self::Page => Some("default-src 'self'"),
            Self::Frame => None,
        }
    }

    fn transport(self) -> Option<(&'static str, &'static str)> {
        matches!(self, Self::Api | Self::Page).then_some(TRANSPORT)
    }
}

/// The preset's headers beneath the policy's own: what stands in `headers`, a value or `false`, counts.
pub(super) fn beneath(preset: Option<Preset>, mut own: Headers) -> Headers {
    let Some(preset) = preset else { return own };
    let free: Vec<&(&str, &str)> =
        preset.headers().iter().filter(|(name, _)| !own.names(name)).collect();
    let transport = preset.transport().filter(|(name, _)| !own.names(name));
    own.set.extend(free.into_iter().map(|(name, value)| ((*name).into(), (*value).into())));
    own.set_over_https = transport.map(|(name, value)| (name.to_owned(), value.to_owned()));
    own
}

/// Whether the preset and `embed` say the same of frames.
pub(super) fn suits(
    section: &Section<'_>,
    preset: Option<Preset>,
    embed: Option<&Embed>,
) -> Option<()> {
    let problem = match (preset, embed) {
        (Some(Preset::Frame), None) => {
            "security_headers: frame is for a module with embed, which says who may frame it"
        }
        (Some(Preset::Api | Preset::Page), Some(_)) => {
            "this preset of security_headers forbids frames, and embed names some: write frame"
        }
        _ => return Some(()),
    };
    section.node().wrong(problem)
}
