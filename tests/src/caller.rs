//! Callers of a sample over TLS, from whichever address of this machine, on connections that last or not.
//!
//! On Linux every address that begins with 127 is this machine's own: so a sample meets as many clients as a
//! test wants, with its listeners as they stand.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, Socket, Type};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::wire;

/// A listener with TLS, and what a caller must know of it.
#[derive(Clone)]
pub struct Gate {
    to: SocketAddr,
    host: String,
    tls: Arc<ClientConfig>,
}

/// A connection to it.
pub type Line = StreamOwned<ClientConnection, TcpStream>;

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Call {
    method: String,
    path: String,
    from: Ipv4Addr,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Gate {
    /// Trusts this certificate and no other.
    pub fn new(to: SocketAddr, host: &str, certificate: &CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let tls = Arc::new(config.with_root_certificates(roots).with_no_client_auth());
        Self { to, host: host.to_owned(), tls }
    }

    /// A connection from an address of this machine.
    pub fn line(&self, from: Ipv4Addr) -> Line {
        self.line_behind(from, "")
    }

    /// The same behind the line by which a proxy tells whom it speaks for (PROXY protocol, version 1).
    pub fn line_behind(&self, from: Ipv4Addr, proxy: &str) -> Line {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&self.to.into()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket.set_tcp_nodelay(true).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.write_all(proxy.as_bytes()).unwrap();
        let name = ServerName::try_from(self.host.clone()).unwrap();
        StreamOwned::new(ClientConnection::new(self.tls.clone(), name).unwrap(), stream)
    }

    /// Calls on a connection of its own.
    #[track_caller]
    pub fn send(&self, call: &Call) -> Answer {
        self.send_on(&mut self.line(call.from), &call.clone().with("connection", "close"))
    }

    /// Calls on a connection that is there already.
    #[track_caller]
    pub fn send_on(&self, line: &mut Line, call: &Call) -> Answer {
        self.exchange(line, call)
    }

    /// Calls another listener in clear text.
    #[track_caller]
    pub fn plain(&self, to: SocketAddr, call: &Call) -> Answer {
        self.exchange(
            &mut TcpStream::connect(to).unwrap(),
            &call.clone().with("connection", "close"),
        )
    }

    #[track_caller]
    fn exchange(&self, line: &mut (impl Read + Write), call: &Call) -> Answer {
        // Envoy may answer and close before a large body has been written: the answer counts.
        let _ = line.write_all(&call.bytes(&self.host)).and_then(|()| line.flush());
        let answer = wire::read(line, call.method == "HEAD");
        let wire::Answer { status, headers, body } =
            answer.unwrap_or_else(|error| panic!("{call:?}: {error}"));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = headers.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        Answer { status, headers, body: text(&body) }
    }

    /// The address of a websocket.
    pub fn socket(&self, path: &str) -> String {
        format!("wss://{}{path}", self.host)
    }
}

impl Call {
    pub fn new(method: &str, path: &str) -> Self {
        let from = Ipv4Addr::LOCALHOST;
        let (method, path) = (method.into(), path.into());
        Self { method, path, from, headers: Vec::new(), body: Vec::new() }
    }

    pub fn get(path: &str) -> Self {
        Self::new("GET", path)
    }

    /// POST with JSON.
    pub fn post(path: &str, json: &Value) -> Self {
        Self::new("POST", path).json(json)
    }

    #[must_use]
    pub fn json(self, json: &Value) -> Self {
        self.with("content-type", "application/json").body(json.to_string())
    }

    #[must_use]
    pub fn body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    #[must_use]
    pub fn from(self, from: Ipv4Addr) -> Self {
        Self { from, ..self }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    #[must_use]
    pub fn cookie(self, name: &str, value: &str) -> Self {
        self.with("cookie", &format!("{name}={value}"))
    }

    #[must_use]
    pub fn origin(self, origin: &str) -> Self {
        self.with("origin", origin)
    }

    /// What a browser asks before a page of this origin may call so.
    pub fn preflight(method: &str, path: &str, origin: &str) -> Self {
        Self::new("OPTIONS", path)
            .origin(origin)
            .with("access-control-request-method", method)
            .with("access-control-request-headers", "content-type")
    }

    fn bytes(&self, host: &str) -> Vec<u8> {
        let given = |name: &str| self.headers.iter().any(|(known, _)| known == name);
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !given("host") {
            head.push_str(&format!("host: {host}\r\n"));
        }
        if !given("transfer-encoding") && !matches!(&*self.method, "GET" | "HEAD" | "OPTIONS") {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        [head.as_bytes(), b"\r\n", &self.body].concat()
    }
}

impl Answer {
    /// Every value of a header, joined.
    pub fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self.all(name).collect();
        (!values.is_empty()).then(|| values.join(" + "))
    }

    /// Every value of a header.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let name = name.to_owned();
        let values = self.headers.iter().filter(move |(known, _)| *known == name);
        values.map(|(_, value)| value.as_str())
    }

    /// What a cookie was set to.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let start = format!("{name}=");
        let set = self.all("set-cookie").find_map(|cookie| cookie.strip_prefix(&start));
        set.map(|rest| rest.split(';').next().unwrap().to_owned())
    }

    /// The body as JSON; null where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Asserts the status, and the reason where Vigile answered.
    #[track_caller]
    pub fn says(&self, status: u16, reason: Option<&str>) {
        let said = self.header("vigile-reason");
        assert_eq!((self.status, said.as_deref()), (status, reason), "{self:?}");
    }

    /// Asserts values of headers; where one is empty, that there is none.
    #[track_caller]
    pub fn has(&self, headers: &[(&str, &str)]) {
        for (name, value) in headers {
            assert_eq!(self.header(name).unwrap_or_default(), *value, "{name}: {self:?}");
        }
    }
}
