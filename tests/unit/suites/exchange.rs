//! What the component does with bodies, with apps that fail, and with settings that are wrong.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::sync::LazyLock;
use std::time::Duration;

use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use vigile_tests::keys::RING;
use vigile_unit_tests::app::{App, LARGE, abrupt};
use vigile_unit_tests::client::{ask, get};
use vigile_unit_tests::corpus::{application, component};
use vigile_unit_tests::guest::{Guest, largest_memory};
use vigile_unit_tests::unit::{Application, Unit};

static GUEST: LazyLock<Guest> = LazyLock::new(|| Guest::load(&component()));

const PATIENCE: Duration = Duration::from_secs(30);

fn open() -> Value {
    json!({
        "vigile": 1,
        "modules": [{
            "name": "app",
            "embed": { "ancestors": ["https://platform.example.org"] },
            "routes": [{ "path": "/**", "public": true }],
        }],
    })
}

fn before(upstream: SocketAddr) -> Application {
    application(&open(), &RING.environment(), &format!("http://{upstream}"))
}

fn start(application: Application) -> Unit {
    Unit::start(&GUEST, application)
}

fn with(mut application: Application, name: &str, value: &str) -> Application {
    application.environment.insert(name.into(), value.into());
    application
}

#[test]
fn forty_megabytes_come_back_as_they_went() {
    let app = App::start();
    let mut application = before(app.address);
    application.max_body_size = 64 * 1024 * 1024;
    let unit = start(application);
    let sent: Vec<u8> = (0..40u32 * 1024 * 1024).map(|at| (at ^ (at >> 9)) as u8).collect();
    let length = format!("content-length: {}", sent.len());
    let asked = ask(unit.address(), &["POST /echo", &length, "connection: close"]);
    let (mut stream, body) = (asked.stream(), sent.clone());
    let writer = std::thread::spawn(move || stream.write_all(&body).unwrap());
    let mut answer = asked.answer();
    let back = answer.rest();
    writer.join().unwrap();
    assert_eq!((answer.status, back.len()), (200, sent.len()));
    assert!(back == sent, "the echo differs");
}

#[test]
fn events_arrive_when_they_are_sent() {
    let app = App::start();
    let unit = start(before(app.address));
    app.send("one");
    let mut answer = ask(unit.address(), &["GET /events"]).answer();
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    for event in ["one", "two", "three"] {
        // The next one is sent after the one before it was read: none waits for another.
        assert_eq!(answer.chunk().unwrap(), format!("data: {event}\n\n").as_bytes());
        app.send(match event {
            "one" => "two",
            _ => "three",
        });
    }
}

#[test]
fn a_large_download_is_never_in_memory() {
    let app = App::start();
    let unit = start(before(app.address));
    let answer = ask(unit.address(), &["GET /large", "connection: close"]).answer();
    let length = answer.header("content-length").unwrap().to_owned();
    assert_eq!((length, answer.count()), (LARGE.to_string(), LARGE));
    let (instance, process) = (largest_memory(), largest_process());
    println!("{LARGE} bytes: {instance} in an instance, {process} in the process at most");
    assert!(instance < 8 * 1024 * 1024, "{instance} bytes in an instance");
}

/// The most memory that this process ever had (`VmHWM` of proc(5)).
fn largest_process() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line["VmHWM:".len()..].trim().to_owned()
}

fn says(unit: &Unit, path: &str, status: u16) {
    let (answer, body) = get(unit.address(), path);
    assert_eq!(answer.status, status, "{body}");
    let json: Value = serde_json::from_str(&body).unwrap();
    assert!(json["detail"].is_string(), "{body}");
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("content-length"), Some(&*body.len().to_string()));
}

#[test]
fn an_app_that_refuses_is_a_502() {
    let free = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let unit = start(before(free));
    says(&unit, "/", 502);
    let (answer, _) = get(unit.address(), "/");
    let csp = answer.header("content-security-policy").unwrap();
    assert!(csp.contains("frame-ancestors https://platform.example.org"), "{csp}");
    assert!(unit.log().contains("upstream: ErrorCode::ConnectionRefused"), "{}", unit.log());
}

