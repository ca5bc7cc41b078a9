//! An app that never finishes: server-sent events, a tick after the other, on a plain socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(20);

/// Starts the app on a port that the system chooses. `/events` ticks until its reader leaves; anything
/// else is answered `ok`.
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

fn serve(stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let mut head = Vec::new();
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
            head.push(std::mem::take(&mut line));
        }
        let Some(first) = head.first() else { return };
        if !first.contains(" /events") {
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
            if stream.write_all(answer).is_err() {
                return;
            }
            continue;
        }
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let mut sent = stream.write_all(head);
        while sent.is_ok() {
            std::thread::sleep(PAUSE);
            sent = stream.write_all(b"c\r\ndata: tick\n\n\r\n");
        }
        return;
    }
}

/// An open stream of events.
pub struct Events(TcpStream);

impl Events {
    /// Opens the stream, and waits for its first ticks.
    pub fn open(address: SocketAddr, host: &str, token: &str) -> Result<Self, String> {
        let mut stream = TcpStream::connect(address).map_err(|error| error.to_string())?;
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let request = format!(
            "GET /events HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Proto: https\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        let mut events = Self(stream);
        events.tick(3)?;
        Ok(events)
    }

    /// Reads what is there and waits for so many ticks more.
    pub fn tick(&mut self, ticks: usize) -> Result<(), String> {
        self.0.set_nonblocking(true).unwrap();
        let mut chunk = [0; 4096];
        while matches!(self.0.read(&mut chunk), Ok(read) if read > 0) {}
        self.0.set_nonblocking(false).unwrap();
        let (mut seen, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(5));
        while seen.windows(4).filter(|window| window == b"tick").count() < ticks {
            match self.0.read(&mut chunk) {
                Ok(0) => return Err(format!("the stream ended: {}", seen.escape_ascii())),
                Ok(read) => seen.extend(&chunk[..read]),
                Err(error) => return Err(format!("no tick: {error}")),
            }
            if Instant::now() > deadline {
                return Err(format!("too few ticks: {}", seen.escape_ascii()));
            }
        }
        Ok(())
    }
}
