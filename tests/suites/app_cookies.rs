//! `embed.app_cookies` in a real Chromium: an app that logs its visitors in by a cookie, in a frame of
//! another site. Chromium takes `*.localhost` for sites of their own, and for secure ones.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Html;
use axum::routing::{get, post};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use vigile_tests::case::Recipe;
use vigile_tests::envoy::{self, Envoy};
use vigile_tests::gate::same;
use vigile_tests::headless::Headless;
use vigile_tests::keys::RING;
use vigile_tests::tools;

fn main() {
    let arguments = Arguments::from_args();
    let trial = match tools::program("chromium", "chromium") {
        Ok(_) => Trial::test("live_in_a_frame", live_in_a_frame),
        Err(reason) => tools::skipped("live_in_a_frame", reason),
    };
    libtest_mimic::run(&arguments, vec![trial]).exit();
}

/// With the key the app's cookies come back in the frame; without it they do not, so the trial can fail.
fn live_in_a_frame() -> Result<(), Failed> {
    let (app, upstream) = start();
    let port = envoy::free_port();
    let environment = RING.environment();
    let route = json!({ "match": { "prefix": "/" }, "route": { "cluster": "app" } });
    let filter = envoy::vigile(&envoy::as_struct(&policy(port)), &environment);
    let listener = envoy::listener("gate", port, &filter, &route);
    let config = envoy::bootstrap(&[listener], &[envoy::cluster("app", upstream)]);
    let _envoy = Envoy::start(&envoy::newest(), &config, &environment).map_err(|error| error.0)?;
    let frame = |module: &str| {
        let recipe = Recipe { module: Some(module.into()), ..Recipe::default() };
        let token = RING.mint(&recipe);
        format!("<iframe src='http://{module}.localhost:{port}/?token={token}'></iframe>")
    };
    app.lock().unwrap().page = format!("{}{}", frame("framed"), frame("control"));
    let _browser = Headless::open(&format!("http://iahome.localhost:{port}/page"));
    let said = reports(&app);
    let expected = [("control", ""), ("framed", "id=1; __Host-kept=2")];
    let expected = expected.map(|(name, cookies)| (name.to_owned(), cookies.to_owned()));
    same(&said, &BTreeMap::from(expected))?;
    Ok(())
}

fn policy(port: u16) -> Value {
    let platform = format!("http://iahome.localhost:{port}");
    let module = |name: &str, app_cookies: &str| {
        json!({
            "name": name,
            "hosts": [format!("{name}.localhost")],
            "embed": { "ancestors": [platform], "only": true, "app_cookies": app_cookies },
            "routes": [{ "path": "/**", "token": { "issuer": "iahome" } }],
        })
    };
    json!({
        "vigile": 1,
        "issuers": [{ "name": "iahome", "algorithms": ["HS256"], "keys": [{ "secret": { "env": "IAHOME_JWT_SECRET" } }] }],
        "modules": [
            { "name": "platform", "hosts": ["iahome.localhost"], "routes": [{ "path": "/**", "public": true }] },
            module("framed", "partitioned"),
            module("control", "untouched"),
        ],
    })
}

/// The platform's page, and the cookies that each module's app saw after its login.
#[derive(Default)]
struct Seen {
    page: String,
    said: BTreeMap<String, String>,
}

type App = Arc<Mutex<Seen>>;

const SCRIPT: &str = "<script>(async () => {
    await fetch('/login', { method: 'POST' });
    await fetch('/said');
})()</script>";

fn start() -> (App, SocketAddr) {
    let app = App::default();
    let router = Router::new()
        .route("/", get(async || Html(SCRIPT)))
        .route("/page", get(async |State(app): State<App>| Html(app.lock().unwrap().page.clone())))
        .route("/login", post(login))
        .route("/said", get(told))
        .with_state(app.clone());
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    (app, receive.recv().unwrap())
}

/// As apps do: nothing said of frames. The framed one also writes over the gate's session, and is shut out
/// where that is not dropped.
async fn login(request: Request) -> HeaderMap {
    let mut cookies = vec!["id=1; Path=/; HttpOnly; SameSite=Lax", "__Host-kept=2; Path=/; Secure"];
    if module(&request) == "framed" {
        cookies.push("__Host-vigile-p=planted; Path=/; Secure; SameSite=None; Partitioned");
    }
    let mut headers = HeaderMap::new();
    for cookie in cookies {
        headers.append(SET_COOKIE, HeaderValue::from_static(cookie));
    }
    headers
}

fn module(request: &Request) -> String {
    let host = request.headers()["host"].to_str().unwrap();
    host.split('.').next().unwrap_or_default().to_owned()
}

async fn told(State(app): State<App>, request: Request) {
    let cookies = request.headers().get_all("cookie").iter();
    let cookies: Vec<&str> = cookies.map(|value| value.to_str().unwrap()).collect();
    app.lock().unwrap().said.insert(module(&request), cookies.join("; "));
}

/// What both modules' apps saw, once they have.
fn reports(app: &App) -> BTreeMap<String, String> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while app.lock().unwrap().said.len() < 2 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    app.lock().unwrap().said.clone()
}