#[test]
fn an_app_that_hangs_up_is_a_502() {
    says(&start(before(abrupt(b""))), "/", 502);
    says(&start(before(abrupt(b"no HTTP at all\r\n\r\n"))), "/", 502);
}

/// What was not read when a socket is closed has the kernel send a reset.
#[test]
fn an_app_that_resets_is_a_502() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let unit = start(before(listener.local_addr().unwrap()));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            assert_eq!(stream.unwrap().peek(&mut [0]).unwrap(), 1);
        }
    });
    says(&unit, "/", 502);
    assert!(unit.log().contains("upstream: "), "{}", unit.log());
}

#[test]
fn an_app_that_switches_protocols_unasked_is_a_502() {
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
    says(&start(before(abrupt(answer))), "/", 502);
}

#[test]
fn a_header_that_no_answer_may_have_lets_nobody_in() {
    let mut policy = open();
    policy["modules"][0]["headers"] = json!({ "http2-settings": "x" });
    let upstream = format!("http://{}", App::start().address);
    let application = application(&policy, &RING.environment(), &upstream);
    is_out_of_order(application, "policy: modules[0].headers.http2-settings: ");
}

#[test]
fn an_app_that_is_silent_is_a_504() {
    let app = App::start();
    let unit = start(with(before(app.address), "VIGILE_TIMEOUT", "1"));
    says(&unit, "/never", 504);
    assert_eq!(app.left.recv_timeout(PATIENCE), Ok("/never"));
}

#[test]
fn the_app_is_told_what_is_true_of_the_caller() {
    let app = App::start();
    let lies =
        ["x-forwarded-for: 192.0.2.1", "x-forwarded-proto: gopher", "x-forwarded-host: evil"];
    let ask_with = |unit: &Unit| {
        let lines =
            [&["GET /headers", "te: trailers", "x_user: a", "connection: close"][..], &lies];
        let mut answer = ask(unit.address(), &lines.concat()).answer();
        String::from_utf8(answer.rest()).unwrap()
    };
    let seen = ask_with(&start(with(before(app.address), "VIGILE_SCHEME", "https")));
    let host = format!("host: {}", app.address);
    for line in [&*host, "x-forwarded-host: app.example.org", "x-forwarded-proto: https"] {
        assert!(seen.lines().any(|seen| seen == line), "no {line} in\n{seen}");
    }
    for absent in ["x-forwarded-for", "te:", "x_user", "gopher", "evil"] {
        assert!(!seen.contains(absent), "{absent} in\n{seen}");
    }
    let mut two_hops = with(before(app.address), "VIGILE_ADDRESS", "path");
    two_hops.address_in_path = true;
    let seen = ask_with(&start(two_hops));
    assert!(seen.contains("x-forwarded-for: 127.0.0.1\n"), "{seen}");
    assert!(seen.contains("x-forwarded-proto: http\n"), "{seen}");
}

