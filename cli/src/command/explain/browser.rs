//! A browser, as far as its headers tell what a request is for.

/// Destinations of requests as browsers name them (Fetch §2.2.7), and `websocket`.
pub(super) const DESTINATIONS: [&str; 25] = [
    "audio",
    "audioworklet",
    "document",
    "embed",
    "empty",
    "fencedframe",
    "font",
    "frame",
    "iframe",
    "image",
    "json",
    "manifest",
    "object",
    "paintworklet",
    "report",
    "script",
    "serviceworker",
    "sharedworker",
    "style",
    "track",
    "video",
    "webidentity",
    "websocket",
    "worker",
    "xslt",
];

/// Headers that a browser sends with a request for this destination (W3C Fetch Metadata).
pub(super) fn says(dest: Option<&str>) -> Vec<(String, String)> {
    let Some(dest) = dest else { return Vec::new() };
    let (mode, site) = match dest {
        "iframe" | "frame" => ("navigate", "cross-site"),
        "document" => ("navigate", "none"),
        "empty" => ("cors", "same-origin"),
        "websocket" => ("websocket", "same-origin"),
        _ => ("no-cors", "same-origin"),
    };
    let accept = (mode == "navigate").then_some(("accept", "text/html"));
    let said = [("sec-fetch-dest", dest), ("sec-fetch-mode", mode), ("sec-fetch-site", site)];
    let all = said.into_iter().chain(accept);
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
