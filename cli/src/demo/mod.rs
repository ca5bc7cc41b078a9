//! `vigile demo`: a platform, a module in its frame, and the sample's Envoy between them.

mod app;
mod audit;
mod envoy;
mod other;
mod platform;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use vigile_policy::{Algorithm, Origin};

use crate::mint::Signer;
use crate::system::random;
use envoy::Envoy;
use other::App;
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
    pub app: Vec<String>,
}

const MODULE: &str = "stablediffusion";
const MODULE_HOST: &str = "stablediffusion.localhost";
const PLATFORM_HOST: &str = "iahome.localhost";

/// Runs the demo until it is told to end. `say` prints a line to the person at the terminal.
///
/// # Errors
/// What could not be started or ended by itself, in words.
pub fn run(options: &Options, say: impl Fn(&str)) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| error.to_string())?.block_on(demo(options, &say))
}

async fn demo(options: &Options, say: &impl Fn(&str)) -> Result<(), String> {
    let mut told = told_to_end()?;
    let platform = listen(options.port).await?;
    let origin = format!("http://{PLATFORM_HOST}:{}", address(&platform)?.port());
    let port = address(&listen(next(options.port)).await?)?.port();
    let module = format!("http://{MODULE_HOST}:{port}");
    let (mut other, upstream) = app(options, say).await?;
    let secret = random(40)?;
    let mut envoy = Envoy::start(&envoy::Settings {
        envoy: &options.envoy,
        wasm: &options.wasm,
        module: MODULE,
        host: MODULE_HOST,
        platform: Origin::parse(origin.as_bytes()).ok_or("the platform has no origin")?,
        upstream,
        port,
        secret: &secret,
    })
    .await?;
    let minting = Arc::new(Platform {
        signer: Signer::new(Algorithm::Hs256, secret.as_bytes())?,
        forger: Signer::new(Algorithm::Hs256, random(40)?.as_bytes())?,
        module: MODULE,
        address: module.clone(),
    });
    serve(platform, platform::router(minting));
    say(&introduction(&origin, &module, &envoy.access_log()));
    let log = envoy.log();
    let ended = tokio::select! {
        () = told.end() => Ok(()),
        status = envoy.ended() => Err(format!("Envoy ended by itself: {status}")),
        status = other.ended() => Err(format!("the app ended by itself: {status}")),
        () = audit::follow(&log, say) => Ok(()),
    };
    say("\nStopping Envoy, the platform and the app.");
    envoy.stop().await;
    other.stop().await;
    ended
}

fn introduction(origin: &str, module: &str, access_log: &str) -> String {
    format!(
        "
Open this in a browser:

    {origin}/           the platform, with the module in its frame
    {module}/   the module by itself: refused, as it should be

Or try, in another terminal:

    curl -i {module}/
    token=$(curl -s -X POST {origin}/tokens?kind=good | sed 's/.*\"token\":\"\\([^\"]*\\).*/\\1/')
    curl -i -H 'Sec-Fetch-Dest: iframe' -H 'Sec-Fetch-Mode: navigate' \"{module}/?token=$token\"
    tail -f {access_log}      # what Envoy serves, without a token

Ctrl-C stops everything. What Vigile refuses is shown here:
"
    )
}

/// The app behind Envoy: the small one, or another command with `PORT` in its environment.
async fn app(options: &Options, say: &impl Fn(&str)) -> Result<(App, SocketAddr), String> {
    let listener = listen(0).await?;
    let address = address(&listener)?;
    if options.app.is_empty() {
        serve(listener, app::router());
        return Ok((App::none(), address));
    }
    drop(listener);
    say("Waiting for the app to listen …");
    Ok((App::start(&options.app, address).await?, address))
}

/// The port behind a port; 0 is any port.
fn next(port: u16) -> u16 {
    if port == 0 { 0 } else { port.saturating_add(1) }
}

/// `port` of 127.0.0.1, or another one where that is taken.
async fn listen(port: u16) -> Result<TcpListener, String> {
    match TcpListener::bind(("127.0.0.1", port)).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string()),
    }
}

fn address(listener: &TcpListener) -> Result<SocketAddr, String> {
    listener.local_addr().map_err(|error| error.to_string())
}

fn serve(listener: TcpListener, router: Router) {
    tokio::spawn(async move { axum::serve(listener, router).await });
}

/// Ctrl-C, and what else asks a process to end.
struct Told([Signal; 3]);

fn told_to_end() -> Result<Told, String> {
    let on = |kind| signal(kind).map_err(|error| error.to_string());
    Ok(Told([
        on(SignalKind::interrupt())?,
        on(SignalKind::terminate())?,
        on(SignalKind::hangup())?,
    ]))
}

impl Told {
    async fn end(&mut self) {
        let Self([interrupt, terminate, hangup]) = self;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
