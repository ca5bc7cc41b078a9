//! Envoy before the app, and readers who wait for the end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};
use vigile_tests::breaking;
use vigile_tests::case::Recipe;
use vigile_tests::envoy::{self, Binary};
use vigile_tests::gate::sound;
use vigile_tests::keys::{RING, SERVICE_API_KEY};
use vigile_tests::lds::Served;
use vigile_tests::wire::{self, Answer};

use super::app::App;

const HOST: &str = "studio.example.org";
const PATIENCE: Duration = Duration::from_secs(30);
const BODY: &[u8] = br#"{"prompt":"a cat"}"#;

pub(crate) struct Stage {
    served: Served,
    pub(crate) app: App,
    port: u16,
    upstream: SocketAddr,
}

/// A stream that is open.
pub(crate) struct Open(TcpStream);

pub(crate) struct Socket(WebSocket<TcpStream>);

/// A token, and when it ends.
pub(crate) fn token(expires: &str) -> (String, Instant) {
    let recipe = Recipe { expires: Some(expires.into()), ..Recipe::default() };
    let span = humantime::parse_duration(expires).unwrap();
    (RING.mint(&recipe), Instant::now() + span)
}

pub(crate) fn key() -> String {
    SERVICE_API_KEY.to_owned()
}

impl Stage {
    pub(crate) fn start(binary: &Binary) -> Self {
        Self::with_a_key_until(binary, far())
    }

    pub(crate) fn with_a_key_until(binary: &Binary, end: Instant) -> Self {
        Self::with(binary, &envoy::module(), end)
    }

    /// With a module that a header brings down.
    pub(crate) fn that_breaks(binary: &Binary) -> Self {
        Self::with(binary, &breaking::module(), far())
    }

    fn with(binary: &Binary, module: &Path, end: Instant) -> Self {
        let (app, upstream) = App::start();
        let port = envoy::free_port();
        let served = Served::start(
            binary,
            &[listener(port, module, &policy(end, 1000))],
            &[envoy::cluster("app", upstream)],
            &RING.environment(),
        );
        let served = served.unwrap_or_else(|error| panic!("{}", error.0));
        Self { served, app, port, upstream }
    }

    /// Another policy takes over.
    pub(crate) fn replace(&mut self) -> Result<(), String> {
        const MODIFIED: &str = "listener_manager.listener_modified";
        let modified = self.served.stat(MODIFIED) + 1;
        self.served.update(&[listener(self.port, &envoy::module(), &policy(far(), 999))]);
        self.served.reaches(MODIFIED, modified)
    }

