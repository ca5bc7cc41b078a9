//! Tokens among a websocket's subprotocols, with clients that check the handshake's answer: a library
//! (tungstenite) through every Envoy, and a page in Chromium through the newest.

use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Request, State};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use vigile_tests::case::Recipe;
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::gate::same;
use vigile_tests::headless::Headless;
use vigile_tests::keys::RING;
use vigile_tests::tools;

fn main() {
    let arguments = Arguments::from_args();
    let clients = envoy::binaries()
        .into_iter()
        .map(|binary| Trial::test(format!("{}/client", binary.version), move || client(&binary)));
    let mut trials: Vec<Trial> = clients.collect();
    trials.push(match tools::program("chromium", "chromium") {
        Ok(_) => Trial::test("chromium", in_a_page),
        Err(reason) => tools::skipped("chromium", reason),
    });
    libtest_mimic::run(&arguments, trials).exit();
}

fn policy() -> Value {
    json!({
        "vigile": 1,
        "issuers": [{ "name": "iahome", "algorithms": ["HS256"], "keys": [{ "secret": { "env": "IAHOME_JWT_SECRET" } }] }],
        "modules": [{ "name": "sockets", "credentials": { "subprotocol": "vigile" },
            "routes": [{ "path": "/open/**", "public": true }, { "path": "/**", "token": { "issuer": "iahome" } }] }],
    })
}

fn token(expires: &str) -> String {
    let recipe = Recipe {
        module: Some("sockets".into()),
        expires: Some(expires.into()),
        ..Recipe::default()
    };
    RING.mint(&recipe)
}

struct Stage {
    _envoy: Envoy,
    gate: SocketAddr,
    app: App,
}

impl Stage {
    fn start(binary: &Binary) -> Result<Self, Failed> {
        let (app, upstream) = App::start();
        let environment = RING.environment();
        let route =
            json!({ "match": { "prefix": "/" }, "route": { "cluster": "app", "timeout": "0s" } });
        let filter = envoy::vigile(&envoy::as_struct(&policy()), &environment);
        let mut listener = envoy::listener("gate", 0, &filter, &route);
        let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
        manager["upgrade_configs"] = json!([{ "upgrade_type": "websocket" }]);
        let config = envoy::bootstrap(&[listener], &[envoy::cluster("app", upstream)]);
        let envoy = Envoy::start(binary, &config, &environment).map_err(|error| error.0)?;
        Ok(Self { gate: envoy.listener("gate"), _envoy: envoy, app })
    }

    /// What a real client says of a handshake with this offer, and what comes back of a word.
    fn opens(&self, path: &str, offer: &str) -> Result<(Option<String>, String), String> {
        let mut request = format!("ws://{}{path}", self.gate).into_client_request().unwrap();
        request.headers_mut().insert("sec-websocket-protocol", offer.parse().unwrap());
        let stream = TcpStream::connect(self.gate).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let (mut socket, answer) =
            tungstenite::client(request, stream).map_err(|error| match error {
                tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer)) => {
                    answer.status().as_u16().to_string()
                }
                error => error.to_string(),
            })?;
        socket.send(tungstenite::Message::text("hello")).map_err(|error| error.to_string())?;
        let said = socket.read().map_err(|error| error.to_string())?.to_string();
        let chosen = answer.headers().get("sec-websocket-protocol");
        Ok((chosen.map(|chosen| chosen.to_str().unwrap().to_owned()), said))
    }
}

fn client(binary: &Binary) -> Result<(), Failed> {
    let stage = Stage::start(binary)?;
    let (good, past) = (token("10m"), token("-1m"));
    let opened = |protocol: &str| Ok((Some(protocol.to_owned()), "hello".to_owned()));
    same(&stage.opens("/ws", &format!("vigile, {good}")), &opened("vigile"))?;
    same(&stage.opens("/ws/chat", &format!("vigile, {good}, chat")), &opened("chat"))?;
    same(&stage.opens("/ws", &format!("chat, vigile,{good}")), &opened("vigile"))?;
    same(&stage.opens("/ws", &format!("vigile, {past}")), &Err("401".to_owned()))?;
    same(&stage.opens("/ws", &format!("vigile, {good}, {good}")), &Err("400".to_owned()))?;
    same(&stage.opens("/ws", "vigile"), &Err("401".to_owned()))?;
    let offered = stage.app.offered();
    same(&offered, &[None, Some("chat".to_owned()), Some("chat".to_owned())].to_vec())?;
    Ok(())
}

