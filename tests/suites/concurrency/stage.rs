//! Envoy before the app, and clients who come back when they are refused.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vigile_tests::case::Recipe;
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::keys::RING;
use vigile_tests::wire;

use super::gpu::{Gpu, Work};

/// Longer than a lease lives and a module takes to come back, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The size of a body that is held.
const BODY: usize = 131_072;

pub(crate) struct Stage {
    envoy: Envoy,
    gpu: Gpu,
    token: String,
    subject: String,
}

/// What became of a request.
#[derive(Debug, PartialEq)]
pub(crate) enum Asked {
    Served,
    Full,
    /// Another answer, or none.
    Failed(u16),
}

impl Stage {
    pub(crate) fn start(binary: &Binary, module: &Path, workers: usize) -> Self {
        let (gpu, app) = Gpu::start();
        let nobody = ([127, 0, 0, 1], envoy::free_port()).into();
        let config = envoy::bootstrap(
            &[listener("gate", module, 1), listener("other", module, 2)],
            &[envoy::cluster("app", app), envoy::cluster("nobody", nobody)],
        );
        let envoy = Envoy::start_with(binary, &config, &RING.environment(), workers);
        let envoy = envoy.unwrap_or_else(|error| panic!("{}", error.0));
        let subject = "gpu-user".to_owned();
        let token = RING.mint(&Recipe { subject: Some(subject.clone()), ..Recipe::default() });
        Self { envoy, gpu, token, subject }
    }

    /// As many clients at once; each comes back until its work is done. Gives how often one was refused.
    pub(crate) fn served(&self, work: &[Work]) -> Result<usize, String> {
        let refused = AtomicUsize::new(0);
        let one = |work: Work| {
            let deadline = Instant::now() + PATIENCE;
            loop {
                match self.ask(work) {
                    Asked::Served => return Ok(()),
                    Asked::Full => refused.fetch_add(1, Ordering::Relaxed),
                    // While a module that broke down comes back, Envoy answers 503.
                    Asked::Failed(503 | 0) => 0,
                    Asked::Failed(status) => return Err(format!("{work:?} got {status}")),
                };
                if Instant::now() > deadline {
                    return Err(format!("{work:?} was never done"));
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        };
        std::thread::scope(|scope| {
            let all: Vec<_> = work.iter().map(|work| scope.spawn(move || one(*work))).collect();
            all.into_iter().try_for_each(|client| client.join().unwrap())
        })?;
        Ok(refused.into_inner())
    }

    /// One request to its end. `Served` is whatever its work calls for.
    pub(crate) fn ask(&self, work: Work) -> Asked {
        self.ask_at("gate", work)
    }

    pub(crate) fn ask_the_other_listener(&self, work: Work) -> Asked {
        self.ask_at("other", work)
    }

    fn ask_at(&self, listener: &str, work: Work) -> Asked {
        let mut stream = self.send(listener, work);
        if let Work::IsLeft(ms) = work {
            // Refused at once, or under way by now.
            stream.set_read_timeout(Some(Duration::from_millis(ms.max(10)))).unwrap();
            return match wire::read(&mut stream, false) {
                Ok(answer) if answer.status == 429 => Asked::Full,
                Ok(answer) => Asked::Failed(answer.status),
                Err(_) => Asked::Served,
            };
        }
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let answer = wire::read(&mut stream, false).unwrap_or_default();
        match (work, answer.status) {
            (_, 429) => Asked::Full,
            (Work::TimesOut, 504) | (Work::Refused, 503) | (Work::BreaksOff(_), 200) => {
                Asked::Served
            }
            (Work::Takes(_), 200) if answer.body == b"done" => Asked::Served,
            (Work::Crash, 500..) => Asked::Served,
            (_, status) => Asked::Failed(status),
        }
    }

    /// A request that is under way in the app when this returns, as long as the stream lives.
    pub(crate) fn begin(&self, work: Work) -> TcpStream {
        let stream = self.send("gate", work);
        eventually("it is at work", || self.gpu.at_work(&self.subject) > 0).unwrap();
        stream
    }

    fn send(&self, listener: &str, work: Work) -> TcpStream {
        let (path, header) = match work {
            Work::Takes(ms) => (format!("/generate?ms={ms}"), ""),
            Work::IsLeft(_) => ("/generate?ms=60000".to_owned(), ""),
            Work::BreaksOff(ms) => (format!("/generate?ms={ms}&breaks"), ""),
            Work::TimesOut => ("/generate?ms=60000&timeout".to_owned(), "X-Timeout: 1\r\n"),
            Work::Refused => ("/generate?ms=0&nobody".to_owned(), "X-Nobody: 1\r\n"),
            Work::Crash => ("/generate?ms=0".to_owned(), "X-Crash: 1\r\n"),
        };
        let address: SocketAddr = self.envoy.listener(listener);
        let mut stream = TcpStream::connect(address).unwrap();
        let token = &self.token;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: studio.example.org\r\nAuthorization: Bearer {token}\r\n{header}Connection: close\r\n\r\n"
        );
        let _ = stream.write_all(request.as_bytes());
        stream
    }

    /// The head of a request and half of its body, which is held to be looked at.
    pub(crate) fn begin_a_body(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.envoy.listener("gate")).unwrap();
        let token = &self.token;
        let head = format!(
            "POST /read?ms=0 HTTP/1.1\r\nHost: studio.example.org\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {BODY}\r\n\r\n"
        );
        let half = vec![b' '; BODY / 2];
        let _ = stream.write_all(&[head.as_bytes(), &half].concat());
        stream
    }

