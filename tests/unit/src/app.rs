//! An app that streams both ways, and tells how its calls ended.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{any, get, post};
use futures_util::stream;
use tokio::sync::mpsc as channel;

/// Bytes of the large download.
pub const LARGE: u64 = 300 * 1024 * 1024;

/// A running app; it lives as long as the process.
pub struct App {
    pub address: SocketAddr,
    /// What `/events` sends, one by one.
    events: channel::UnboundedSender<Bytes>,
    /// A word for each call of `/events` or `/never` whose caller left.
    pub left: mpsc::Receiver<&'static str>,
    /// A word for each call that came to them.
    pub came: mpsc::Receiver<&'static str>,
}

#[derive(Clone)]
struct Shared {
    events: Arc<Mutex<Option<channel::UnboundedReceiver<Bytes>>>>,
    left: mpsc::Sender<&'static str>,
    came: mpsc::Sender<&'static str>,
}

/// Tells that it was dropped.
struct Guard(mpsc::Sender<&'static str>, &'static str);

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = self.0.send(self.1);
    }
}

impl App {
    pub fn start() -> Self {
        let (events, receiver) = channel::unbounded_channel();
        let (left, has_left) = mpsc::channel();
        let (came, has_come) = mpsc::channel();
        let shared = Shared { events: Arc::new(Mutex::new(Some(receiver))), left, came };
        let router = Router::new()
            .route("/echo", post(|request: Request| async { Response::new(request.into_body()) }))
            .route("/events", get(sent))
            .route("/never", any(never))
            .route("/large", get(large))
            .route("/headers", any(headers))
            .with_state(shared);
        let (send, receive) = mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                send.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        Self { address: receive.recv().unwrap(), events, left: has_left, came: has_come }
    }

    /// `/events` sends this.
    pub fn send(&self, event: &str) {
        self.events.send(format!("data: {event}\n\n").into()).unwrap();
    }
}

/// The events of the test, until the caller leaves.
async fn sent(State(shared): State<Shared>) -> Response {
    let receiver = shared.events.lock().unwrap().take().expect("one caller alone");
    let guard = Guard(shared.left.clone(), "/events");
    let stream = stream::unfold((receiver, guard), |(mut receiver, guard)| async {
        let event = receiver.recv().await?;
        Some((Ok::<_, Infallible>(event), (receiver, guard)))
    });
    let _ = shared.came.send("/events");
    let answer = Response::builder().header("content-type", "text/event-stream");
    answer.body(Body::from_stream(stream)).unwrap()
}

async fn never(State(shared): State<Shared>) -> Response {
    let _guard = Guard(shared.left.clone(), "/never");
    let _ = shared.came.send("/never");
    std::future::pending().await
}

async fn large() -> Response {
    let part = Bytes::from(vec![b'x'; 64 * 1024]);
    let parts = LARGE / part.len() as u64;
    let stream = stream::iter((0..parts).map(move |_| Ok::<_, Infallible>(part.clone())));
    let answer = Response::builder().header("content-length", LARGE);
    answer.body(Body::from_stream(stream)).unwrap()
}

/// What came, a line to a header.
async fn headers(headers: HeaderMap) -> String {
    let line = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
    };
    headers.iter().map(line).collect()
}

/// An app that reads a request's head, answers with these bytes, and closes.
pub fn abrupt(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        }
    });
    address
}

/// How often `/open` says that it is there.
const BEAT: Duration = Duration::from_millis(500);

/// An app whose `/open` sends a part, then dots and, told so, the rest. Each other path has these bytes, after which the
/// connection is closed, or stays.
pub fn unsteady(answer: &'static [u8], stays: bool) -> (SocketAddr, mpsc::Sender<()>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = mpsc::channel();
    let told = Arc::new(Mutex::new(told));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, told) = (stream.unwrap(), told.clone());
            std::thread::spawn(move || {
                let mut head = [0; 4096];
                let read = stream.read(&mut head).unwrap();
                if !head[..read].starts_with(b"GET /open ") {
                    stream.write_all(answer).unwrap();
                    if stays {
                        std::thread::park();
                    }
                    return;
                }
                let first = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n";
                stream.write_all(first).unwrap();
                let told = told.lock().unwrap();
                while told.recv_timeout(BEAT) == Err(mpsc::RecvTimeoutError::Timeout) {
                    let _ = stream.write_all(b"1\r\n.\r\n");
                }
                let _ = stream.write_all(b"3\r\ntwo\r\n0\r\n\r\n");
            });
        }
    });
    (address, tell)
}
