//! A running Unit: listeners, routes, and an application behind them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, HOST, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;

use crate::guest::{Guest, Surroundings};
use crate::head::{self, Head};
use crate::process::{Body, Process};
use crate::router::{Arrived, Outcome, Routes, rewritten};

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// An application, and what stands before it.
pub struct Application {
    pub environment: BTreeMap<String, String>,
    /// What its folder holds: `policy.json`, where nothing else is said.
    pub files: BTreeMap<String, String>,
    pub routes: Routes,
    pub max_body_size: usize,
    /// `limits.timeout`.
    pub silence: Duration,
    /// Two hops: the first one writes the caller's address into the path.
    pub address_in_path: bool,
    /// `forwarded` with a `source` that is this machine: the address is the last of X-Forwarded-For.
    pub trusts_forwarded_for: bool,
    /// What the listener shows to those who speak TLS to it.
    pub tls: Option<Arc<ServerConfig>>,
}

/// Unit with one application; it listens as long as the process lives.
pub struct Unit {
    address: SocketAddr,
    guest: Guest,
    around: Arc<Surroundings>,
    process: Process,
    _folder: tempfile::TempDir,
}

struct Served {
    process: Process,
    routes: Routes,
    max_body_size: usize,
    address_in_path: bool,
    trusts_forwarded_for: bool,
    tls: Option<TlsAcceptor>,
}

impl Unit {
    /// Starts on a port that the system chooses.
    pub fn start(guest: &Guest, application: Application) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in &application.files {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let path = |value: String| value.replace("@folder@", &folder.path().to_string_lossy());
        let environment =
            application.environment.into_iter().map(|(name, value)| (name, path(value))).collect();
        let log = MemoryOutputPipe::new(usize::MAX);
        let around =
            Arc::new(Surroundings { environment, folder: PathBuf::from(folder.path()), log });
        let (silence, two_hops) = (application.silence, application.address_in_path);
        let process = Process::new(guest, around.clone(), silence, two_hops);
        let served = Arc::new(Served {
            process: process.clone(),
            routes: application.routes,
            max_body_size: application.max_body_size,
            address_in_path: application.address_in_path,
            trusts_forwarded_for: application.trusts_forwarded_for,
            tls: application.tls.map(TlsAcceptor::from),
        });
        let listener = RUNTIME.block_on(TcpListener::bind(("127.0.0.1", 0))).unwrap();
        let address = listener.local_addr().unwrap();
        RUNTIME.spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                tokio::spawn(served.clone().connection(stream, peer.ip()));
            }
        });
        Self { address, guest: guest.clone(), around, process, _folder: folder }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What the component itself answers. A server would keep from clients what such an answer cannot have.
    pub fn component_answers(&self, request: Request<Full<Bytes>>) -> Response<Bytes> {
        RUNTIME.block_on(async {
            let (answer, _) = self.guest.answer(self.around.clone(), request).await.unwrap();
            let (head, body) = answer.into_parts();
            Response::from_parts(head, body.collect().await.unwrap().to_bytes())
        })
    }

    /// How often the application's process was gone, with every request in it.
    pub fn aborts(&self) -> usize {
        self.process.aborts()
    }

    /// What its instances find.
    pub fn surroundings(&self) -> Arc<Surroundings> {
        self.around.clone()
    }

    /// All that the application's instances logged.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.around.log.contents()).into_owned()
    }
}