/// What is said of the origin of the module's own pages: Unit passes on a host without its port.
#[test]
fn the_port_that_browsers_ask_for_is_part_of_the_origin() {
    let app = App::start();
    let mut policy = open();
    policy["modules"][0]["routes"] =
        json!([{ "path": "/logout", "logout": true }, { "path": "/**", "public": true }]);
    let upstream = format!("http://{}", app.address);
    for (scheme, port, own, foreign, host) in [
        ("https", "", "https://app.example.org", "https://app.example.org:8443", ""),
        ("https", "443", "https://app.example.org", "https://app.example.org:8443", ""),
        ("https", "8443", "https://app.example.org:8443", "https://app.example.org", ":8443"),
        ("https", "80", "https://app.example.org:80", "https://app.example.org", ":80"),
        ("http", "80", "http://app.example.org", "http://app.example.org:8080", ""),
        ("http", "8080", "http://app.example.org:8080", "http://app.example.org", ":8080"),
        ("forwarded", "8443", "https://app.example.org:8443", "https://app.example.org", ":8443"),
        ("forwarded", "443", "https://app.example.org", "https://app.example.org:8443", ""),
    ] {
        let one = with(application(&policy, &RING.environment(), &upstream), "VIGILE_PORT", port);
        let unit = start(with(one, "VIGILE_SCHEME", scheme));
        let to = |first: &str, origin: &str| {
            let origin = format!("origin: {origin}");
            let lines = [first, &origin, "x-forwarded-proto: https", "connection: close"];
            ask(unit.address(), &lines).answer()
        };
        let logout = |origin| to("POST /logout", origin);
        assert_eq!(logout(own).status, 204, "{scheme} {port}: {own}");
        let refused = logout(foreign);
        assert_eq!(refused.header("vigile-reason"), Some("origin.foreign"), "{scheme} {port}");
        let seen = String::from_utf8(to("GET /headers", own).rest()).unwrap();
        let line = format!("x-forwarded-host: app.example.org{host}");
        assert!(seen.lines().any(|seen| seen == line), "no {line} in\n{seen}");
    }
}

#[test]
fn head_keeps_the_length_that_the_app_gave() {
    let unit = start(before(App::start().address));
    let answer = ask(unit.address(), &["HEAD /large", "connection: close"]).answer();
    let length = answer.header("content-length").map(str::to_owned);
    assert_eq!((answer.status, length, answer.count()), (200, Some(LARGE.to_string()), 0));
}

/// Status, Content-Length and body, as the component itself says them.
fn component_says(unit: &Unit, method: &str, path: &str) -> (u16, Option<usize>, String) {
    let own = "http://app.example.org";
    let request = Request::builder().method(method).uri(format!("{own}{path}"));
    let request = request.header("origin", own).body(Full::default()).unwrap();
    let answer = unit.component_answers(request);
    let length = answer.headers().get("content-length");
    let length = length.map(|length| length.to_str().unwrap().parse().unwrap());
    (answer.status().as_u16(), length, String::from_utf8(answer.body().to_vec()).unwrap())
}

/// To HEAD the length that GET has, and no byte of it (RFC 9110 §9.3.2).
#[test]
fn a_refusal_or_a_failure_of_head_has_no_body() {
    let app = App::start().address;
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let mut guarded = open();
    guarded["issuers"] = json!([{ "name": "iahome", "algorithms": ["HS256"],
        "keys": [{ "secret": { "env": "IAHOME_JWT_SECRET" } }] }]);
    guarded["modules"][0]["routes"] = json!([{ "path": "/**", "token": { "issuer": "iahome" } }]);
    let guarded = application(&guarded, &RING.environment(), &format!("http://{app}"));
    for (application, path, status) in [
        (guarded, "/", 401),
        (before(nobody), "/", 502),
        (with(before(app), "VIGILE_TIMEOUT", "1"), "/never", 504),
        (with(before(app), "VIGILE_SCHEME", "wss"), "/", 503),
        (with(before(app), "VIGILE_ADDRESS", "path"), "/", 503),
    ] {
        let unit = start(application);
        let (of_get, length, body) = component_says(&unit, "GET", path);
        assert_eq!((of_get, length), (status, Some(body.len())), "GET {path}: {body}");
        assert!(!body.is_empty(), "{status}");
        assert_eq!(component_says(&unit, "HEAD", path), (status, length, String::new()));
    }
}

