//! An app whose answers have no end: events, a websocket that echoes, and silence.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::response::Response;
use axum::routing::any;

#[derive(Clone, Default)]
pub(crate) struct App {
    left: Arc<AtomicUsize>,
}

/// One reader, until it is gone.
struct Reader(Arc<AtomicUsize>);

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl App {
    pub(crate) fn start() -> (Self, SocketAddr) {
        let app = Self::default();
        let router = Router::new()
            .route("/quick", any(|| async { "done" }))
            .route("/read", any(|_: Bytes| std::future::pending::<()>()))
            .route("/never", any(std::future::pending::<()>))
            .route("/socket", any(socket))
            .fallback(events)
            .with_state(app.clone());
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                send.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        (app, receive.recv().unwrap())
    }

    /// How many readers of events, and sockets, are gone.
    pub(crate) fn left(&self) -> usize {
        self.left.load(Ordering::Relaxed)
    }
}

async fn events(State(app): State<App>) -> Response {
    let ticks = futures_util::stream::unfold(Reader(app.left), |reader| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Some((Ok::<_, Infallible>(Bytes::from("data: tick\n\n")), reader))
    });
    let answer = Response::builder().header("content-type", "text/event-stream");
    answer.body(Body::from_stream(ticks)).unwrap()
}

async fn socket(State(app): State<App>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|socket| echo(socket, Reader(app.left)))
}

async fn echo(mut socket: WebSocket, _reader: Reader) {
    while let Some(Ok(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}
