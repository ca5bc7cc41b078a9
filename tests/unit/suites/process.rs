//! What ends the application's process, and what the component does so that it lives.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::json;
use vigile_tests::keys::RING;
use vigile_unit_tests::app::{App, unsteady};
use vigile_unit_tests::client::{Answer, ask, get};
use vigile_unit_tests::corpus::{application, component};
use vigile_unit_tests::guest::Guest;
use vigile_unit_tests::unit::{Application, Unit};

static GUEST: LazyLock<Guest> = LazyLock::new(|| Guest::load(&component()));

const PATIENCE: Duration = Duration::from_secs(30);

fn before(upstream: SocketAddr) -> Application {
    let open = json!({
        "vigile": 1,
        "modules": [{ "name": "app", "routes": [{ "path": "/**", "public": true }] }],
    });
    application(&open, &RING.environment(), &format!("http://{upstream}"))
}

fn with(mut application: Application, name: &str, value: &str) -> Application {
    application.environment.insert(name.into(), value.into());
    application
}

const COUNTED: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello";
const CHUNKED: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n";
const NO_CHUNK: &[u8] = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n";

/// What came of `/open` until it ended, without its beats.
fn beaten(open: &mut Answer) -> String {
    String::from_utf8(open.rest()).unwrap().replace('.', "")
}

/// The client knows that there was more, and the process lives, with what else is under way in it.
#[test]
fn an_answer_that_breaks_off_breaks_off_alone() {
    for (answer, stays) in [
        (COUNTED, false),
        (CHUNKED, false),
        (NO_CHUNK, false),
        // Silent for longer than VIGILE_TIMEOUT.
        (COUNTED, true),
        (CHUNKED, true),
    ] {
        let shown = String::from_utf8_lossy(answer);
        let (app, tell) = unsteady(answer, stays);
        let mut application = with(before(app), "VIGILE_TIMEOUT", "4");
        application.silence = Duration::from_secs(6);
        let unit = Unit::start(&GUEST, application);
        let mut open = ask(unit.address(), &["GET /open", "connection: close"]).answer();
        assert_eq!(open.chunk().unwrap(), b"one");
        let mut broken = ask(unit.address(), &["GET /broken"]).answer();
        assert_eq!(broken.status, 200, "{shown}");
        match broken.header("content-length") {
            Some(length) => {
                assert_eq!(length, "10");
                assert_eq!(broken.rest(), b"hello", "{shown}");
            }
            None => {
                assert_eq!(broken.chunk().unwrap(), b"hello", "{shown}");
                assert_eq!(broken.chunk(), None, "it ended as a whole one: {shown}");
            }
        }
        tell.send(()).unwrap();
        assert_eq!(beaten(&mut open), "two", "{shown}");
        assert_eq!(unit.aborts(), 0, "{shown}");
        let line = "upstream: the answer broke off";
        assert!(unit.log().contains(line), "no {line} in {}", unit.log());
    }
}

/// By two hops Unit's own proxy, which is in front, ends chunks that broke off as if they were whole. Bytes that
/// are counted are missed there too.
#[test]
fn by_two_hops_chunks_that_break_off_look_whole() {
    for answer in [COUNTED, CHUNKED] {
        let (app, _tell) = unsteady(answer, false);
        let mut application = with(before(app), "VIGILE_ADDRESS", "path");
        (application.address_in_path, application.silence) = (true, Duration::from_secs(2));
        let unit = Unit::start(&GUEST, application);
        let mut broken = ask(unit.address(), &["GET /broken"]).answer();
        match broken.header("content-length") {
            Some(_) => assert_eq!(broken.rest(), b"hello"),
            None => {
                assert_eq!(broken.chunk().unwrap(), b"hello");
                assert_eq!(broken.chunk().unwrap(), b"");
            }
        }
        assert_eq!(unit.aborts(), 0);
    }
}

/// Nobody tells the component that its client has left; what keeps an app from being called for ever is this.
#[test]
fn a_call_ends_when_it_has_lasted_long_enough() {
    let app = App::start();
    let unit = Unit::start(&GUEST, with(before(app.address), "VIGILE_MAX_DURATION", "2"));
    app.send("one");
    let mut answer = ask(unit.address(), &["GET /events"]).answer();
    answer.chunk().unwrap();
    drop(answer);
    assert_eq!(app.left.recv_timeout(PATIENCE), Ok("/events"));
    assert_eq!(unit.aborts(), 0);
}

/// Bytes, and the status that comes back for them.
fn status_of(unit: &Unit, request: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(unit.address()).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    String::from_utf8_lossy(&answer).split(' ').nth(1)?.parse().ok()
}

/// What the host of the tests has of a stock Unit: anybody ends the process with one byte of a header, and
/// with it whatever is under way.
#[test]
fn a_header_that_is_no_text_ends_the_process() {
    for (bytes, ends) in [
        (
            &b"GET / HTTP/1.1\r\nhost: a.example.org\r\nx-a: b\x7f\r\nconnection: close\r\n\r\n"[..],
            true,
        ),
        (b"GET / HTTP/1.1\r\nhost: a.example.org\r\nx-a: b\xff\r\nconnection: close\r\n\r\n", true),
        (b"GET /a b HTTP/1.1\r\nhost: a.example.org\r\nconnection: close\r\n\r\n", true),
        (b"GET /?a\"b HTTP/1.1\r\nhost: a.example.org\r\nconnection: close\r\n\r\n", true),
        (b"GET /a%20b HTTP/1.1\r\nhost: a.example.org\r\nconnection: close\r\n\r\n", false),
    ] {
        let shown = String::from_utf8_lossy(bytes);
        let (app, tell) = unsteady(b"HTTP/1.1 204 No Content\r\n\r\n", false);
        let unit = Unit::start(&GUEST, before(app));
        let mut open = ask(unit.address(), &["GET /open"]).answer();
        assert_eq!(open.chunk().unwrap(), b"one");
        assert_eq!(status_of(&unit, bytes), Some(if ends { 503 } else { 204 }), "{shown}");
        tell.send(()).unwrap();
        assert_eq!(beaten(&mut open), if ends { "" } else { "two" }, "{shown}");
        assert_eq!(unit.aborts(), usize::from(ends), "{shown}");
        assert_eq!(get(unit.address(), "/").0.status, 204, "it is started anew");
    }
}
