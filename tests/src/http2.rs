//! HTTP/2 in clear text with prior knowledge.

use std::net::SocketAddr;

use h2::client;
use http::{HeaderName, HeaderValue, Request};

use crate::conversation::Ready;
use crate::wire::{Answer, TRAILERS};

/// Sends a request and reads the answer to its end.
pub fn exchange(to: SocketAddr, ready: &Ready) -> std::io::Result<Answer> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let patience = std::time::Duration::from_secs(10);
    runtime
        .block_on(async { tokio::time::timeout(patience, send(to, ready)).await })?
        .map_err(std::io::Error::other)
}

async fn send(
    to: SocketAddr,
    ready: &Ready,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let stream = tokio::net::TcpStream::connect(to).await?;
    let (mut requests, connection) = client::handshake(stream).await?;
    let driver = tokio::spawn(connection);
    let path = String::from_utf8(ready.path.clone())?;
    let mut request = Request::builder()
        .method(ready.method.as_str())
        .uri(format!("{}://{}{path}", ready.scheme, ready.host))
        .header("x-request-id", &ready.id)
        .header("x-forwarded-proto", &ready.scheme)
        .body(())?;
    for (name, value) in &ready.headers {
        request.headers_mut().append(HeaderName::try_from(name)?, HeaderValue::from_bytes(value)?);
    }
    let empty = ready.body.is_empty() && !ready.trailers;
    let (response, mut body) = requests.send_request(request, empty)?;
    let mut pieces = ready.body.chunks(ready.chunked.unwrap_or(usize::MAX)).peekable();
    while let Some(piece) = pieces.next() {
        let last = pieces.peek().is_none() && !ready.trailers;
        body.send_data(piece.to_vec().into(), last)?;
    }
    if ready.trailers {
        let mut trailers = http::HeaderMap::new();
        for (name, value) in TRAILERS {
            trailers.insert(name, HeaderValue::from_static(value));
        }
        body.send_trailers(trailers)?;
    }
    let (head, mut stream) = response.await?.into_parts();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.data().await {
        bytes.extend(chunk?);
    }
    driver.abort();
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    Ok(Answer { status: head.status.as_u16(), headers, body: bytes })
}