impl Served {
    async fn connection(self: Arc<Self>, mut stream: TcpStream, peer: IpAddr) {
        let peer = proxied(&mut stream).await.unwrap_or(peer);
        let _ = stream.set_nodelay(true);
        match self.tls.clone() {
            None => self.requests(stream, peer).await,
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream).await {
                    self.requests(stream, peer).await;
                }
            }
        }
    }

    async fn requests(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: IpAddr,
    ) {
        let (first, mut stream) = head::read(stream).await;
        if let Some(head) = first.filter(|head| !head.is_survived()) {
            let status = self.not_survived(&head, peer);
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes()).await;
            return;
        }
        let service = service_fn(move |request| {
            let served = self.clone();
            async move { Ok::<_, std::convert::Infallible>(served.serve(request, peer).await) }
        });
        let mut server = http1::Builder::new();
        server.max_headers(3000).half_close(false);
        // A client that sends no HTTP has its answer, or is gone.
        let _ = server.serve_connection(TokioIo::new(stream), service).await;
    }

    /// Routes come first; what they let pass ends the process.
    fn not_survived(&self, head: &Head, peer: IpAddr) -> StatusCode {
        let Some(host) = server_name(head.host()) else { return StatusCode::BAD_REQUEST };
        let arrived = Arrived { method: &head.method, host: &host, target: &head.target, peer };
        match self.routes.outcome(&arrived) {
            Outcome::Return(status) => status,
            Outcome::Pass(_) => {
                self.process.abort("it can make no request of this head");
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    async fn serve(&self, request: Request<Incoming>, peer: IpAddr) -> Response<Body> {
        let answer = match self.arrived(request, peer).await {
            Ok(request) => self.process.answer(request).await,
            Err(status) => return plain(status),
        };
        answer.unwrap_or_else(|| plain(StatusCode::SERVICE_UNAVAILABLE))
    }

    /// The request as the component gets it, or Unit's own answer.
    async fn arrived(
        &self,
        request: Request<Incoming>,
        peer: IpAddr,
    ) -> Result<Request<Full<Bytes>>, StatusCode> {
        let (head, body) = request.into_parts();
        let trusted = self.trusts_forwarded_for && peer.is_loopback();
        let told = head.headers.get("x-forwarded-for").filter(|_| trusted);
        let peer = told.and_then(|told| last(told.to_str().ok()?)).unwrap_or(peer);
        let mut hosts = head.headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(StatusCode::BAD_REQUEST);
        };
        let host = server_name(host.as_bytes()).ok_or(StatusCode::BAD_REQUEST)?;
        let target = head.uri.to_string();
        if !target.starts_with('/') || head.method == Method::CONNECT {
            return Err(StatusCode::BAD_REQUEST);
        }
        if head.headers.contains_key(TRANSFER_ENCODING) {
            return Err(StatusCode::LENGTH_REQUIRED);
        }
        let body = Limited::new(body, self.max_body_size).collect().await;
        let body = body.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?.to_bytes();
        let method = head.method.as_str();
        let arrived = Arrived { method, host: &host, target: target.as_bytes(), peer };
        let action = match self.routes.outcome(&arrived) {
            Outcome::Pass(action) => action,
            Outcome::Return(status) => return Err(status),
        };
        let target = match (self.address_in_path, rewritten(&action, &arrived)) {
            (true, Some(target)) => {
                String::from_utf8(target).map_err(|_| StatusCode::BAD_REQUEST)?
            }
            // Without routes the target goes on as it came, so that nothing of a case is read before the core.
            (true, None) => format!("/{peer}{target}"),
            (false, _) => target,
        };
        let mut request = Request::builder()
            .method(head.method)
            .uri(format!("http://{host}{target}"))
            .body(Full::new(body))
            .map_err(|_| StatusCode::BAD_REQUEST)?;
        let passed = head.headers.iter().filter(|(name, _)| !is_taken_away(name));
        for (name, value) in passed {
            if std::str::from_utf8(value.as_bytes()).is_err() {
                self.process.abort("a value is no text");
                return Err(StatusCode::SERVICE_UNAVAILABLE);
            }
            request.headers_mut().append(name, value.clone());
        }
        Ok(request)
    }
}

/// What belongs to the hop, and what `discard_unsafe_fields` (on unless switched off) discards.
fn is_taken_away(name: &HeaderName) -> bool {
    let unsafe_name =
        !name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    unsafe_name || [HOST, CONNECTION, UPGRADE, TRANSFER_ENCODING].contains(name)
}

/// The last of a list of addresses.
fn last(list: &str) -> Option<IpAddr> {
    list.rsplit(',').next()?.trim().parse().ok()
}

fn server_name(host: &[u8]) -> Option<String> {
    let host = std::str::from_utf8(host).ok()?.to_ascii_lowercase();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => &host,
    };
    (!name.is_empty()).then(|| name.to_owned())
}

/// How a test chooses the caller's address: PROXY protocol, version 1, which Unit itself does not know.
async fn proxied(stream: &mut TcpStream) -> Option<IpAddr> {
    let mut start = [0; 6];
    if stream.peek(&mut start).await.ok()? < 6 || start != *b"PROXY " {
        return None;
    }
    let mut line = Vec::new();
    while line.last() != Some(&b'\n') {
        line.push(stream.read_u8().await.ok()?);
    }
    String::from_utf8(line).ok()?.split(' ').nth(2)?.parse().ok()
}

fn plain(status: StatusCode) -> Response<Body> {
    let body = Full::new(Bytes::from(status.to_string())).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed());
    *answer.status_mut() = status;
    answer
}
