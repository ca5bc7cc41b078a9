//! A proxy by which a browser finds the run's servers by their real names: HTTP CONNECT, RFC 9110 section 9.3.6.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// Leads each `name:port` to its server, and refuses all others, for as long as the runtime runs. It passes bytes on and
/// sees nothing of what TLS holds.
pub async fn proxy(names: Vec<(String, SocketAddr)>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let names = Arc::new(names);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let names = names.clone();
            // A browser that goes away in the middle is no fault.
            tokio::spawn(async move { connect(client, &names).await });
        }
    });
    address
}

async fn connect(client: TcpStream, names: &[(String, SocketAddr)]) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    let mut request = String::new();
    client.read_line(&mut request).await?;
    let mut header = String::new();
    while client.read_line(&mut header).await? > 2 {
        header.clear();
    }
    let mut words = request.split(' ');
    let target = words.next().filter(|method| *method == "CONNECT").and(words.next());
    let known = names.iter().find(|(name, _)| Some(name.as_str()) == target);
    let Some((_, to)) = known else {
        return client.write_all(b"HTTP/1.1 502 No such name\r\ncontent-length: 0\r\n\r\n").await;
    };
    let mut server = TcpStream::connect(to).await?;
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await?;
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}
