//! The configurations of `nginx-unit/`: what they say is Unit's to say, and they do what they are there for.

use std::sync::LazyLock;

use serde_json::{Value, json};
use vigile_tests::app::App;
use vigile_tests::case;
use vigile_tests::keys::{RING, SERVICE_API_KEY};
use vigile_unit_tests::client::{ask, ask_of};
use vigile_unit_tests::config::{LOGGED, application, files, policy, rendered, unknown_members};
use vigile_unit_tests::corpus::component;
use vigile_unit_tests::guest::Guest;
use vigile_unit_tests::router::{Arrived, Outcome, Routes, rewritten};
use vigile_unit_tests::unit::Unit;

static GUEST: LazyLock<Guest> = LazyLock::new(|| Guest::load(&component()));

/// Of `.env.example`.
const SITE: &str = "stablediffusion.regispailler.fr";

fn config(file: &str, more: &[(&str, &str)]) -> Value {
    let secret = &RING.environment()["IAHOME_JWT_SECRET"];
    let secrets = [
        ("IAHOME_JWT_SECRET", secret.as_str()),
        ("SERVICE_API_KEY", SERVICE_API_KEY),
        ("OPENAI_API_KEY", "made-for-the-tests"),
    ];
    rendered(file, &[&secrets, more].concat())
}

#[test]
fn every_member_is_one_that_unit_knows() {
    assert_eq!(files(), ["config.json", "two-hops.json"]);
    for file in files() {
        assert_eq!(unknown_members(&config(&file, &[])), Vec::<String>::new(), "{file}");
    }
    let mut wrong = config("config.json", &[]);
    wrong["applications"]["stable-diffusion"]["enviroment"] = json!({});
    wrong["routes"][0]["match"]["path"] = json!("/");
    wrong["settings"]["http"]["max_body"] = json!(1);
    let found = unknown_members(&wrong);
    let wanted = [
        "/settings/http/max_body",
        "/routes/0/match/path",
        "/applications/stable-diffusion/enviroment",
    ];
    for path in wanted {
        assert!(found.iter().any(|found| found == path), "{path}: {found:?}");
    }
}

#[test]
fn what_is_named_is_there() {
    for file in files() {
        let config = config(&file, &[]);
        for (_, listener) in config["listeners"].as_object().unwrap() {
            let pass = format!("/{}", listener["pass"].as_str().unwrap());
            assert!(config.pointer(&pass).is_some(), "{file}: {pass}");
        }
        let lists = match &config["routes"] {
            Value::Object(lists) => lists.values().collect(),
            list => vec![list],
        };
        for route in lists.into_iter().flat_map(|list| list.as_array().unwrap()) {
            let action = &route["action"];
            if let Some(pass) = action.get("pass").and_then(Value::as_str) {
                assert!(config.pointer(&format!("/{pass}")).is_some(), "{file}: {pass}");
            }
            if let Some(proxy) = action.get("proxy").and_then(Value::as_str) {
                let socket = proxy.strip_prefix("http://").unwrap();
                assert!(config["listeners"].get(socket).is_some(), "{file}: {socket}");
            }
        }
    }
}

#[test]
fn the_access_log_tells_no_query() {
    for file in files() {
        let config = config(&file, &[]);
        let format = config["access_log"]["format"].as_str().unwrap();
        for word in format.split(' ') {
            assert!(LOGGED.contains(&word), "{file}: {word}");
        }
    }
}

/// What aborts a stock Unit never comes to the application, nor by two hops what is read twice.
#[test]
fn routes_stop_what_unit_does_not_survive() {
    for file in files() {
        let config = config(&file, &[]);
        let routes = routes(&config);
        let host = SITE;
        let outcome = |host: &str, target: &str| {
            let peer = [203, 0, 113, 1].into();
            routes.outcome(&Arrived { method: "GET", host, target, peer })
        };
        let passes = |target: &str| matches!(outcome(host, target), Outcome::Pass(_));
        // A space that is escaped stays so by one hop.
        let (no_path, one_hop) = match file.as_str() {
            "two-hops.json" => (&b"%?#"[..], false),
            _ => (&b""[..], true),
        };
        for byte in 0..=255u8 {
            let raw = char::from(byte);
            let stopped = !byte.is_ascii_graphic() || b"\"<>[\\]^`{|}".contains(&byte);
            assert_eq!(passes(&format!("/?a{raw}b")), !stopped, "{file}: {raw:?} in a query");
            let stopped = (stopped && !(byte == b' ' && one_hop)) || no_path.contains(&byte);
            assert_eq!(passes(&format!("/a%{byte:02x}b")), !stopped, "{file}: {raw:?} in a path");
        }
        for strange in ["a_b", "a b", "a\"", "\u{e9}", "[::1]", ""] {
            let is_stopped =
                matches!(outcome(strange, "/"), Outcome::Return(status) if status == 400);
            assert!(is_stopped, "{file}: {strange:?}");
        }
    }
}

fn routes(config: &Value) -> Routes {
    match &config["routes"] {
        Value::Object(lists) => Routes::read(&lists["front"]),
        list => Routes::read(list),
    }
}

