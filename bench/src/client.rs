//! A plain client: one connection that is kept open.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use vigile_tests::wire::{self, Answer};

use crate::policy::HOST;

pub struct Client(TcpStream);

impl Client {
    pub fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self(stream))
    }

    pub fn send(&mut self, request: &[u8]) -> std::io::Result<Answer> {
        self.0.write_all(request)?;
        wire::read(&mut self.0, false)
    }
}

/// The request that wrk sends too; without a value of Authorization the header is not there.
pub fn request(path: &str, authorization: &str) -> Vec<u8> {
    let authorization = match authorization {
        "" => String::new(),
        value => format!("Authorization: {value}\r\n"),
    };
    format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{authorization}\r\n").into_bytes()
}
