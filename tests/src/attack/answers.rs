//! Answers that no honest app gives, from a plain socket.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// What the app says of `/answers/<number>`: its name, and its bytes before the connection ends.
pub fn answers() -> Vec<(&'static str, Vec<u8>)> {
    let with =
        |headers: &[u8]| [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n", headers, b"\r\nok"].concat();
    let twice = |header: &str, count: usize| with(header.repeat(count).as_bytes());
    vec![
        ("a name that is no text", with(b"x-\xff\xfe: 1\r\n")),
        ("a value that is no text", with(b"x-a: \xff\xc3\x28\r\n")),
        (
            "a policy that is no text",
            with(b"content-security-policy: \xff; frame-ancestors \xfe\r\n"),
        ),
        ("a cache that is no text", with(b"cache-control: \xff, public=\xfe,,=,\"\r\n")),
        ("no name", with(b": 1\r\n")),
        ("no colon", with(b"nonsense\r\n")),
        ("NUL", with(b"x-a: a\0b\r\n")),
        ("90 policies", twice("content-security-policy: frame-ancestors *\r\n", 90)),
        ("1,000 headers", twice("x-a: b\r\n", 1000)),
        ("a header of 50 kB", with(format!("vary: {}\r\n", "a, ".repeat(17_000)).as_bytes())),
        ("a header of 500 kB", with(format!("vary: {}\r\n", "a, ".repeat(170_000)).as_bytes())),
        ("two lengths", with(b"content-length: 3\r\n")),
        ("a status of 999", b"HTTP/1.1 999 x\r\ncontent-length: 0\r\n\r\n".to_vec()),
        ("no status", b"HTTP/1.1 OK\r\n\r\n".to_vec()),
        (
            "headers of Vigile's",
            with(b"vigile-reason: allowed.token\r\nset-cookie: __Host-vigile=x\r\n"),
        ),
        (
            "101 out of the blue",
            b"HTTP/1.1 101 x\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n".to_vec(),
        ),
        ("many 100s", [b"HTTP/1.1 100 Continue\r\n\r\n".repeat(50), with(b"")].concat()),
        (
            "103 first",
            [b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n".to_vec(), with(b"")].concat(),
        ),
        (
            "a chunk without end",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffff\r\nx".to_vec(),
        ),
        (
            "trailers",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-\xff: 1\r\n\r\n".to_vec(),
        ),
        ("HTTP/0.9", b"ok".to_vec()),
        ("nothing", Vec::new()),
    ]
}

/// Starts the app: `/answers/<number>` is answered so, everything else honestly.
pub fn start() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

fn serve(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = Vec::new();
    let mut line = String::new();
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
        head.push(std::mem::take(&mut line));
    }
    let path = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let number = path.strip_prefix("/answers/").and_then(|number| number.parse::<usize>().ok());
    let honest = b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nhonest".to_vec();
    let answer = number.and_then(|number| answers().into_iter().nth(number));
    let _ = stream.write_all(&answer.map_or(honest, |(_, bytes)| bytes));
}
