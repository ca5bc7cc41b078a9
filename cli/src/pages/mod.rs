//! The page in place of Envoy's own words where the app is down, starting, or asked too often: one mapper of
//! `local_reply_config`, the same in all samples.

use ct_codecs::{Base64, Encoder};

const HTML: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The mapper; its first line tells what made it.
const MAPPER: &str = include_str!("mapper.yaml");

/// The line that the mapper begins with.
pub const FIRST: &str =
    "# Made by `vigile pages`: what Envoy answers by itself to a browser that opens a page.";

/// The mapper, as YAML. In a frame the page tells `platform`: an origin, or a place in a template.
pub fn mapper(platform: Option<&str>) -> String {
    let page = indented(&html(platform), 8);
    MAPPER.replace("@first@", FIRST).replace("@policy@", &policy()).replace("@page@\n", &page)
}

/// The lines further to the right.
fn indented(text: &str, columns: usize) -> String {
    let before = " ".repeat(columns);
    text.lines().flat_map(|line| [before.as_str(), line, "\n"]).collect()
}

/// In Envoy's format strings `%` begins a word.
fn html(platform: Option<&str>) -> String {
    let platform =
        platform.map(|origin| format!(" data-platform=\"{origin}\"")).unwrap_or_default();
    let page = HTML.replace("@style@", STYLE.trim_end()).replace("@script@", SCRIPT.trim_end());
    let page = page.replace('%', "%%").replace("@status@", "%RESPONSE_CODE%");
    page.replace("@platform@", &platform)
}

/// The page's own style and script, and no other; it asks for its own address.
fn policy() -> String {
    let [style, script] = [STYLE, SCRIPT].map(|text| {
        let digest = hmac_sha256::Hash::hash(text.trim_end().as_bytes());
        format!("'sha256-{}'", Base64::encode_to_string(digest).unwrap_or_default())
    });
    format!(
        "default-src 'none'; style-src {style}; script-src {script}; connect-src 'self'; base-uri 'none'; form-action 'none'"
    )
}

#[cfg(test)]
mod tests {
    use super::{indented, mapper};

    #[test]
    fn every_sample_that_browsers_open_has_the_page() {
        for (sample, platform) in [
            (
                include_str!("../../../envoy/stable-diffusion/envoy.yaml"),
                Some("${STABLE_DIFFUSION_PLATFORM}"),
            ),
            (include_str!("../../../envoy/assistant/envoy.yaml"), None),
            (include_str!("../../../envoy/orchestrator/envoy.yaml"), None),
        ] {
            let mapper = indented(&mapper(platform), 20);
            assert!(sample.contains(&mapper), "`vigile pages` gives another one:\n{mapper}");
        }
    }
}
