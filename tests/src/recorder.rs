//! What an app is sent: a recorder on the wire between Envoy and the app.
//!
//! It copies bytes both ways and keeps those that go to the app, so that nothing which came there can be
//! missed. Envoy speaks HTTP/1.1 to it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A running recorder.
#[derive(Clone)]
pub struct Recorder {
    address: SocketAddr,
    /// What came over each connection.
    connections: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// The head of a request as the app saw it.
#[derive(Clone, Debug)]
pub struct Head {
    /// `GET /theme.css HTTP/1.1`
    pub line: String,
    /// The header lines behind it, in one.
    pub headers: String,
}

impl Recorder {
    /// Starts on a port that the system chooses.
    pub async fn start(app: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let recorder = Self {
            address: listener.local_addr().unwrap(),
            connections: Arc::new(Mutex::new(Vec::new())),
        };
        tokio::spawn(recorder.clone().accept(listener, app));
        recorder
    }

    /// Where Envoy finds the app.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All that came so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.connections.lock().unwrap().concat()
    }

    /// The requests that Vigile let through for this user, in the order of their connections.
    pub fn heads_of(&self, user: &str) -> Vec<Head> {
        let line = format!("x-user-id: {user}\r\n");
        let connections = self.connections.lock().unwrap();
        let heads = connections.iter().flat_map(|bytes| heads(bytes));
        heads.filter(|head| head.headers.contains(&line)).collect()
    }

    async fn accept(self, listener: TcpListener, app: SocketAddr) {
        while let Ok((stream, _)) = listener.accept().await {
            let index = {
                let mut connections = self.connections.lock().unwrap();
                connections.push(Vec::new());
                connections.len() - 1
            };
            tokio::spawn(self.clone().copy(stream, app, index));
        }
    }

    async fn copy(self, client: TcpStream, app: SocketAddr, index: usize) {
        let Ok(app) = TcpStream::connect(app).await else { return };
        // A body goes out at once, and not when the app has acknowledged its head.
        let _ = (client.set_nodelay(true), app.set_nodelay(true));
        let ((mut from_client, mut to_client), (mut from_app, mut to_app)) =
            (client.into_split(), app.into_split());
        let answers = tokio::spawn(async move {
            let _ = tokio::io::copy(&mut from_app, &mut to_client).await;
            let _ = to_client.shutdown().await;
        });
        let mut chunk = vec![0; 64 * 1024];
        while let Ok(read @ 1..) = from_client.read(&mut chunk).await {
            self.connections.lock().unwrap()[index].extend(&chunk[..read]);
            if to_app.write_all(&chunk[..read]).await.is_err() {
                break;
            }
        }
        let _ = to_app.shutdown().await;
        let _ = answers.await;
    }
}

/// The heads in what came over a connection. Bodies are passed over by looking for the next request
/// line, which no body of these tests holds.
fn heads(bytes: &[u8]) -> Vec<Head> {
    let text = String::from_utf8_lossy(bytes);
    let mut heads: Vec<Head> = Vec::new();
    let mut rest = text.as_ref();
    while let Some(end) = rest.find(" HTTP/1.1\r\n") {
        let start = rest[..end].rfind('\n').map_or(0, |at| at + 1);
        let (line, after) = rest[start..].split_once("\r\n").unwrap();
        let (headers, after) = after.split_once("\r\n\r\n").unwrap_or((after, ""));
        heads.push(Head { line: line.to_owned(), headers: format!("{headers}\r\n") });
        rest = after;
    }
    heads
}

#[cfg(test)]
mod tests {
    use super::heads;

    #[test]
    fn heads_are_found_between_bodies() {
        let bytes =
            b"POST /a HTTP/1.1\r\nx-user-id: u\r\n\r\n{\"a\":1}GET /b HTTP/1.1\r\nhost: h\r\n\r\n";
        let lines: Vec<String> = heads(bytes).into_iter().map(|head| head.line).collect();
        assert_eq!(lines[0], "POST /a HTTP/1.1");
        assert!(lines[1].ends_with("GET /b HTTP/1.1"), "{lines:?}");
    }
}
