//! The app behind Envoy: it answers as the case says and remembers what it saw, by x-request-id.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Response};
use axum::response::IntoResponse;
use http_body_util::{BodyExt, Limited};

use crate::case::Upstream;
use crate::outcome::Received;

/// A running app; it lives as long as the process.
#[derive(Clone, Default)]
pub struct App {
    answers: Arc<Mutex<HashMap<String, Upstream>>>,
    seen: Arc<Mutex<HashMap<String, Received>>>,
}

impl App {
    /// Starts on a port that the system chooses.
    pub fn start() -> (Self, SocketAddr) {
        let app = Self::default();
        let router = Router::new().fallback(answer).with_state(app.clone());
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                send.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        (app, receive.recv().unwrap())
    }

    /// Says how the request with this id is to be answered.
    pub fn answers(&self, id: &str, upstream: &Upstream) {
        self.answers.lock().unwrap().insert(id.to_owned(), upstream.clone());
    }

    /// Whether a request with this id came in.
    pub fn has_seen(&self, id: &str) -> bool {
        self.seen.lock().unwrap().contains_key(id)
    }

    /// What came in under this id.
    pub fn saw(&self, id: &str) -> Option<Received> {
        self.seen.lock().unwrap().remove(id)
    }
}

async fn answer(
    State(app): State<App>,
    websocket: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let request = &head;
    let headers: Vec<(String, Vec<u8>)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    let id = request
        .headers
        .get("x-request-id")
        .and_then(|id| id.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    let path = request.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let received = Received { method: request.method.to_string(), path, headers, body: Vec::new() };
    app.seen.lock().unwrap().insert(id.clone(), received);
    if websocket.is_err() {
        let body = Limited::new(body, 64 * 1024 * 1024).collect().await.ok();
        if let (Some(received), Some(body)) = (app.seen.lock().unwrap().get_mut(&id), body) {
            // It takes trailers for headers, as some apps do.
            let trailers = body.trailers().into_iter().flatten();
            let trailers =
                trailers.map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()));
            received.headers.extend(trailers);
            received.body = body.to_bytes().to_vec();
        }
    }
    let answer = app.answers.lock().unwrap().remove(&id).unwrap_or_default();
    if answer.held {
        // The request is dropped when its caller goes.
        std::future::pending::<()>().await;
    }
    let mut response = match websocket {
        Ok(websocket) => websocket.on_upgrade(echo).into_response(),
        Err(_) => {
            let response = Response::builder().status(answer.status.unwrap_or(200));
            let response = response.header("content-type", "text/plain");
            response.body(Body::from("from the app")).unwrap()
        }
    };
    for (name, values) in &answer.headers {
        for value in values.all() {
            let name = HeaderName::try_from(name).unwrap();
            response.headers_mut().append(name, HeaderValue::from_bytes(&value).unwrap());
        }
    }
    response
}

/// A websocket says what it is told.
async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}
