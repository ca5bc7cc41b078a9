//! Bytes that no honest client sends, for a plain socket: what a real Envoy and its worker must survive.

pub mod answers;
mod names;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub use names::read_headers;

/// What is sent on one connection.
pub struct Shot {
    pub what: String,
    pub bytes: Vec<u8>,
    /// Statuses of which the answer must have one; any answer, or none, where this is empty.
    pub statuses: &'static [u16],
}

/// The host of the policy that the shots are aimed at (tests/corpus/policies/routes.yaml).
const HOST: &str = "ai.example.org";

fn shot(what: impl Into<String>, bytes: impl Into<Vec<u8>>, statuses: &'static [u16]) -> Shot {
    Shot { what: what.into(), bytes: bytes.into(), statuses }
}

fn request(line: impl AsRef<[u8]>, headers: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = [line.as_ref(), b"\r\n"].concat();
    for (name, value) in headers {
        bytes.extend([name.as_bytes(), b": ", value, b"\r\n"].concat());
    }
    [bytes, b"\r\n".to_vec()].concat()
}

/// Bytes that are no UTF-8 in every header that Vigile reads, alone and beside a good token.
pub fn bytes_that_are_no_text(token: &str) -> Vec<Shot> {
    let all: Vec<u8> = (0x80..=0xff).collect();
    let values: [&[u8]; 5] =
        [b"\xff", b"\xc3\x28", b"Bearer \xf0\x28\x8c\xbc", b"a=\xff; \xff=b", &all];
    let bearer = format!("Bearer {token}");
    let mut shots = Vec::new();
    for name in read_headers() {
        for value in values {
            let what = format!("{name}: {}", value.escape_ascii());
            let line = match name.as_str() {
                ":method" => [value, b" /session HTTP/1.1"].concat(),
                ":path" => [b"GET /session", value, b" HTTP/1.1"].concat(),
                ":scheme" => [b"GET ", value, b"://ai.example.org/session HTTP/1.1"].concat(),
                _ => b"GET /session HTTP/1.1".to_vec(),
            };
            let host: &[u8] = if name == "host" { value } else { HOST.as_bytes() };
            let mut headers = vec![("host", host), ("connection", b"close".as_slice())];
            if !name.starts_with(':') && name != "host" {
                headers.push((&name, value));
            }
            shots.push(shot(what.clone(), request(&line, &headers), &[]));
            headers.push(("authorization", bearer.as_bytes()));
            shots.push(shot(format!("{what}, and a token"), request(&line, &headers), &[]));
        }
    }
    shots
}

/// Every byte in a path: as it is, escaped, and escaped twice, in three places.
pub fn every_byte_in_a_path(token: &str) -> Vec<Shot> {
    let bearer = format!("Bearer {token}");
    let mut shots = Vec::new();
    for byte in 0..=255u8 {
        let forms = [vec![byte], format!("%{byte:02X}").into(), format!("%25{byte:02x}").into()];
        for form in forms {
            for (before, after) in [("/session", ""), ("/", "admin/x"), ("/api/", "/../admin/x")] {
                let path = [before.as_bytes(), &form, after.as_bytes()].concat();
                let line = [b"GET ", path.as_slice(), b" HTTP/1.1"].concat();
                let headers = [
                    ("host", HOST.as_bytes()),
                    ("authorization", bearer.as_bytes()),
                    ("connection", b"close"),
                ];
                shots.push(shot(path.escape_ascii().to_string(), request(line, &headers), &[]));
            }
        }
    }
    shots
}

/// Great many and great large, up to and beyond what the listener lets in.
pub fn too_much(token: &str) -> Vec<Shot> {
    let bearer = format!("Bearer {token}");
    let host = ("host", HOST.as_bytes());
    let close = ("connection", b"close".as_slice());
    let good = ("authorization", bearer.as_bytes());
    let line = "GET /session HTTP/1.1";
    // Without a token where the app would have an opinion of its own on so many headers.
    let many = |count: usize, header| [vec![host, close], vec![header; count]].concat();
    let large = vec![b'x'; 60 << 10];
    let token_of =
        |bytes: usize| format!("Bearer {}.{}.x", "a".repeat(bytes / 2), "b".repeat(bytes / 2));
    let (huge, deep) = (token_of(64 << 10), names::deep_token());
    vec![
        shot("1,000 headers", request(line, &many(1000, ("x-filler", b"x"))), &[401]),
        shot("4,000 headers", request(line, &many(4000, ("x-filler", b"x"))), &[431]),
        shot("1,000 identities", request(line, &many(1000, ("x-user-id", b"root"))), &[401]),
        shot("1,000 cookies", request(line, &many(1000, ("cookie", b"__Host-vigile=x"))), &[400]),
        shot("1,000 tokens", request(line, &many(1000, good)), &[400]),
        shot(
            "a header of 60 kB",
            request(line, &[host, close, good, ("x-filler", &large)]),
            &[200],
        ),
        shot("a header of 240 kB", request(line, &many(1, ("x-filler", &large.repeat(4)))), &[431]),
        shot(
            "a token of 64 kB",
            request(line, &[host, close, ("authorization", huge.as_bytes())]),
            &[401],
        ),
        shot(
            "a token that is deep and holds",
            request(line, &[host, close, ("authorization", deep.as_bytes())]),
            &[200],
        ),
        shot(
            "a path of 60 kB",
            request(format!("GET /{} HTTP/1.1", "%61/..;/".repeat(7_500)), &[host, close, good]),
            &[400, 414],
        ),
        shot(
            "3,000 parameters",
            request(format!("GET /session?{} HTTP/1.1", "token=x&".repeat(3_000)), &[host, close]),
            &[400],
        ),
    ]
}

