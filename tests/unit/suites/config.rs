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
use vigile_unit_tests::head::Head;
use vigile_unit_tests::router::{Arrived, Outcome, Routes, rewritten};
use vigile_unit_tests::unit::Unit;

static GUEST: LazyLock<Guest> = LazyLock::new(|| Guest::load(&component()));

/// The lists of routes, each in its file.
const LISTS: [(&str, &str); 2] = [("config.json", "stable-diffusion"), ("two-hops.json", "ocr")];

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
    wrong["routes"]["stable-diffusion"][0]["match"]["path"] = json!("/");
    wrong["settings"]["http"]["max_body"] = json!(1);
    let found = unknown_members(&wrong);
    let wanted = [
        "/settings/http/max_body",
        "/routes/stable-diffusion/0/match/path",
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
        let lists = config["routes"].as_object().unwrap().values();
        for route in lists.flat_map(|list| list.as_array().unwrap()) {
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

fn lets_pass(routes: &Routes, host: &str, target: &[u8]) -> bool {
    let peer = [203, 0, 113, 1].into();
    matches!(routes.outcome(&Arrived { method: "GET", host, target, peer }), Outcome::Pass(_))
}

/// A target that a stock Unit does not survive never comes to the application.
#[test]
fn routes_stop_what_unit_does_not_survive() {
    for (file, name) in LISTS {
        let routes = Routes::read(&config(file, &[])["routes"][name]);
        for byte in 0..=255u8 {
            let before = [&b"/a"[..], b"/?a"];
            let raw = before.map(|before| [before, &[byte], b"b"].concat());
            let escaped = [format!("/a%{byte:02x}b"), format!("/?a%{byte:02x}b")];
            for target in raw.into_iter().chain(escaped.map(String::into_bytes)) {
                // Unit's parser refuses these three.
                let head = [b"GET ", &target[..], b" HTTP/1.1"].concat();
                let is_read = !target.iter().any(|byte| b"\0\r\n".contains(byte));
                if is_read && lets_pass(&routes, SITE, &target) {
                    let shown = target.escape_ascii();
                    assert!(Head::of(&head).unwrap().is_survived(), "{file}: {shown}");
                }
            }
        }
        for strange in ["a_b", "a b", "a\"", "\u{e9}", "[::1]", ""] {
            assert!(!lets_pass(&routes, strange, b"/"), "{file}: {strange:?}");
        }
    }
}

/// Routes see a query and a path decoded: what they refuse raw they refuse escaped too. More is not refused.
#[test]
fn what_routes_let_pass_is_what_the_readme_says() {
    for (file, name) in LISTS {
        let routes = Routes::read(&config(file, &[])["routes"][name]);
        let is_two_hops = file == "two-hops.json";
        for (target, passes) in [
            ("/?ids%5B%5D=1", true),
            ("/?ids[]=1", true),
            ("/?q=caf%C3%A9", true),
            ("/?q=%7B%7C%7D", true),
            ("/?q=one%0Atwo", true),
            ("/?q=a%20b", false),
            ("/?q=a+b", false),
            ("/?q=%22", false),
            ("/?q=%3C", false),
            ("/?q=%FF", false),
            ("/?q=%09", false),
            ("/caf%C3%A9.png", !is_two_hops),
            ("/photo%5B1%5D.png", !is_two_hops),
            ("/a%20b.png", false),
            ("/a%FF.png", false),
            ("/a%7F.png", false),
        ] {
            assert_eq!(lets_pass(&routes, SITE, target.as_bytes()), passes, "{file}: {target}");
        }
    }
}

/// The router ends an answer that broke off, and not before the component has said 504.
#[test]
fn unit_waits_for_the_component_and_the_component_for_unit() {
    for (file, name) in LISTS {
        let config = config(file, &[]);
        let application = &config["applications"][name];
        let timeout = application["environment"]["VIGILE_TIMEOUT"].as_str().unwrap();
        let timeout: u64 = timeout.parse().unwrap();
        let limit = application["limits"]["timeout"].as_u64().unwrap();
        assert!((timeout + 5..timeout + 60).contains(&limit), "{file}: {timeout}, {limit}");
    }
}

/// Whatever a caller asks for, the second hop reads his own address first.
#[test]
fn nobody_chooses_his_address() {
    let config = config("two-hops.json", &[]);
    let routes = Routes::read(&config["routes"]["ocr"]);
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
        let host = "a.example.org";
        let arrived = Arrived { method: "GET", host, target: target.as_bytes(), peer };
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
    let public = ("UNIT_PUBLIC_PORT", "8443");
    let config = config("config.json", &[(host.0, &host.1), (port.0, &port.1), public]);
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
    assert_eq!((answer.status, answer.header("location")), (303, Some("/?vigile-opened")));
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    assert!(answer.header("set-cookie").unwrap().contains("Secure"));
    let mut answer = to("GET /", &[&format!("cookie: {cookie}")]);
    assert_eq!((answer.status, answer.rest()), (200, b"from the app".to_vec()));
    // The page's own calls: the module's origin has the port that browsers ask for.
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
        let policy = policy("ocr", &["--host", "unit-two-hops", "--module", "ocr"]);
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
