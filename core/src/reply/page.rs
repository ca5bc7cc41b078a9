//! The block page: French or English, for a phone and for a frame, with nothing from outside.
//!
//! In a tab it leads to the platform by itself. In a frame it never does, since that would nest the
//! platform in itself: it tells the platform by postMessage, and offers a link to a new tab
//! (docs/browsers.md).

use std::sync::LazyLock;

use ct_codecs::{Base64, Encoder};

use super::{Reply, content_policy, words};
use crate::Reason;
use crate::decide::Failure;
use crate::policy::Module;
use crate::reason::Language;
use crate::request::Destination;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const SHIELD: &str = "<svg viewBox=\"0 0 24 24\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"1.6\" stroke-linecap=\"round\" stroke-linejoin=\"round\" aria-hidden=\"true\"><path d=\"M12 3 5 6v5c0 4.5 3 8 7 10 4-2 7-5.5 7-10V6z\"/><path d=\"M12 9v4M12 16.2v.01\"/></svg>";

/// The page's own style and script, and no other. Hashed once: a flood of refusals is a flood of pages.
static SOURCES: LazyLock<String> =
    LazyLock::new(|| format!("style-src '{}'; script-src '{}'; ", hash(STYLE), hash(SCRIPT)));

/// Makes the page the body of a refusal.
pub(super) fn page(
    mut reply: Reply,
    module: Option<&Module>,
    destination: Destination,
    language: Language,
    failure: &Failure,
) -> Reply {
    let embed = module.and_then(|module| module.embed.as_ref());
    reply.set("content-security-policy", content_policy(&SOURCES, embed));
    let platform = module.and_then(|module| module.platform.as_ref()).map(ToString::to_string);
    let page = Page {
        language,
        title: title(failure.reason, language),
        message: escaped(&words::message(failure, module, language)),
        reason: failure.reason,
        platform: platform.as_deref(),
        destination,
    };
    reply.set("content-language", page.lang());
    reply.with_body("text/html; charset=utf-8", page.html().into_bytes())
}

struct Page<'p> {
    language: Language,
    title: &'static str,
    message: String,
    reason: Reason,
    platform: Option<&'p str>,
    destination: Destination,
}

impl Page<'_> {
    fn html(&self) -> String {
        let Self { title, message, reason, .. } = self;
        let lang = self.lang();
        // A frame stands in a page that has a design of its own: no card within it.
        let class = if self.destination == Destination::Frame { " class=\"framed\"" } else { "" };
        let data =
            self.platform.map(|origin| format!(" data-platform=\"{origin}\"")).unwrap_or_default();
        format!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body{class} data-reason=\"{reason}\"{data}>\n<main>\n{SHIELD}\n<h1>{title}</h1>\n<p>{message}.</p>\n{link}<footer>{label} <code>{reason}</code></footer>\n</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
            link = self.link().unwrap_or_default(),
            // French puts a space before a colon, where no line may break.
            label = if self.language == Language::French { "Motif&nbsp;:" } else { "Reason:" },
        )
    }

    fn lang(&self) -> &'static str {
        if self.language == Language::French { "fr" } else { "en" }
    }

    /// The way to the platform: in a tab, with a word of where it is about to lead, which the visitor can stop
    /// (WCAG 2.2.1); elsewhere, in a new tab.
    fn link(&self) -> Option<String> {
        let origin = self.platform?;
        let (leave, soon, stay) = match self.language {
            Language::French => {
                ("Retour à", "Vous y serez conduit dans quelques secondes.", "Rester ici")
            }
            Language::English => {
                ("Go to", "You will be taken there in a few seconds.", "Stay here")
            }
        };
        let name = origin.split_once("://").map_or(origin, |(_, name)| name);
        let (target, soon) = match self.destination {
            // The script shows it: nothing leads away without one.
            Destination::Document => (
                "",
                format!(
                    "<p class=\"soon\" hidden>{soon} <button type=\"button\">{stay}</button></p>\n"
                ),
            ),
            _ => (" target=\"_blank\" rel=\"noopener\"", String::new()),
        };
        Some(format!("<p><a href=\"{origin}\"{target}>{leave} {name}</a></p>\n{soon}"))
    }
}

fn title(reason: Reason, language: Language) -> &'static str {
    let titles = match (reason, reason.status()) {
        (Reason::TokenExpired, _) => ["Session ended", "Session terminée"],
        (_, 401) => ["Protected access", "Accès protégé"],
        (_, 403) => ["Access refused", "Accès refusé"],
        (_, 404) => ["Page not found", "Page introuvable"],
        _ => ["This request cannot be served", "Cette demande ne peut aboutir"],
    };
    match language {
        Language::English => titles[0],
        Language::French => titles[1],
    }
}

/// A hash source (CSP Level 3 §2.3.1) for what stands inline.
pub(super) fn hash(inline: &str) -> String {
    let digest = hmac_sha256::Hash::hash(inline.as_bytes());
    format!("sha256-{}", Base64::encode_to_string(digest).unwrap_or_default())
}

/// For HTML, and with the apostrophe and quotes of print: the same sentences stand in JSON with the typewriter's.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace(" '", " \u{2018}").replace('\'', "\u{2019}")
}
