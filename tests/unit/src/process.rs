//! An application's process: what ends it ends every request in it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http::header::CONTENT_LENGTH;
use http::response::Parts;
use http::{Request, Response};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::guest::{Guest, Surroundings};

pub type Body = BoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

/// An application's process, which Unit starts anew each time it is gone.
#[derive(Clone)]
pub struct Process {
    guest: Guest,
    around: Arc<Surroundings>,
    /// How often it was gone.
    aborts: Arc<watch::Sender<usize>>,
    /// `limits.timeout`: how long the application may be silent until the router ends the answer.
    silence: Duration,
    /// A proxy of Unit itself stands in front, which ends chunks that break off as if they were whole.
    two_hops: bool,
}

/// A part of an answer's body, or its end.
type Part = Option<Bytes>;

impl Process {
    pub fn new(
        guest: &Guest,
        around: Arc<Surroundings>,
        silence: Duration,
        two_hops: bool,
    ) -> Self {
        let aborts = Arc::new(watch::Sender::new(0));
        Self { guest: guest.clone(), around, aborts, silence, two_hops }
    }

    pub fn aborts(&self) -> usize {
        *self.aborts.borrow()
    }

    /// `panic = "abort"` in Unit's module.
    pub fn abort(&self, why: &str) {
        eprintln!("Unit's module aborts the application's process: {why}");
        self.aborts.send_modify(|count| *count += 1);
    }

    /// Calls the application. `None` where the router has no answer of it. A client that leaves ends no call:
    /// nobody tells the module, which goes on until the component does.
    pub async fn answer(&self, request: Request<Full<Bytes>>) -> Option<Response<Body>> {
        let (head, answered) = oneshot::channel();
        let (parts, body) = mpsc::channel(1);
        tokio::spawn(self.clone().call(request, head, parts));
        let head = timeout(self.silence, answered).await.ok()?.ok()?;
        let length = head.headers.get(CONTENT_LENGTH);
        let left = length.and_then(|length| length.to_str().ok()?.parse().ok());
        let passed = Passed { parts: body, left, silence: self.silence, two_hops: self.two_hops };
        let stream = stream::unfold(Some(passed), |passed| async { passed?.next().await });
        Some(Response::from_parts(head, BodyExt::boxed(StreamBody::new(stream))))
    }

    async fn call(
        self,
        request: Request<Full<Bytes>>,
        head: oneshot::Sender<Parts>,
        parts: mpsc::Sender<Part>,
    ) {
        let mut gone = self.aborts.subscribe();
        let ended = tokio::select! {
            _ = gone.changed() => Ok(()),
            ended = self.run(request, head, parts) => ended,
        };
        if let Err(error) = ended {
            self.abort(&format!("{error:?}"));
        }
    }

    /// An error of the body, or of the component after it, is one that the module does not survive.
    async fn run(
        &self,
        request: Request<Full<Bytes>>,
        head: oneshot::Sender<Parts>,
        parts: mpsc::Sender<Part>,
    ) -> anyhow::Result<()> {
        let (answer, task) = self.guest.answer(self.around.clone(), request).await?;
        let mut task = Ended(task);
        let (answered, mut body) = answer.into_parts();
        let _ = head.send(answered);
        while let Some(frame) = body.frame().await {
            if let Ok(bytes) = frame?.into_data() {
                let _ = parts.send(Some(bytes)).await;
            }
        }
        (&mut task.0).await??;
        let _ = parts.send(None).await;
        Ok(())
    }
}

/// An answer's body as the router passes it on.
struct Passed {
    parts: mpsc::Receiver<Part>,
    /// The bytes that Content-Length says are still to come.
    left: Option<usize>,
    silence: Duration,
    two_hops: bool,
}

type Next = (Result<Frame<Bytes>, Box<dyn std::error::Error + Send + Sync>>, Option<Passed>);

impl Passed {
    async fn next(mut self) -> Option<Next> {
        match timeout(self.silence, self.parts.recv()).await {
            Ok(Some(Some(bytes))) => {
                self.left = self.left.map(|left| left.saturating_sub(bytes.len()));
                Some((Ok(Frame::data(bytes)), Some(self)))
            }
            Ok(Some(None)) => self.end(),
            // Unit's own proxy in front takes chunks that break off for whole.
            _ if self.two_hops && self.left.is_none() => None,
            _ => Some((Err("the application broke off, or fell silent".into()), None)),
        }
    }

    /// Nobody counts what an application sends. The connection stays where it ends short of its length, and what
    /// Unit says there next (408, by `idle_timeout`) is read as the rest. A proxy of Unit in front does count.
    fn end(self) -> Option<Next> {
        let left = self.left.filter(|left| *left > 0 && !self.two_hops)?;
        let next = Bytes::from_static(b"HTTP/1.1 408 Request Timeout\r\n");
        let next = next.slice(..left.min(next.len()));
        Some((Ok(Frame::data(next)), None))
    }
}

/// A call that ends with its process.
struct Ended<T>(JoinHandle<T>);

impl<T> Drop for Ended<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