    /// The other half of it.
    pub(crate) fn end_a_body(stream: &mut TcpStream) -> u16 {
        let mut half = vec![b' '; BODY - BODY / 2];
        let json = br#"{"prompt":"a cat"}"#;
        half[..json.len()].copy_from_slice(json);
        let _ = stream.write_all(&half);
        Self::answered(stream, PATIENCE).unwrap_or_default()
    }

    /// The status of the answer, if one comes in time.
    pub(crate) fn answered(stream: &mut TcpStream, patience: Duration) -> Option<u16> {
        stream.set_read_timeout(Some(patience)).unwrap();
        wire::read(stream, false).ok().map(|answer| answer.status)
    }

    pub(crate) fn never_two(&self) -> Result<(), String> {
        match self.gpu.most(&self.subject) {
            1 => Ok(()),
            most => Err(format!("{most} were at work at once")),
        }
    }

    /// The next one is served. A place that a living worker did not give back would be renewed for ever.
    pub(crate) fn is_free(&self) -> Result<(), String> {
        eventually("the place is free", || self.ask(Work::Takes(0)) == Asked::Served)
    }

    pub(crate) fn workers_that_served(&self) -> usize {
        let stats = self.envoy.get("/stats?filter=worker_.*downstream_cx_total&usedonly");
        let counts = stats.lines().filter_map(|line| line.rsplit_once(": "));
        counts.filter(|(name, count)| name.starts_with("listener.127") && *count != "0").count()
    }

    /// Brings the module down.
    pub(crate) fn crash(&self) -> Result<(), String> {
        match self.ask(Work::Crash) {
            Asked::Served | Asked::Failed(0) => {}
            asked => return Err(format!("the module did not break: {asked:?}")),
        }
        eventually("Envoy's log says that the module broke down", || {
            self.envoy.logged().contains("unreachable")
        })
        .map_err(|problem| format!("{problem}:\n{}", self.envoy.logged()))
    }
}

pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) -> Result<(), String> {
    let deadline = Instant::now() + PATIENCE;
    while !holds() {
        if Instant::now() > deadline {
            return Err(format!("not in {PATIENCE:?}: {what}"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Two listeners have policies that differ, in one VM: as before and behind an update.
fn listener(name: &str, module: &Path, number: u32) -> Value {
    let policy = json!({
        "vigile": 1,
        "remember_tokens": number,
        "issuers": [{ "name": "iahome", "algorithms": ["HS256"],
            "keys": [{ "secret": { "env": "IAHOME_JWT_SECRET" } }] }],
        "modules": [{ "name": "studio", "hosts": ["studio.example.org"], "module_claim": "none",
            "forward": { "x-user-id": { "claim": "sub" } },
            "routes": [
                { "path": "/generate", "token": { "issuer": "iahome" }, "concurrency": 1 },
                { "path": "/read", "token": { "issuer": "iahome" }, "concurrency": 1,
                    "body": { "json": { "prompt": { "type": "string" } }, "max_bytes": BODY } },
            ] }],
    });
    let configuration = json!({
        "@type": "type.googleapis.com/google.protobuf.Struct", "value": policy,
    });
    let mut filter = envoy::vigile(&configuration, &RING.environment());
    let plugin = &mut filter["typed_config"]["config"];
    plugin["vm_config"]["code"]["local"]["filename"] = module.display().to_string().into();
    plugin["failure_policy"] = "FAIL_RELOAD".into();
    let header = |name: &str| json!([{ "name": name, "present_match": true }]);
    json!({
        "name": name,
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
        "filter_chains": [{ "filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": name,
                // Until the whole request is here: an answer may take longer.
                "request_timeout": "5s",
                "http_filters": [filter, {
                    "name": "envoy.filters.http.router",
                    "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
                }],
                "route_config": { "virtual_hosts": [{ "name": "all", "domains": ["*"], "routes": [
                    { "match": { "prefix": "/", "headers": header("x-timeout") }, "route": { "cluster": "app", "timeout": "0.2s" } },
                    { "match": { "prefix": "/", "headers": header("x-nobody") }, "route": { "cluster": "nobody" } },
                    { "match": { "prefix": "/" }, "route": { "cluster": "app", "timeout": "0s" } },
                ] }] },
            },
        }] }],
    })
}
