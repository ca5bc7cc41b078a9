//! `vigile demo`: a platform, a module in its frame, and the sample's Envoy between them.

mod app;
mod envoy;
mod platform;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use tokio::net::TcpListener;
use vigile_policy::{Algorithm, Origin};

use crate::mint::Signer;
use platform::Platform;

/// What the demo runs with.
#[derive(Clone, Debug)]
pub struct Options {
    /// The Envoy binary.
    pub envoy: PathBuf,
    /// The module file.
    pub wasm: PathBuf,
    /// The port of the platform; the module's is the next one.
    pub port: u16,
    /// A command that starts another app in place of the small one; it listens on `PORT`.
    pub app: Option<Vec<String>>,
}

const MODULE: &str = "stablediffusion";
const MODULE_HOST: &str = "stablediffusion.localhost";
const PLATFORM_HOST: &str = "iahome.localhost";

/// Runs the demo until Ctrl-C. `say` prints a line to the person at the terminal.
///
/// # Errors
/// What could not be started, in words.
pub fn run(options: &Options, say: impl Fn(&str)) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(start(options, say))
}

async fn start(options: &Options, say: impl Fn(&str)) -> Result<(), String> {
    let (platform_listener, platform_at) = listen(options.port).await?;
    let module_port = free_port(options.port.saturating_add(1)).await?;
    let (_app, upstream) = app(options, &say).await?;
    let secret = secret()?;
    let platform_origin = format!("http://{PLATFORM_HOST}:{}", platform_at.port());
    let settings = envoy::Settings {
        envoy: &options.envoy,
        wasm: &options.wasm,
        module: MODULE,
        host: MODULE_HOST,
        platform: Origin::parse(platform_origin.as_bytes()).ok_or("the platform has no origin")?,
        upstream,
        port: module_port,
        secret: &secret,
    };
    let envoy = envoy::Envoy::start(&settings)?;
    let address = format!("http://{MODULE_HOST}:{module_port}");
    let signer = |secret: &str| Signer::new(Algorithm::Hs256, secret.as_bytes());
    let platform = Platform {
        signer: signer(&secret)?,
        forger: signer(&crate::key::random(40)?)?,
        module: MODULE.to_owned(),
        address: address.clone(),
    };
    introduce(&platform, &platform_origin, &address, &envoy.folder.display().to_string(), &say)?;
    serve(platform_listener, platform::router(Arc::new(platform)));
    until_told().await;
    say("\nStopping Envoy, the platform and the app.");
    Ok(())
}

fn introduce(platform: &Platform, origin: &str, address: &str, folder: &str, say: &impl Fn(&str)) -> Result<(), String> {
    let token = platform.token("good")?;
    say(&format!("
Open this in a browser:

    {origin}/            the platform, with the module in its frame
    {address}/   the module by itself: refused, as it should be

Or try, in another terminal:

    curl -i {address}/
    curl -i -H 'Sec-Fetch-Dest: iframe' -H 'Sec-Fetch-Mode: navigate' -H 'Sec-Fetch-Site: cross-site' '{address}/?token={token}'
    curl -s -X POST '{origin}/tokens?kind=good'
    tail -f {folder}/envoy.log      # what Vigile refuses
    tail -f {folder}/access.log     # what Envoy serves, without a token

Ctrl-C stops everything."));
    Ok(())
}

/// The app behind Envoy: the small one, or another command with `PORT` in its environment.
async fn app(options: &Options, say: &impl Fn(&str)) -> Result<(Option<App>, SocketAddr), String> {
    let Some(command) = &options.app else {
        let (listener, address) = listen(0).await?;
        serve(listener, app::router());
        return Ok((None, address));
    };
    let port = free_port(0).await?;
    let (program, arguments) = command.split_first().ok_or("the command of the app is empty")?;
    let child = Command::new(program)
        .args(arguments)
        .env("PORT", port.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let app = App(child);
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    say("Waiting for the app to listen …");
    let deadline = Instant::now().checked_add(Duration::from_secs(120));
    while tokio::net::TcpStream::connect(address).await.is_err() {
        if Some(Instant::now()) > deadline {
            return Err(format!("{program} does not listen on {address}"));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok((Some(app), address))
}

/// A child that ends with this value.
struct App(Child);

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn listen(port: u16) -> Result<(TcpListener, SocketAddr), String> {
    let wanted = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = match wanted {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string())?,
    };
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    Ok((listener, address))
}

/// `wanted`, or another one where that is taken.
async fn free_port(wanted: u16) -> Result<u16, String> {
    listen(wanted).await.map(|(_, address)| address.port())
}

fn serve(listener: TcpListener, router: Router) {
    tokio::spawn(async move { axum::serve(listener, router).await });
}

fn secret() -> Result<String, String> {
    crate::key::random(40)
}

/// Ctrl-C, or whoever else asks it to end.
async fn until_told() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(terminate) => terminate,
        Err(_) => return drop(tokio::signal::ctrl_c().await),
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
