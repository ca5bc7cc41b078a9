//! Plain requests to a gate, and what it said.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::wire::{self, Answer};

/// A connection that is kept open.
pub struct Connection(TcpStream);

impl Connection {
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("a listener");
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    /// GET with a token.
    pub fn get(&mut self, host: &str, path: &str, token: &str) -> Answer {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Proto: https\r\nAuthorization: Bearer {token}\r\n\r\n"
        );
        self.0.write_all(request.as_bytes()).expect("the request was sent");
        wire::read(&mut self.0, false).expect("an answer")
    }

    /// Bytes as they are, and whatever comes until the other side closes or says nothing more.
    pub fn raw(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.0.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let _ = self.0.write_all(bytes);
        let (mut all, mut chunk) = (Vec::new(), [0; 16 * 1024]);
        while let Ok(read) = self.0.read(&mut chunk) {
            if read == 0 {
                break;
            }
            all.extend(&chunk[..read]);
        }
        all
    }
}

/// One request on a connection of its own: the status, and the reason where Vigile answered.
pub fn ask(address: SocketAddr, host: &str, token: &str) -> (u16, String) {
    let answer = Connection::open(address).get(host, "/", token);
    let reason = answer.headers.iter().find(|(name, _)| name == "vigile-reason");
    let reason = reason.map(|(_, value)| String::from_utf8_lossy(value).into_owned());
    (answer.status, reason.unwrap_or_default())
}
