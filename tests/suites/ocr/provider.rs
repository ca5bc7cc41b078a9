//! What stands for the provider.
//!
//! The real api.openai.com cannot be had in a test: it costs, it needs a customer's key, and it does not
//! show what it was sent. This one speaks TLS as the sample expects it of the real one, asks for the same
//! key in the same place, and remembers every header.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::json;
use tokio_rustls::rustls::ServerConfig;
use vigile_tests::https;

use super::stage::PROVIDER_KEY;

/// What it says of every wound.
pub(crate) const FINDING: &str = "plaie superficielle";

/// A running provider.
#[derive(Clone)]
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A call as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Bytes,
}

impl Provider {
    pub(crate) async fn start(config: Arc<ServerConfig>) -> Self {
        let seen = Arc::default();
        let router = Router::new().fallback(answer);
        let address = https::serve(router.with_state(Arc::clone(&seen)), config).await;
        Self { address, seen }
    }

    /// Every call so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Seen {
    /// Every value of a header.
    pub(crate) fn values(&self, name: &str) -> Vec<String> {
        let values = self.headers.iter().filter(|(known, _)| known == name);
        values.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect()
    }

    /// All of it, to look for what must not be there.
    pub(crate) fn text(&self) -> String {
        let header = |(name, value): &(String, Vec<u8>)| {
            format!("{name}: {}\n", String::from_utf8_lossy(value))
        };
        let headers: String = self.headers.iter().map(header).collect();
        format!("{}\n{headers}\n{}", self.line, String::from_utf8_lossy(&self.body))
    }
}

/// Remembers a call and answers it. Without the provider's key it is refused before anything else is
/// looked at.
async fn answer(State(seen): State<Arc<Mutex<Vec<Seen>>>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let headers = head.headers.iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
    let headers: Vec<(String, Vec<u8>)> = headers.collect();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
    let line = format!("{} {}", head.method, head.uri);
    let call = Seen { line: line.clone(), headers, body };
    let key = call.values("authorization");
    seen.lock().unwrap().push(call);
    let error = |message: &str| Json(json!({ "error": { "message": message } }));
    if key != [format!("Bearer {PROVIDER_KEY}")] {
        return (StatusCode::UNAUTHORIZED, error("Incorrect API key provided")).into_response();
    }
    match line.as_str() {
        "POST /v1/chat/completions" => {
            Json(json!({ "choices": [{ "message": { "content": FINDING } }] })).into_response()
        }
        _ => (StatusCode::NOT_FOUND, error("Invalid URL")).into_response(),
    }
}
