//! A small module app: it paints, streams its progress, takes uploads, and knows nothing of tokens.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Query};
use axum::http::{HeaderMap, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use serde::Deserialize;
use tokio_stream::{Stream, StreamExt};

const PAGE: &str = include_str!("app.html");
const MOST_UPLOADED: usize = 64 * 1024 * 1024;

/// The app's routes.
pub(super) fn router() -> Router {
    Router::new()
        .route("/", get(page))
        .route("/whoami", get(|headers: HeaderMap| async move { user(&headers) }))
        .route("/paint", get(paint))
        .route("/picture", get(picture))
        .route(
            "/upload",
            post(|body: Bytes| async move { format!("{} bytes arrived", body.len()) }),
        )
        .layer(DefaultBodyLimit::max(MOST_UPLOADED))
}

#[derive(Deserialize)]
struct Wish {
    prompt: String,
}

fn user(headers: &HeaderMap) -> String {
    let user = headers.get("x-user-id").and_then(|user| user.to_str().ok());
    user.unwrap_or("nobody").to_owned()
}

async fn page(headers: HeaderMap) -> Html<String> {
    Html(PAGE.replace("@user@", &escaped(&user(&headers))))
}

/// Progress as server-sent events, as Gradio's queue does.
async fn paint(Query(_): Query<Wish>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let steps = tokio_stream::iter((10..=100).step_by(10));
    let slowly = steps.throttle(Duration::from_millis(120));
    Sse::new(slowly.map(|done| Ok(Event::default().data(done.to_string()))))
        .keep_alive(KeepAlive::default())
}

/// Circles that hang on the words alone.
async fn picture(Query(Wish { prompt }): Query<Wish>) -> impl IntoResponse {
    let seed = hmac_sha256::Hash::hash(prompt.as_bytes());
    let circles: String = seed
        .windows(5)
        .map(|window| match window {
            [x, y, size, hue, light] => format!(
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"hsl({} 70% {}% / .6)\"/>",
                u16::from(*x) * 2,
                y,
                (size / 4).saturating_add(8),
                u16::from(*hue),
                (light / 6).saturating_add(35)
            ),
            _ => String::new(),
        })
        .collect();
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 512 256\"><rect width=\"512\" height=\"256\" fill=\"#11182c\"/>{circles}<text x=\"16\" y=\"240\" fill=\"#fff\" font-family=\"sans-serif\" font-size=\"20\">{}</text></svg>",
        escaped(&prompt)
    );
    ([(header::CONTENT_TYPE, "image/svg+xml")], svg)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
