//! A server over TLS, in this process.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use rcgen::KeyPair;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

/// What a server needs to show a certificate.
pub fn config(certificate: &rcgen::Certificate, key: &KeyPair) -> Arc<ServerConfig> {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    Arc::new(config.with_single_cert(vec![certificate.der().clone()], key).unwrap())
}

/// Serves on a port that the system chooses, as long as the runtime runs.
pub async fn serve(router: Router, config: Arc<ServerConfig>) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (send, accepted) = mpsc::channel(16);
    tokio::spawn(accept(listener, TlsAcceptor::from(config), send));
    tokio::spawn(async move { axum::serve(Accepted { accepted, address }, router).await });
    address
}

/// Each handshake on its own: browsers open connections that they leave idle.
async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    send: mpsc::Sender<TlsStream<TcpStream>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, send) = (acceptor.clone(), send.clone());
        tokio::spawn(async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                let _ = send.send(stream).await;
            }
        });
    }
}

struct Accepted {
    accepted: mpsc::Receiver<TlsStream<TcpStream>>,
    address: SocketAddr,
}

impl axum::serve::Listener for Accepted {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(stream) => (stream, self.address),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}