/// Methods, versions and forms that are rare, and framing that is wrong.
pub fn forms(token: &str) -> Vec<Shot> {
    let with = |line: &str, rest: &str| {
        format!("{line}\r\nHost: {HOST}\r\nConnection: close\r\n{rest}\r\n").into_bytes()
    };
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let upgrade = "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n";
    let websocket = format!("GET /ws HTTP/1.1\r\nHost: {HOST}\r\nConnection: upgrade\r\n{upgrade}");
    vec![
        shot("OPTIONS", with("OPTIONS /session HTTP/1.1", ""), &[401]),
        shot("HEAD", with("HEAD /session HTTP/1.1", ""), &[401]),
        shot("TRACE", with("TRACE /session HTTP/1.1", ""), &[401, 400, 405]),
        shot("an unknown method", with("BREW /session HTTP/1.1", ""), &[]),
        shot("a method of 8 kB", with(&format!("{} / HTTP/1.1", "X".repeat(8192)), ""), &[]),
        shot("OPTIONS *", with("OPTIONS * HTTP/1.1", ""), &[]),
        shot("CONNECT", "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n", &[]),
        shot(
            "CONNECT to this host",
            format!("CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n"),
            &[],
        ),
        shot("a websocket without a token", format!("{websocket}\r\n"), &[401]),
        shot(
            "a websocket from another site",
            format!(
                "{websocket}Origin: https://evil.example\r\nCookie: __Host-vigile={token}\r\n\r\n"
            ),
            &[403],
        ),
        shot(
            "an upgrade to h2c",
            with("GET /session HTTP/1.1", "Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
            &[],
        ),
        shot("no host", "GET /session HTTP/1.1\r\nConnection: close\r\n\r\n", &[400]),
        shot("an empty host", "GET /session HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", &[]),
        shot(
            "two hosts",
            format!("GET /session HTTP/1.1\r\nHost: {HOST}\r\nHost: evil.example\r\n\r\n"),
            &[400],
        ),
        shot("HTTP/1.0", format!("GET /session HTTP/1.0\r\nHost: {HOST}\r\n{bearer}\r\n"), &[200]),
        shot("HTTP/1.0 without a host", "GET /session HTTP/1.0\r\n\r\n", &[]),
        shot("HTTP/0.9", "GET /session\r\n\r\n", &[]),
        shot("HTTP/9.9", with("GET /session HTTP/9.9", ""), &[]),
        shot("a whole address", with("GET http://evil.example/session HTTP/1.1", &bearer), &[]),
        shot(
            "a whole address without a path",
            with(&format!("GET http://{HOST} HTTP/1.1"), &bearer),
            &[],
        ),
        shot("no path", with("GET HTTP/1.1", ""), &[]),
        shot("a query alone", with("GET ?token=x HTTP/1.1", ""), &[]),
        shot("a fragment", with("GET /session#/../health HTTP/1.1", ""), &[]),
        shot(
            "two lengths",
            with("POST /session HTTP/1.1", "Content-Length: 1\r\nContent-Length: 2\r\n"),
            &[],
        ),
        shot(
            "a length and chunks",
            with("POST /session HTTP/1.1", "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"),
            &[],
        ),
        shot(
            "a chunk without end",
            with("POST /session HTTP/1.1", "Transfer-Encoding: chunked\r\n\r\nffffffffff\r\nx"),
            &[],
        ),
        shot("a header without a colon", with("GET /session HTTP/1.1", "nonsense\r\n"), &[400]),
        shot("a header without a name", with("GET /session HTTP/1.1", ": x\r\n"), &[400]),
        shot(
            "a name that is no text",
            [&with("GET /session HTTP/1.1", "")[..58], b"x-\xff\xfe: 1\r\n\r\n"].concat(),
            &[],
        ),
        shot("NUL in a header", with("GET /session HTTP/1.1", "x-a: a\0b\r\n"), &[400]),
        shot(
            "a folded header",
            with("GET /session HTTP/1.1", &format!("{bearer} folded\r\n")),
            &[],
        ),
        shot(
            "line feeds alone",
            format!("GET /session HTTP/1.1\nHost: {HOST}\nConnection: close\n\n"),
            &[],
        ),
        shot("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), &[]),
        shot(
            "the HTTP/2 preface and garbage",
            [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), vec![0xff; 200]].concat(),
            &[],
        ),
        shot("half a head", format!("GET /session HTTP/1.1\r\nHost: {HOST}\r\nauthoriz"), &[]),
        shot("fifty at once", with("GET /session HTTP/1.1", "").repeat(50), &[401]),
        shot("nothing", "", &[]),
    ]
}

/// Sends it and reads the status of the answer, if there is one. `hasty` closes without reading.
pub fn fire(to: SocketAddr, shot: &Shot, hasty: bool) -> Option<u16> {
    let mut stream = TcpStream::connect(to).expect("a listener");
    // Where an answer need not come, there is not much to wait for.
    let patience = if shot.statuses.is_empty() { 200 } else { 5000 };
    stream.set_read_timeout(Some(Duration::from_millis(patience))).unwrap();
    let _ = stream.write_all(&shot.bytes);
    if hasty {
        return None;
    }
    let (mut head, mut chunk) = (Vec::new(), [0; 4096]);
    while head.len() < 12 {
        match stream.read(&mut chunk) {
            Ok(read) if read > 0 => head.extend(&chunk[..read]),
            _ => break,
        }
    }
    std::str::from_utf8(head.get(9..12)?).ok()?.parse().ok()
}
