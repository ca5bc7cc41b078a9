//! The first head of a connection as Unit reads it. Unit hands on what hyper refuses, and its module for
//! components does not survive some of that.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::HeaderValue;
use http::uri::PathAndQuery;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

/// Unit's own bound (`large_header_buffers` of `large_header_buffer_size`).
const LARGEST: usize = 4 * 8 * 1024;

/// A request's head, in bytes.
pub struct Head {
    pub method: String,
    pub target: Vec<u8>,
    fields: Vec<(String, Vec<u8>)>,
}

/// A connection of which something was read that is to be read again.
pub struct Replayed<S> {
    read: Vec<u8>,
    at: usize,
    stream: S,
}

/// Reads the first head of a connection, where there is one, and gives the connection back whole.
pub async fn read<S: AsyncRead + Unpin>(mut stream: S) -> (Option<Head>, Replayed<S>) {
    let mut read = Vec::new();
    let end = loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            break Some(end);
        }
        if read.len() > LARGEST || !matches!(stream.read_buf(&mut read).await, Ok(1..)) {
            break None;
        }
    };
    let head = end.and_then(|end| Head::of(&read[..end]));
    (head, Replayed { read, at: 0, stream })
}

impl Head {
    /// The target is all between the method and the version, spaces too (nxt_http_parse.c).
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end);
        let first = lines.next()?;
        let method = first.iter().position(|byte| *byte == b' ')?;
        let version = first.iter().rposition(|byte| *byte == b' ').filter(|at| *at > method)?;
        let fields = lines.filter_map(|line| {
            let colon = line.iter().position(|byte| *byte == b':')?;
            let name = String::from_utf8_lossy(&line[..colon]).to_ascii_lowercase();
            Some((name, line[colon + 1..].trim_ascii().to_vec()))
        });
        Some(Self {
            method: String::from_utf8_lossy(&first[..method]).into_owned(),
            target: first[method + 1..version].trim_ascii_end().to_vec(),
            fields: fields.collect(),
        })
    }

    pub fn host(&self) -> &[u8] {
        let host = self.fields.iter().find(|(name, _)| name == "host");
        host.map_or(b"", |(_, value)| value)
    }

    /// Tells whether Unit's module can make a request of it: it takes text alone, and what the crate `http`
    /// takes for a target and for the value of a field. All else ends its process (`panic = "abort"`).
    pub fn is_survived(&self) -> bool {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).is_ok();
        let target = text(&self.target) && PathAndQuery::try_from(&*self.target).is_ok();
        let value = |bytes: &[u8]| text(bytes) && HeaderValue::from_bytes(bytes).is_ok();
        target && self.fields.iter().all(|(_, bytes)| value(bytes))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Replayed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = &self.read[self.at..];
        if left.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let count = left.len().min(buffer.remaining());
        buffer.put_slice(&left[..count]);
        self.at += count;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Replayed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