    fn send(&self, head: &str, token: &str) -> Result<TcpStream, String> {
        let address = ("127.0.0.1", self.port);
        let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!(
            "{head} HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-Proto: https\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        );
        stream.write_all(head.as_bytes()).map_err(|error| error.to_string())?;
        Ok(stream)
    }

    /// An event stream, from which events come.
    pub(crate) fn open(&self, path: &str, token: &str) -> Result<Open, String> {
        let mut stream = self.send(&format!("GET {path}"), token)?;
        stream.write_all(b"\r\n").map_err(|error| error.to_string())?;
        let mut open = Open(stream);
        open.ticks(2)?;
        Ok(open)
    }

    pub(crate) fn ask(&self, path: &str, token: &str) -> Result<Answer, String> {
        let mut stream = self.send(&format!("GET {path}"), token)?;
        stream.write_all(b"\r\n").map_err(|error| error.to_string())?;
        wire::read(&mut stream, false).map_err(|error| error.to_string())
    }

    /// As many event streams at once.
    pub(crate) fn open_many(
        &self,
        path: &str,
        token: &str,
        many: usize,
    ) -> Result<Vec<Open>, String> {
        let begin = |_| {
            let mut stream = self.send(&format!("GET {path}"), token)?;
            stream.write_all(b"\r\n").map_err(|error| error.to_string())?;
            Ok(Open(stream))
        };
        let mut all = (0..many).map(begin).collect::<Result<Vec<_>, String>>()?;
        all.iter_mut().try_for_each(Open::begins)?;
        Ok(all)
    }

    /// Brings the module down.
    pub(crate) fn crash(&self, token: &str) -> Result<(), String> {
        let mut stream = self.send("GET /quick", token)?;
        stream.write_all(b"X-Crash: 1\r\n\r\n").map_err(|error| error.to_string())?;
        let _ = wire::read(&mut stream, false);
        eventually("the module broke down", || self.log().contains("unreachable"))
    }

    /// The head of a request whose body is held, and all of the body but its last byte.
    pub(crate) fn begin_a_body(&self, token: &str) -> Result<Open, String> {
        let mut stream = self.send("POST /read", token)?;
        let head = format!("Content-Length: {}\r\n\r\n", BODY.len());
        let begun = [head.as_bytes(), &BODY[..BODY.len() - 1]].concat();
        stream.write_all(&begun).map_err(|error| error.to_string())?;
        Ok(Open(stream))
    }

    pub(crate) fn socket(&self, token: &str) -> Result<Socket, String> {
        let mut request = format!("ws://{HOST}/socket").into_client_request().unwrap();
        let value = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", value);
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let opened = tungstenite::client(request, stream).map_err(|error| error.to_string())?;
        Ok(Socket(opened.0))
    }

    /// Two streams of one connection of HTTP/2: when the first of them ends, while the other goes on.
    pub(crate) fn two_streams_of_one_connection(
        &self,
        path: &str,
        ends: &str,
        goes_on: &str,
    ) -> Result<Instant, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let both = two_streams(self.port, path, ends, goes_on);
            let both = tokio::time::timeout(PATIENCE, both).await;
            both.map_err(|_| "the stream went on".to_owned())?.map_err(|error| error.to_string())
        })
    }

    /// Whether the log, the access log and the counter tell of so many ends.
    pub(crate) fn tells(&self, reason: &str, verdict: &str, times: usize) -> Result<(), String> {
        let event = format!("\"event\":\"request.{verdict}\"");
        let named = format!("\"{reason}\"");
        let path = self.served.envoy.folder().join("access.log");
        let lines = |text: &str, word: &str| {
            text.lines().filter(|line| line.contains(&named) && line.contains(word)).count()
        };
        eventually("the log tells", || lines(&self.log(), &event) == times)?;
        let told = self.log();
        let line = told.lines().find(|line| line.contains(&named)).unwrap_or_default();
        if !line.contains("\"user\":\"user-1\"") && !line.contains("\"user\":\"robot\"") {
            return Err(format!("it does not tell whose stream it was: {line}"));
        }
        if !line.contains("\"path\":\"/") || !line.contains("\"ip\":\"127.0.0.1\"") {
            return Err(format!("it does not tell which stream it was: {line}"));
        }
        let counted = match verdict {
            "refused" => "requests.module.studio",
            _ => "would_refuse.module.watched",
        };
        let counter = format!("wasmcustom.vigile.{counted}.reason.{}", reason.replace('.', "_"));
        eventually("the counter counts", || self.served.stat(&counter) == times as u64)?;
        if verdict == "refused" {
            let access = || std::fs::read_to_string(&path).unwrap_or_default();
            eventually("the access log tells", || lines(&access(), verdict) == times)?;
        }
        Ok(())
    }

    pub(crate) fn log(&self) -> String {
        self.served.envoy.logged()
    }

    pub(crate) fn is_sound(&self) -> Result<(), String> {
        sound(&self.served.envoy)?;
        let (long, _) = token("10m");
        match self.ask("/quick", &long)?.status {
            200 => Ok(()),
            status => Err(format!("the worker answers {status}, with an app at {}", self.upstream)),
        }
    }
}

impl Open {
    /// Waits for so many events.
    pub(crate) fn ticks(&mut self, ticks: usize) -> Result<(), String> {
        let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
        let begun = Instant::now();
        while seen.windows(4).filter(|window| window == b"tick").count() < ticks
            || begun.elapsed() < Duration::from_millis(200)
        {
            match self.0.read(&mut piece) {
                Ok(0) => return Err(format!("the stream ended: {}", seen.escape_ascii())),
                Ok(read) => seen.extend(&piece[..read]),
                Err(error) => return Err(format!("no event: {error}")),
            }
        }
        Ok(())
    }

    /// Its first bytes.
    fn begins(&mut self) -> Result<(), String> {
        let mut piece = [0; 4096];
        match self.0.read(&mut piece) {
            Ok(read) if piece[..read].starts_with(b"HTTP/1.1 200 ") => Ok(()),
            other => Err(format!("{other:?}: {}", piece.escape_ascii())),
        }
    }

    /// Reads on until the stream breaks off; whole it may not seem.
    pub(crate) fn until_it_ends(&mut self) -> Result<Instant, String> {
        let (mut last, mut piece) = (Vec::new(), [0; 4096]);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match self.0.read(&mut piece) {
                Ok(0) | Err(_) if last.ends_with(b"0\r\n\r\n") => {
                    return Err("the stream ended as if it were whole".into());
                }
                Ok(0) | Err(_) => return Ok(Instant::now()),
                Ok(read) => last = piece[..read].to_vec(),
            }
        }
        Err("the stream went on".into())
    }

    pub(crate) fn rest_of_the_body(&mut self) -> Result<(), String> {
        self.0.write_all(&BODY[BODY.len() - 1..]).map_err(|error| error.to_string())
    }

    pub(crate) fn answer(&mut self) -> Result<Answer, String> {
        wire::read(&mut self.0, false).map_err(|error| error.to_string())
    }
}

