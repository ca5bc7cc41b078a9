//! HTTP/1.1 on a plain socket, for requests that no library would send, and HTTP/2 where a case says so.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::conversation::Ready;

/// An answer as it came.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

const PATIENCE: Duration = Duration::from_secs(10);

/// Sends a request, and waits for nothing: it is under way while the stream lives.
pub fn begin(to: SocketAddr, ready: &Ready) -> std::io::Result<TcpStream> {
    let mut stream = TcpStream::connect(to)?;
    stream.write_all(&request(ready))?;
    Ok(stream)
}

/// Sends all but the last byte of a body, and leaves. Envoy is asked to go on first: so the head is with the filter.
pub fn leave(to: SocketAddr, ready: &Ready) -> std::io::Result<Answer> {
    let mut ready = ready.clone();
    ready.headers.push(("expect".into(), b"100-continue".to_vec()));
    let bytes = request(&ready);
    let (head, body) = bytes.split_at(bytes.len() - ready.body.len());
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(head)?;
    let mut goes_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
    stream.read_exact(&mut goes_on)?;
    stream.write_all(&body[..body.len() - 1])?;
    Ok(Answer::default())
}

/// Sends a request and reads the answer to its end.
pub fn exchange(to: SocketAddr, ready: &Ready) -> std::io::Result<Answer> {
    if ready.http2 {
        return crate::http2::exchange(to, ready);
    }
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    if let Some(from) = &ready.from {
        stream.write_all(proxy_line(from).as_bytes())?;
    }
    send(&mut stream, ready)
}

/// The same over a Unix socket.
pub fn exchange_over(socket: &Path, ready: &Ready) -> std::io::Result<Answer> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    send(&mut stream, ready)
}

fn send(stream: &mut (impl Read + Write), ready: &Ready) -> std::io::Result<Answer> {
    // Envoy may answer and close before a large request has been written: the answer counts.
    let _ = stream.write_all(&ready.raw.clone().unwrap_or_else(|| request(ready)));
    read(stream, ready.method == "HEAD")
}

/// PROXY protocol, version 1: how a test chooses the caller's address.
fn proxy_line(from: &str) -> String {
    match from.contains(':') {
        true => format!("PROXY TCP6 {from} ::1 50000 80\r\n"),
        false => format!("PROXY TCP4 {from} 127.0.0.1 50000 80\r\n"),
    }
}

fn request(ready: &Ready) -> Vec<u8> {
    let mut out = format!("{} ", ready.method).into_bytes();
    out.extend(&ready.path);
    out.extend(b" HTTP/1.1\r\n");
    let mut header = |name: &str, value: &[u8]| {
        out.extend(name.as_bytes());
        out.extend(b": ");
        out.extend(value);
        out.extend(b"\r\n");
    };
    header("Host", ready.host.as_bytes());
    header("X-Request-Id", ready.id.as_bytes());
    header("X-Forwarded-Proto", ready.scheme.as_bytes());
    for (name, value) in &ready.headers {
        header(name, value);
    }
    if !ready.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("connection")) {
        header("Connection", b"close");
    }
    match ready.chunked {
        Some(_) => header("Transfer-Encoding", b"chunked"),
        None if ready.body.is_empty() => {}
        None => header("Content-Length", ready.body.len().to_string().as_bytes()),
    }
    out.extend(b"\r\n");
    match ready.chunked {
        Some(size) => out.extend(chunks(ready, size)),
        None => out.extend(&ready.body),
    }
    out
}

/// What follows a body: an identity that is the caller's own word.
pub const TRAILERS: [(&str, &str); 3] = [
    ("x-trailer", "behind the body"),
    ("x-user-id", "admin"),
    ("x-http-method-override", "DELETE"),
];

/// The body in chunks (RFC 9112 §7.1).
fn chunks(ready: &Ready, size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in ready.body.chunks(size) {
        out.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        out.extend(chunk);
        out.extend(b"\r\n");
    }
    out.extend(b"0\r\n");
    if ready.trailers {
        TRAILERS.iter().for_each(|(name, value)| {
            out.extend(format!("{name}: {value}\r\n").into_bytes());
        });
    }
    out.extend(b"\r\n");
    out
}

/// Reads an answer; an upgrade's ends with its head.
pub fn read(stream: &mut impl Read, bodiless: bool) -> std::io::Result<Answer> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        if let Some((answer, rest)) = head(&bytes)
            && (bodiless || answer.status == 101 || answer.status == 204 || complete(&answer, rest))
        {
            let body = body(&answer, rest);
            return Ok(Answer { body, ..answer });
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(read) => bytes.extend(&chunk[..read]),
        }
    }
    match head(&bytes) {
        Some((answer, rest)) => Ok(Answer { body: body(&answer, rest), ..answer }),
        None => Err(std::io::Error::other(format!(
            "no answer, but {:?}",
            String::from_utf8_lossy(&bytes)
        ))),
    }
}

fn head(bytes: &[u8]) -> Option<(Answer, &[u8])> {
    let mut headers = [httparse::EMPTY_HEADER; 128];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(end) = response.parse(bytes).ok()? else { return None };
    let headers = response
        .headers
        .iter()
        .map(|header| (header.name.to_ascii_lowercase(), header.value.to_vec()));
    let answer = Answer { status: response.code?, headers: headers.collect(), body: Vec::new() };
    Some((answer, &bytes[end..]))
}

fn has(answer: &Answer, name: &str) -> Option<String> {
    let (_, value) = answer.headers.iter().find(|(known, _)| known == name)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

fn complete(answer: &Answer, rest: &[u8]) -> bool {
    match has(answer, "content-length").and_then(|length| length.parse::<usize>().ok()) {
        Some(length) => rest.len() >= length,
        None => has(answer, "transfer-encoding").is_some() && rest.ends_with(b"0\r\n\r\n"),
    }
}

fn body(answer: &Answer, rest: &[u8]) -> Vec<u8> {
    if has(answer, "transfer-encoding").is_none() {
        return rest.to_vec();
    }
    let (mut body, mut rest) = (Vec::new(), rest);
    while let Ok(httparse::Status::Complete((start, length))) = httparse::parse_chunk_size(rest) {
        let length = length as usize;
        let Some(chunk) = rest.get(start..start + length) else { break };
        body.extend(chunk);
        rest = rest.get(start + length + 2..).unwrap_or_default();
        if length == 0 {
            break;
        }
    }
    body
}
