//! What the app is sent: a recorder on the wire between Envoy and the app, so that nothing which comes
//! there can be missed.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A running recorder; it lives as long as the process.
#[derive(Clone)]
pub(crate) struct Recorder {
    pub(crate) address: SocketAddr,
    /// What came over each connection.
    connections: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Recorder {
    /// Starts on a port that the system chooses, before an app that need not be there yet.
    pub(crate) fn start(app: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let recorder = Self { address, connections: Arc::default() };
        let own = recorder.clone();
        std::thread::spawn(move || {
            for (index, stream) in listener.incoming().flatten().enumerate() {
                let own = own.clone();
                own.connections.lock().unwrap().push(Vec::new());
                std::thread::spawn(move || own.copy(index, stream, app));
            }
        });
        recorder
    }

    /// All that came so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.connections.lock().unwrap().concat()).into_owned()
    }

    fn copy(&self, index: usize, mut client: TcpStream, app: SocketAddr) -> std::io::Result<()> {
        let mut app = TcpStream::connect(app)?;
        let (mut from_app, mut to_client) = (app.try_clone()?, client.try_clone()?);
        std::thread::spawn(move || {
            let _ = std::io::copy(&mut from_app, &mut to_client);
            to_client.shutdown(Shutdown::Write)
        });
        let mut chunk = [0; 16 * 1024];
        while let Ok(read @ 1..) = client.read(&mut chunk) {
            self.connections.lock().unwrap()[index].extend(&chunk[..read]);
            app.write_all(&chunk[..read])?;
        }
        app.shutdown(Shutdown::Write)
    }
}
