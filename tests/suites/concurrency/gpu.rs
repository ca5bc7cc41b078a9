//! An app that does one thing at a time, or counts that it did not.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Response};

/// What a client has done, in milliseconds of work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Work {
    /// It is done, and answered.
    Takes(u64),
    /// The client goes in the middle.
    IsLeft(u64),
    /// The answer begins, and breaks off.
    BreaksOff(u64),
    /// Envoy's route gives up.
    TimesOut,
    /// No app is there at all.
    Refused,
    /// The client brings the module down, and asks again.
    Crash,
}

#[derive(Clone, Default)]
pub(crate) struct Gpu {
    /// Of each subject, how many are at work, and how many were at most.
    counts: Arc<Mutex<BTreeMap<String, (usize, usize)>>>,
}

impl Gpu {
    pub(crate) fn start() -> (Self, SocketAddr) {
        let gpu = Self::default();
        let router = Router::new().fallback(work).with_state(gpu.clone());
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
        (gpu, receive.recv().unwrap())
    }

    /// How many of a subject's were at work at once.
    pub(crate) fn most(&self, subject: &str) -> usize {
        self.counts.lock().unwrap().get(subject).map_or(0, |(_, most)| *most)
    }

    pub(crate) fn at_work(&self, subject: &str) -> usize {
        self.counts.lock().unwrap().get(subject).map_or(0, |(now, _)| *now)
    }
}

/// One at work, until it is dropped: done, or left by its caller.
struct AtWork(Gpu, String);

impl AtWork {
    fn begin(gpu: &Gpu, subject: &str) -> Self {
        let mut counts = gpu.counts.lock().unwrap();
        let (now, most) = counts.entry(subject.to_owned()).or_default();
        *now += 1;
        *most = (*most).max(*now);
        Self(gpu.clone(), subject.to_owned())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Some((now, _)) = self.0.counts.lock().unwrap().get_mut(&self.1) {
            *now -= 1;
        }
    }
}

async fn work(
    State(gpu): State<Gpu>,
    Query(asked): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Response<Body> {
    let subject = headers["x-user-id"].to_str().unwrap();
    // What Envoy has reset lies in a socket already: it is read before another one counts.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let at_work = AtWork::begin(&gpu, subject);
    tokio::time::sleep(Duration::from_millis(asked["ms"].parse().unwrap())).await;
    drop(at_work);
    if asked.contains_key("breaks") {
        let pieces = futures_util::stream::unfold(false, |begun| async move {
            if !begun {
                return Some((Ok(Bytes::from("begun")), true));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Err(std::io::Error::other("and broken off")), true))
        });
        return Response::new(Body::from_stream(pieces));
    }
    Response::new(Body::from("done"))
}