/// Whatever a caller asks for, the second hop reads his own address first.
#[test]
fn nobody_chooses_his_address() {
    let config = config("two-hops.json", &[]);
    let routes = routes(&config);
    let escape = |text: &str, byte: char, by: &str| text.replace(byte, by);
    let ups =
        ["/../192.0.2.10/v1", "/a/../../192.0.2.10/v1", "/./..//192.0.2.10/v1", "/..", "/../"];
    let mut targets: Vec<String> = ups.map(str::to_owned).to_vec();
    for _ in 0..4 {
        let more = targets.iter().flat_map(|target| {
            let (first, rest) = target.split_at(1);
            let dots = escape(rest, '.', "%2e");
            let all = escape(&escape(&escape(rest, '%', "%25"), '.', "%2E"), '/', "%2f");
            [dots, all, escape(rest, '%', "%25")].map(|rest| format!("{first}{rest}"))
        });
        let more: Vec<String> = more.collect();
        targets.extend(more);
        targets.sort();
        targets.dedup();
    }
    targets.extend(
        ["/?/../192.0.2.10", "/x?a=/../../192.0.2.10", "/x%3f/../../192.0.2.10"].map(str::to_owned),
    );
    let mut passed = 0;
    for target in &targets {
        let peer = [203, 0, 113, 1].into();
        let arrived = Arrived { method: "GET", host: "a.example.org", target, peer };
        if let Outcome::Pass(action) = routes.outcome(&arrived) {
            let sent = String::from_utf8(rewritten(&action, &arrived).unwrap()).unwrap();
            assert!(sent.starts_with("/203.0.113.1/"), "{target} became {sent}");
            passed += 1;
        }
    }
    assert!(passed > 5 && passed < targets.len(), "{passed} of {} came through", targets.len());
}

fn upstream(app: &std::net::SocketAddr, prefix: &'static str) -> [(&'static str, String); 2] {
    let names = match prefix {
        "OCR" => ["OCR_UPSTREAM_HOST", "OCR_UPSTREAM_PORT"],
        _ => ["STABLE_DIFFUSION_UPSTREAM_HOST", "STABLE_DIFFUSION_UPSTREAM_PORT"],
    };
    [(names[0], app.ip().to_string()), (names[1], app.port().to_string())]
}

#[test]
fn stable_diffusion_opens_in_its_frame_alone() {
    let (_app, address) = App::start();
    let [host, port] = upstream(&address, "STABLE_DIFFUSION");
    let config = config("config.json", &[(host.0, &host.1), (port.0, &port.1)]);
    let policy = policy("stable-diffusion", &[]);
    let files = [("stable-diffusion.json", policy.as_str())];
    let unit = Unit::start(&GUEST, application(&config, "stable-diffusion", "/etc/vigile", &files));
    let recipe = case::Recipe { module: Some("stablediffusion".into()), ..case::Recipe::default() };
    let token = RING.mint(&recipe);
    let to = |first: &str, lines: &[&str]| {
        let frame =
            ["sec-fetch-dest: iframe", "sec-fetch-mode: navigate", "sec-fetch-site: cross-site"];
        let host = ["connection: close"];
        let all = [&[first][..], &frame, &host, lines].concat();
        ask_of(unit.address(), SITE, &all).answer()
    };
    let answer = to(&format!("GET /?token={token}"), &[]);
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert!(answer.header("set-cookie").unwrap().contains("Secure"));
    let mut answer = to("GET /", &[&format!("cookie: {cookie}")]);
    assert_eq!((answer.status, answer.rest()), (200, b"from the app".to_vec()));
    // The page's own calls: the module's origin has the port of `.env.example`.
    let call = |port: &str| {
        let origin = format!("origin: https://{SITE}{port}");
        let session = format!("cookie: {cookie}");
        let lines = ["POST /run/predict", "content-length: 0", "connection: close"];
        let lines = [&lines[..], &[&session, &origin]].concat();
        ask_of(unit.address(), SITE, &lines).answer()
    };
    assert_eq!(call(":8443").status, 200);
    assert_eq!(call("").header("vigile-reason"), Some("origin.foreign"));
    assert_eq!(to("GET /", &[]).header("vigile-reason"), Some("token.missing"));
    assert_eq!(to("GET /monitoring", &[&format!("cookie: {cookie}")]).status, 403);
    let elsewhere = ask(unit.address(), &["GET /", "connection: close"]).answer();
    assert_eq!(elsewhere.status, 404, "another host");
}

#[test]
fn ocr_is_for_its_addresses_alone() {
    let (_app, address) = App::start();
    let [host, port] = upstream(&address, "OCR");
    let ask_from = |allowed: &str| {
        let more = [(host.0, &*host.1), (port.0, &*port.1), ("ALLOWED_IPS", allowed)];
        let config = config("two-hops.json", &more);
        let policy = policy("ocr", &["--two-hops", "--module", "ocr"]);
        let files = [("ocr.json", policy.as_str())];
        let unit = Unit::start(&GUEST, application(&config, "ocr", "/etc/vigile", &files));
        let key = format!("authorization: Bearer {SERVICE_API_KEY}");
        let lines = ["POST /v1/scan", &key, "content-length: 0", "connection: close"];
        let answer = ask(unit.address(), &lines).answer();
        assert_ne!(answer.status, 503, "{}", unit.log());
        (answer.status, answer.header("vigile-reason").map(str::to_owned))
    };
    assert_eq!(ask_from("192.0.2.10"), (403, Some("address.not_allowed".into())));
    let (_, reason) = ask_from("127.0.0.1");
    assert_eq!(reason, None);
}
