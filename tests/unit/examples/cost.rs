//! What a request costs in Unit's host, and what one costs that reaches a component which does nothing:
//!
//! ```sh
//! cargo build --release -p vigile-unit-empty --target wasm32-wasip2
//! cargo run --profile tool -p vigile-unit-tests --example cost [SECONDS]
//! ```
//!
//! Calls without a network between, one after the other, tell the microseconds; calls over it, from many
//! connections, tell the requests of a second.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use serde_json::{Value, json};
use vigile_tests::case::Recipe;
use vigile_tests::keys::RING;
use vigile_tests::policies::project;
use vigile_unit_tests::config::policy;
use vigile_unit_tests::corpus::{application, component};
use vigile_unit_tests::guest::{Guest, Surroundings};
use vigile_unit_tests::unit::Unit;

const CONNECTIONS: usize = 16;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let empty = project().join("target/wasm32-wasip2/release/vigile_unit_empty.wasm");
    let empty = Guest::load(&empty);
    let seconds = arguments.next().map_or(5, |seconds| seconds.parse().unwrap());
    let vigile = Guest::load(&component());
    let (_app, app) = vigile_tests::app::App::start();
    let upstream = format!("http://{app}");
    let smallest = json!({ "vigile": 1, "modules": [{ "name": "a", "routes": [{ "path": "/**", "public": true }] }] });
    let sample: Value = serde_json::from_str(&policy("stable-diffusion", &[])).unwrap();
    let large: Value = serde_json::from_str(&policy("orchestrator", &[])).unwrap();
    let mut environment = RING.environment();
    environment.insert("ORCHESTRATOR_SECRET_KEY".into(), "x".repeat(64));
    let from_file = |guest: &Guest, policy: &Value| {
        Unit::start(guest, application(policy, &environment, &upstream))
    };
    let start = |guest: &Guest, policy: &Value| {
        let mut application = application(policy, &environment, &upstream);
        application.environment.insert("VIGILE_POLICY".into(), policy.to_string());
        Unit::start(guest, application)
    };
    let token = RING.mint(&Recipe { module: Some("stablediffusion".into()), ..Recipe::default() });
    let cookie = format!("cookie: __Host-vigile={token}\r\n");
    let sd = "stablediffusion.regispailler.fr";
    let rows: [(&str, Unit, &Guest, &str, &str); 6] = [
        ("an empty component", start(&empty, &smallest), &empty, "a.example.org", ""),
        ("200 by the app, public", start(&vigile, &smallest), &vigile, "", ""),
        ("401, its policy in a file", from_file(&vigile, &sample), &vigile, sd, ""),
        ("401, Stable Diffusion", start(&vigile, &sample), &vigile, sd, ""),
        ("200 by the app, HS256", start(&vigile, &sample), &vigile, sd, &cookie),
        ("404, the orchestrator", start(&vigile, &large), &vigile, "nowhere.example.org", ""),
    ];
    let runtime = tokio::runtime::Runtime::new().unwrap();
    println!("{:<26} {:>12} {:>12} {:>10}", "", "instance us", "request us", "1/s");
    for (name, unit, guest, host, header) in rows {
        let host = if host.is_empty() { "a.example.org" } else { host };
        let around = unit.surroundings();
        let instance = runtime.block_on(instances(guest, &around));
        let request = runtime.block_on(requests(guest, &around, host, header));
        let rate = flood(unit.address(), host, header, Duration::from_secs(seconds));
        println!("{name:<26} {instance:>12.1} {request:>12.1} {rate:>10.0}");
    }
}

const TIMES: usize = 2000;

/// The median, in microseconds.
fn median(mut took: Vec<Duration>) -> f64 {
    took.sort();
    took[took.len() / 2].as_secs_f64() * 1e6
}

async fn instances(guest: &Guest, around: &Arc<Surroundings>) -> f64 {
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        guest.instance(around).await.unwrap();
        took.push(started.elapsed());
    }
    median(took)
}

async fn requests(guest: &Guest, around: &Arc<Surroundings>, host: &str, header: &str) -> f64 {
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let mut request = http::Request::get(format!("http://{host}/"));
        if let Some((name, value)) = header.trim_end().split_once(": ") {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(Bytes::new())).unwrap();
        let started = Instant::now();
        let (answer, _) = guest.answer(around.clone(), request).await.unwrap();
        drop(http_body_util::BodyExt::collect(answer.into_body()).await);
        took.push(started.elapsed());
    }
    median(took)
}

/// Requests of a second, over connections that are kept.
fn flood(to: SocketAddr, host: &str, header: &str, time: Duration) -> f64 {
    let request = format!("GET / HTTP/1.1\r\nhost: {host}\r\n{header}\r\n");
    let (done, started) = (AtomicU64::new(0), Instant::now());
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut stream = TcpStream::connect(to).unwrap();
                stream.set_nodelay(true).unwrap();
                while started.elapsed() < time {
                    stream.write_all(request.as_bytes()).unwrap();
                    answered(&mut stream);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    done.load(Ordering::Relaxed) as f64 / started.elapsed().as_secs_f64()
}

fn answered(stream: &mut TcpStream) {
    let (mut bytes, mut part) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let read = stream.read(&mut part).unwrap();
        assert!(read > 0, "hung up");
        bytes.extend(&part[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let head = head.to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| {
            rest.split("\r\n").next().and_then(|length| length.parse::<usize>().ok())
        });
        match length {
            Some(length) if body.len() >= length => return,
            None if body.ends_with("0\r\n\r\n") => return,
            _ => {}
        }
    }
}
