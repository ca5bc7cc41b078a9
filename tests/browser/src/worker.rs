//! An app with a service worker: a small server of this process, which can be down.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use tokio::net::TcpSocket;
use tokio::runtime::{Builder, Runtime};
use vigile_tests::tools::free_port;

use crate::site;

/// The app of `tests/browser/sites/worker/`. Where it is down, connections are refused.
pub struct WorkerApp {
    address: SocketAddr,
    up: Mutex<Option<Runtime>>,
}

impl WorkerApp {
    /// Chooses a port, at which nobody answers yet.
    pub fn down() -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        Self { address, up: Mutex::new(None) }
    }

    /// Where it answers once it is up.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Brings it up, on threads of its own: what ends with them are its connections too.
    pub fn rise(&self) {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = {
            let _inside = runtime.enter();
            let socket = TcpSocket::new_v4().unwrap();
            // Connections of the time before it fell are still waiting to be forgotten.
            socket.set_reuseaddr(true).unwrap();
            socket.bind(self.address).unwrap();
            socket.listen(128).unwrap()
        };
        runtime.spawn(async move { axum::serve(listener, site::files("worker")).await });
        *self.up.lock().unwrap() = Some(runtime);
    }

    /// Takes it down.
    pub fn fall(&self) {
        // Scenarios are asynchronous themselves, where a runtime may not be waited for.
        self.up.lock().unwrap().take().into_iter().for_each(Runtime::shutdown_background);
    }
}

impl Drop for WorkerApp {
    fn drop(&mut self) {
        self.fall();
    }
}
