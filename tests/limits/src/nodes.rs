//! Several nodes of the sample before one app, and callers of them.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{CertificateParams, KeyPair};
use serde_json::Value;
use socket2::{Domain, Socket, Type};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use vigile::mint::{Claims, Signer};
use vigile_policy::Algorithm;
use vigile_tests::app::App;
use vigile_tests::envoy::{self, Envoy};
use vigile_tests::sample::Sample;
use vigile_tests::{keys, wire};

/// The host of the example.
pub const HOST: &str = "ai.example.org";
/// No secret: it is for these nodes alone.
const SECRET: &str = "made-for-the-tests-0123456789abcdef";

/// Nodes that run.
pub struct Nodes {
    pub envoys: Vec<Envoy>,
    tls: Arc<ClientConfig>,
    _folder: tempfile::TempDir,
}

impl Nodes {
    /// Two nodes with the sample as it stands, and a rate-limit service at this address.
    pub fn start(service: SocketAddr) -> Self {
        Self::with(service, |sample| sample)
    }

    /// The same with what a test changes in the sample.
    pub fn with(service: SocketAddr, change: impl Fn(Sample) -> Sample) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([HOST.to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap();
        let [chain, private] = ["chain.pem", "key.pem"].map(|name| folder.path().join(name));
        std::fs::write(&chain, certificate.pem()).unwrap();
        std::fs::write(&private, key.serialize_pem()).unwrap();
        let (_, app) = App::start();
        let sample = Sample::read("shared-limits")
            .file("/etc/envoy/vigile.wasm", &envoy::module())
            .file("/etc/envoy/tls/fullchain.pem", &chain)
            .file("/etc/envoy/tls/privkey.pem", &private)
            .upstream("192.0.2.30:8000", app)
            .upstream("192.0.2.50:8081", service);
        let sample = change(sample);
        let environment = BTreeMap::from([("LIMITS_JWT_SECRET".to_owned(), SECRET.to_owned())]);
        let node = || {
            let envoy = sample.start(&envoy::newest(), &environment);
            envoy.unwrap_or_else(|error| panic!("Envoy did not start:\n{}", error.0))
        };
        let mut roots = RootCertStore::empty();
        roots.add(certificate.der().clone()).unwrap();
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { envoys: vec![node(), node()], tls: Arc::new(tls), _folder: folder }
    }

    /// Sends a request to a node, on a connection of its own.
    pub fn send(&self, node: usize, call: &Call) -> Answer {
        self.connect(node, call.from).send(call)
    }

    /// The same to both in turn, so often: the statuses.
    pub fn in_turn(&self, call: &Call, times: usize) -> Vec<u16> {
        (0..times).map(|time| self.send(time % self.envoys.len(), call).status).collect()
    }

    pub fn connect(&self, node: usize, from: Ipv4Addr) -> Connection {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((from, 0)).into()).unwrap();
        socket.connect(&self.envoys[node].listener("https").into()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.set_tcp_nodelay(true).unwrap();
        let name = ServerName::try_from(HOST).unwrap();
        let session = ClientConnection::new(Arc::clone(&self.tls), name).unwrap();
        Connection(StreamOwned::new(session, socket.into()))
    }

    /// A counter of both nodes, added up.
    pub fn counted(&self, name: &str) -> u64 {
        let of = |envoy: &Envoy| {
            let stats = envoy.get(&format!("/stats?filter=^{name}$"));
            let value = stats.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.and_then(|value| value.trim().parse::<u64>().ok()).unwrap_or(0)
        };
        self.envoys.iter().map(of).sum()
    }

    /// How many requests the app has got.
    pub fn reached_the_app(&self) -> u64 {
        self.counted("cluster.app.upstream_rq_total")
    }

    /// Waits until a call is answered with this status, by every node: a connection comes back when it does.
    pub fn until(&self, call: &Call, status: u16) {
        let deadline = Instant::now() + Duration::from_secs(30);
        for node in 0..self.envoys.len() {
            while self.send(node, call).status != status {
                assert!(Instant::now() < deadline, "node {node} never answered {status}");
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
}

/// A connection that stays open.
pub struct Connection(StreamOwned<ClientConnection, TcpStream>);

impl Connection {
    pub fn send(&mut self, call: &Call) -> Answer {
        self.0.write_all(&call.bytes()).expect("the request was sent");
        Answer(wire::read(&mut self.0, false).expect("an answer"))
    }
}

/// A request on its way.
#[derive(Clone, Debug)]
pub struct Call {
    path: String,
    pub from: Ipv4Addr,
    headers: Vec<(String, String)>,
}

impl Call {
    pub fn post(path: &str) -> Self {
        Self { path: path.into(), from: Ipv4Addr::LOCALHOST, headers: Vec::new() }
    }

    pub fn login() -> Self {
        Self::post("/api/v1/auth/login")
    }

    pub fn register() -> Self {
        Self::post("/api/v1/auth/register")
    }

    /// A chat of this user.
    pub fn chat(user: &str) -> Self {
        Self::post("/api/v1/chat").by(user)
    }

    /// From another address of this machine.
    #[must_use]
    pub fn from(self, last: u8) -> Self {
        Self { from: Ipv4Addr::new(127, 0, 0, last), ..self }
    }

    /// From an address that a proxy before the node vouches for.
    #[must_use]
    pub fn forwarded_for(self, address: impl Into<IpAddr>) -> Self {
        let address: IpAddr = address.into();
        self.with("x-forwarded-for", &address.to_string())
    }

    /// With this user's token; an empty name is a token without one.
    #[must_use]
    pub fn by(self, user: &str) -> Self {
        let mut claims = Claims::new();
        claims.insert("exp".into(), (keys::now() + 600).into());
        claims.insert("iat".into(), keys::now().into());
        claims.insert("moduleName".into(), "orchestrator".into());
        if !user.is_empty() {
            claims.insert("sub".into(), user.into());
        }
        let algorithm = Algorithm::from_name("HS256").unwrap();
        let token = Signer::new(algorithm, SECRET.as_bytes()).unwrap().sign(&claims).unwrap();
        self.with("authorization", &format!("Bearer {token}"))
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut text =
            format!("POST {} HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n", self.path);
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        (text + "\r\n").into_bytes()
    }
}

/// What came back.
#[derive(Debug)]
pub struct Answer(wire::Answer);

impl std::ops::Deref for Answer {
    type Target = wire::Answer;

    fn deref(&self) -> &wire::Answer {
        &self.0
    }
}

impl Answer {
    /// Every value of a header, joined.
    pub fn header(&self, name: &str) -> Option<String> {
        let values = self.headers.iter().filter(|(known, _)| known == name);
        let values: Vec<_> = values.map(|(_, value)| String::from_utf8_lossy(value)).collect();
        (!values.is_empty()).then(|| values.join(" + "))
    }

    /// A header that is a number.
    pub fn number(&self, name: &str) -> u64 {
        let value = self.header(name);
        let number = value.as_deref().and_then(|value| value.parse().ok());
        number.unwrap_or_else(|| panic!("{name} is {value:?}: {self:?}"))
    }

    pub fn json(&self) -> Value {
        assert_eq!(self.header("content-type").as_deref(), Some("application/json"), "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
