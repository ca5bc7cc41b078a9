//! The pages of sites.

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::routing::get;
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// The files of a folder of `tests/browser/sites/`, which no cache may keep.
pub fn files(folder: &str) -> Router {
    let folder = vigile_tests::policies::project().join("tests/browser/sites").join(folder);
    let no_store =
        SetResponseHeaderLayer::overriding(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Router::new().fallback_service(ServeDir::new(folder)).layer(no_store)
}

/// The hostile site: its pages, and a pair of cookies by which a page sees what this browser sends to a
/// third party.
pub fn hostile() -> Router {
    let allow = |origin: &'static str| {
        let header = |name: &'static str, value: &'static str| {
            SetResponseHeaderLayer::overriding(
                axum::http::HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        (
            header("access-control-allow-origin", origin),
            header("access-control-allow-credentials", "true"),
        )
    };
    let cookies = Router::new()
        .route("/cookies/set", get(set_cookies))
        .route("/cookies/seen", get(seen_cookies))
        .layer(allow("https://iahome.fr"));
    files("hostile").merge(cookies)
}

async fn set_cookies() -> axum::response::AppendHeaders<[(&'static str, &'static str); 2]> {
    axum::response::AppendHeaders([
        ("set-cookie", "plain=1; Path=/; Secure; HttpOnly; SameSite=None"),
        ("set-cookie", "partitioned=1; Path=/; Secure; HttpOnly; SameSite=None; Partitioned"),
    ])
}

async fn seen_cookies(headers: axum::http::HeaderMap) -> String {
    let all = headers.get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut all: Vec<&str> = all.flat_map(|value| value.split("; ")).collect();
    all.sort_unstable();
    all.join(" ")
}