/// What a page may do, and what it reports: the chosen protocol and the echo, or that it failed.
fn in_a_page() -> Result<(), Failed> {
    let stage = Stage::start(&envoy::newest())?;
    let (good, past) = (token("10m"), token("-1m"));
    let tries = json!([
        ["/ws", ["vigile", good]],
        ["/ws/chat", ["vigile", good, "chat"]],
        ["/ws", ["vigile", past]],
        ["/open/ws", ["chat"]],
        ["/open/ws", ["vigile"]],
    ]);
    stage.app.0.lock().unwrap().page =
        format!("<script>{}</script>", SCRIPT.replace("TRIES", &tries.to_string()));
    let browser = Headless::open(&format!("http://{}/open/page", stage.gate));
    let said = stage.app.said();
    drop(browser);
    let expected =
        json!([["vigile", "hello"], ["chat", "hello"], "failed", "failed", ["vigile", "hello"]]);
    same(&said, &Some(expected))?;
    let seen = stage.app.offered();
    let chat = || Some("chat".to_owned());
    same(&seen, &[None, chat(), chat(), None].to_vec())?;
    Ok(())
}

/// One handshake after the other, so that the app sees them in their order.
const SCRIPT: &str = "
const open = ([path, offer]) => new Promise((done) => {
    const socket = new WebSocket(`ws://${location.host}${path}`, offer);
    socket.onopen = () => socket.send('hello');
    socket.onmessage = (message) => done([socket.protocol, message.data]);
    socket.onerror = () => done('failed');
});
(async () => {
    const said = [];
    for (const one of TRIES) said.push(await open(one));
    await fetch('/open/said?' + encodeURIComponent(JSON.stringify(said)));
})();
";

/// An app with websockets: what it was offered, and what its page reports.
#[derive(Clone, Default)]
struct App(Arc<Mutex<Seen>>);

#[derive(Default)]
struct Seen {
    page: String,
    offered: Vec<Option<String>>,
    said: Option<Value>,
}

impl App {
    fn start() -> (Self, SocketAddr) {
        let app = Self::default();
        let router =
            Router::new()
                .route(
                    "/open/page",
                    get(|State(app): State<Self>| async move {
                        Html(app.0.lock().unwrap().page.clone())
                    }),
                )
                .route("/open/said", get(told))
                .fallback(any(socket))
                .with_state(app.clone());
        let (send, receive) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
                send.send(listener.local_addr().unwrap()).unwrap();
                axum::serve(listener, router).await.unwrap();
            });
        });
        (app, receive.recv().unwrap())
    }

    fn offered(&self) -> Vec<Option<String>> {
        self.0.lock().unwrap().offered.clone()
    }

    /// What the page reports, once it has.
    fn said(&self) -> Option<Value> {
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            if let Some(said) = self.0.lock().unwrap().said.take() {
                return Some(said);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        None
    }
}

async fn told(State(app): State<App>, request: Request) {
    let query = request.uri().query().unwrap_or_default();
    let text = percent_encoding::percent_decode_str(query).decode_utf8_lossy();
    app.0.lock().unwrap().said = serde_json::from_str(&text).ok();
}

/// It chooses `chat` on `/ws/chat`, and elsewhere none.
async fn socket(State(app): State<App>, upgrade: WebSocketUpgrade, request: Request) -> Response {
    let offered = request.headers().get("sec-websocket-protocol");
    let offered = offered.map(|offered| offered.to_str().unwrap().to_owned());
    app.0.lock().unwrap().offered.push(offered);
    let upgrade = match request.uri().path() {
        "/ws/chat" => upgrade.protocols(["chat"]),
        _ => upgrade,
    };
    upgrade.on_upgrade(echo).into_response()
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message @ Message::Text(_))) = socket.recv().await {
        if socket.send(message).await.is_err() {
            return;
        }
    }
}