/// Nor has 204 a length (RFC 9110 §8.6), whoever says one.
#[test]
fn what_has_no_content_tells_of_none() {
    let mut policy = open();
    policy["modules"][0]["routes"] =
        json!([{ "path": "/logout", "logout": true }, { "path": "/**", "public": true }]);
    for (answer, path, expected) in [
        (&b""[..], "/logout", (204, None)),
        (b"HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello", "/", (204, None)),
        (b"HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", "/", (304, Some(5))),
    ] {
        let upstream = format!("http://{}", abrupt(answer));
        let unit = start(application(&policy, &RING.environment(), &upstream));
        for method in ["POST", "HEAD"].into_iter().take(if path == "/" { 2 } else { 1 }) {
            let (status, length, body) = component_says(&unit, method, path);
            assert_eq!(((status, length), &*body), (expected, ""), "{method} {path}");
        }
    }
}

#[test]
fn a_policy_may_stand_in_the_environment() {
    let app = App::start();
    let mut application = with(before(app.address), "VIGILE_POLICY", &open().to_string());
    application.files.clear();
    let (answer, seen) = get(start(application).address(), "/headers");
    assert_eq!(answer.status, 200, "{seen}");
    let mut broken = with(before(app.address), "VIGILE_POLICY", "{\"vigile\": 1");
    broken.files.clear();
    is_out_of_order(broken, "policy: ");
}

/// Everything is refused, and the log says why.
fn is_out_of_order(application: Application, problem: &str) {
    let unit = start(application);
    for path in ["/headers", "/any"] {
        says(&unit, path, 503);
    }
    assert!(unit.log().contains(problem), "no {problem} in {}", unit.log());
}

#[test]
fn settings_that_are_wrong_let_nobody_in() {
    let app = App::start().address;
    for (name, value, problem) in [
        ("VIGILE_POLICY", "@folder@/none.json", "VIGILE_POLICY: "),
        ("VIGILE_POLICY", "/etc/passwd", "VIGILE_POLICY: /etc/passwd: "),
        ("VIGILE_UPSTREAM", "", "VIGILE_UPSTREAM: write an address"),
        ("VIGILE_UPSTREAM", "app:80", "VIGILE_UPSTREAM: write an address"),
        ("VIGILE_UPSTREAM", "http://user@app", "VIGILE_UPSTREAM: write an address"),
        ("VIGILE_UPSTREAM", "http://app/path", "VIGILE_UPSTREAM: write an address"),
        ("VIGILE_SCHEME", "wss", "VIGILE_SCHEME: write http, https or forwarded"),
        ("VIGILE_PORT", "0", "VIGILE_PORT: write a port"),
        ("VIGILE_PORT", "https", "VIGILE_PORT: write a port"),
        ("VIGILE_PORT", "65536", "VIGILE_PORT: write a port"),
        ("VIGILE_ADDRESS", "header", "VIGILE_ADDRESS: write path"),
        ("VIGILE_TIMEOUT", "0", "VIGILE_TIMEOUT: write whole seconds"),
        ("VIGILE_TIMEOUT", "10s", "VIGILE_TIMEOUT: write whole seconds"),
        ("VIGILE_MAX_DURATION", "1h", "VIGILE_MAX_DURATION: write whole seconds"),
        // The route in front is missing.
        ("VIGILE_ADDRESS", "path", "VIGILE_ADDRESS: no address stands first in the path"),
    ] {
        is_out_of_order(with(before(app), name, value), problem);
    }
}

#[test]
fn a_policy_that_unit_cannot_honour_lets_nobody_in() {
    let app = App::start().address;
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut policy = open();
        change(&mut policy["modules"][0]);
        application(&policy, &RING.environment(), &format!("http://{app}"))
    };
    let addresses = changed(&|module| {
        module["routes"][0] = json!({ "path": "/**", "addresses": ["192.0.2.1"] });
    });
    is_out_of_order(addresses, "policy: modules[0].routes[0].addresses: this host does not know");
    let websockets = changed(&|module| module["credentials"] = json!({ "subprotocol": "vigile" }));
    is_out_of_order(websockets, "policy: modules[0].credentials.subprotocol: this host passes no");
    let broken = changed(&|module| module["routes"] = json!([{ "path": "/**" }]));
    is_out_of_order(broken, "policy: modules[0].routes[0]");
}
