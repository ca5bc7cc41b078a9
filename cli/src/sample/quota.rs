//! Quotas: what of an app's requests counts as a generation.

use std::fmt::Write;

use super::{Unwritten, blocks};

/// An app whose generations are counted, by the paths that it runs them at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Quota {
    /// Gradio 4 to 6: every run of a function by POST, from the page, by its API or by MCP.
    Gradio,
    /// Gradio 3: every event that waits in the queue, and every call of the API.
    #[value(name = "gradio-3")]
    Gradio3,
    /// Stable Diffusion web UI: the page's queue, and /sdapi/v1/txt2img and img2img.
    Automatic1111,
    /// ComfyUI: POST /prompt, also as /api/prompt.
    Comfyui,
}

impl Quota {
    /// The paths, of which POST counts; a websocket is opened by GET, and counts where the second says so.
    const fn paths(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Self::Gradio => (
                &[
                    "/gradio_api/queue/join",
                    "/gradio_api/run/**",
                    "/gradio_api/api/**",
                    "/gradio_api/call/**",
                    "/gradio_api/mcp/**",
                ],
                &[],
            ),
            Self::Gradio3 => (&["/run/**", "/api/**", "/call/**"], &["/queue/join"]),
            Self::Automatic1111 => (&["/sdapi/v1/txt2img", "/sdapi/v1/img2img"], &["/queue/join"]),
            Self::Comfyui => (&["/prompt", "/api/prompt"], &[]),
        }
    }

    /// The routes of the policy. Methods that do not count pass like the rest of the app.
    fn routes(self) -> String {
        const OTHERS: &str = "GET, HEAD, PUT, PATCH, DELETE, OPTIONS";
        let (posted, opened) = self.paths();
        let mut routes = String::new();
        let mut add = |paths: &[&str], methods: Option<&str>, counts: bool| {
            let methods = methods.map(|methods| format!("  methods: [{methods}]\n"));
            let count = if counts { "  forward: { x-quota: generation }\n" } else { "" };
            // Writing to a string does not fail.
            let _ = write!(
                routes,
                "- paths: [{}]\n{}  token: {{ issuer: iahome }}\n{count}",
                paths.join(", "),
                methods.unwrap_or_default()
            );
        };
        add(posted, Some("POST"), true);
        add(posted, Some(OTHERS), false);
        if !opened.is_empty() {
            add(opened, None, true);
        }
        routes + "- path: /**\n  token: { issuer: iahome }\n"
    }
}

/// The sample's config with the quota of another app, or with none.
pub(super) fn with(text: &str, quota: Option<Quota>) -> Result<String, Unwritten> {
    match quota {
        Some(quota) => blocks::with_body(text, "routes:", &quota.routes()),
        None => {
            // One for each level.
            let text = blocks::without(text, "- filter:")?;
            let text = blocks::without(&text, "- filter:")?;
            let text = blocks::without(&text, "- name: envoy.filters.http.local_ratelimit")?;
            let text = blocks::without(
                &text,
                "- match: { prefix: /, headers: [{ name: x-quota, string_match: { exact: generation } }] }",
            )?;
            blocks::with_body(&text, "routes:", "- path: /**\n  token: { issuer: iahome }\n")
        }
    }
}