impl Socket {
    pub(crate) fn echoes(&mut self, text: &str) -> Result<(), String> {
        self.0.send(Message::text(text)).map_err(|error| error.to_string())?;
        match self.0.read() {
            Ok(message) if message.to_text().is_ok_and(|told| told == text) => Ok(()),
            other => Err(format!("{other:?}, not {text}")),
        }
    }

    pub(crate) fn until_it_ends(&mut self) -> Result<Instant, String> {
        match self.0.read() {
            Ok(message) if !message.is_close() => Err(format!("{message}")),
            _ => Ok(Instant::now()),
        }
    }
}

type Two = Result<Instant, Box<dyn std::error::Error>>;

async fn two_streams(port: u16, path: &str, ends: &str, goes_on: &str) -> Two {
    let stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    let (mut requests, connection) = h2::client::handshake(stream).await?;
    tokio::spawn(connection);
    let mut bodies = Vec::new();
    for token in [ends, goes_on] {
        let request = http::Request::builder()
            .uri(format!("https://{HOST}{path}"))
            .header("authorization", format!("Bearer {token}"))
            .body(())?;
        let (response, _) = requests.send_request(request, true)?;
        bodies.push(response.await?.into_body());
    }
    let (mut other, mut first) = (bodies.pop().unwrap(), bodies.pop().unwrap());
    loop {
        let piece = first.data().await;
        other.data().await.ok_or("the other one ended, too")??;
        match piece {
            Some(Ok(piece)) => first.flow_control().release_capacity(piece.len())?,
            Some(Err(error)) if error.is_reset() => break,
            other => return Err(format!("the stream ended with {other:?}").into()),
        }
    }
    let ended = Instant::now();
    for _ in 0..3 {
        other.data().await.ok_or("the other one ended, too")??;
    }
    Ok(ended)
}

fn far() -> Instant {
    Instant::now() + Duration::from_secs(3600)
}

/// Waits for what is to come.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        if Instant::now() > deadline {
            return Err(format!("never: {what}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// `remembers` tells one policy from another.
fn policy(key_ends: Instant, remembers: u32) -> Value {
    let left = key_ends.saturating_duration_since(Instant::now());
    let not_after = humantime::format_rfc3339_seconds(SystemTime::now() + left).to_string();
    let token = json!({ "issuer": "iahome" });
    json!({
        "vigile": 1,
        "remember_tokens": remembers,
        "log": { "events": "all" },
        "issuers": [{ "name": "iahome", "algorithms": ["HS256"], "keys": [{ "secret": { "env": "IAHOME_JWT_SECRET" } }] }],
        "api_keys": [{ "name": "robot", "key": { "env": "SERVICE_API_KEY" }, "not_after": not_after }],
        "modules": [
            { "name": "watched", "hosts": [HOST], "path_prefix": "/watched", "module_claim": "none", "mode": "observe",
                "credentials": { "cookie": "watched" },
                "routes": [{ "path": "/watched", "token": token, "close_at_exp": true }] },
            { "name": "studio", "hosts": [HOST], "module_claim": "none", "headers": { "x-frame-options": "DENY" },
                "routes": [
                    { "path": "/elsewhere", "token": token },
                    { "path": "/by-key", "api_key": ["robot"], "close_at_exp": true },
                    { "path": "/read", "methods": ["POST"], "token": token, "close_at_exp": true,
                        "body": { "json": { "prompt": { "type": "string" } } } },
                    { "path": "/**", "token": token, "close_at_exp": true },
                ] },
        ],
    })
}

fn listener(port: u16, module: &Path, policy: &Value) -> Value {
    let route =
        json!({ "match": { "prefix": "/" }, "route": { "cluster": "app", "timeout": "0s" } });
    let mut filter = envoy::vigile(&envoy::as_struct(policy), &RING.environment());
    let plugin = &mut filter["typed_config"]["config"];
    plugin["vm_config"]["code"]["local"]["filename"] = module.display().to_string().into();
    plugin["failure_policy"] = "FAIL_RELOAD".into();
    let mut listener = envoy::listener("gate", port, &filter, &route);
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    manager["upgrade_configs"] = json!([{ "upgrade_type": "websocket" }]);
    manager["access_log"] = envoy::access_log();
    listener
}
