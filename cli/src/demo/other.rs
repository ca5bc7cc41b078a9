//! Another app in place of the small one: Gradio, or whatever a command starts.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep};

/// Gradio imports for a while.
const PATIENCE: Duration = Duration::from_mins(2);

/// A child that ends with this value; or none.
pub(super) struct App(Option<Child>);

impl App {
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// Starts a command and waits until it listens.
    pub(super) async fn start(command: &[String], address: SocketAddr) -> Result<Self, String> {
        let (program, arguments) =
            command.split_first().ok_or("the command of the app is empty")?;
        let mut child = Command::new(program)
            .args(arguments)
            .env("PORT", address.port().to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let started = Instant::now();
        while tokio::net::TcpStream::connect(address).await.is_err() {
            if let Ok(Some(status)) = child.try_wait() {
                return Err(format!("{program} ended before it listened: {status}"));
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("{program} does not listen on {address}"));
            }
            sleep(Duration::from_millis(200)).await;
        }
        Ok(Self(Some(child)))
    }

    /// How it ended, once it has.
    pub(super) async fn ended(&mut self) -> String {
        match &mut self.0 {
            Some(child) => ending(child).await,
            None => std::future::pending().await,
        }
    }

    pub(super) async fn stop(mut self) {
        if let Some(child) = &mut self.0 {
            stop(child).await;
        }
    }
}

/// How a child ended, once it has.
pub(super) async fn ending(child: &mut Child) -> String {
    child.wait().await.map_or_else(|error| error.to_string(), |status| status.to_string())
}

/// Ends a child and waits for it.
pub(super) async fn stop(child: &mut Child) {
    // One that has ended already is no error.
    let _ = child.kill().await;
}
