//! Pages of other sites: Envoy's `cors` filter and Vigile's `origins`.

use std::path::Path;

use serde_json::json;
use vigile_tests::caller::Call;
use vigile_tests::cross_origin::{Cors, strangers};
use vigile_tests::envoy::Binary;

use super::stage::{ACCESS, ASSISTANT, CHAT, LOGIN, access, chat, client, login, say};

/// The document's lists.
fn cors(origin: &str) -> Cors<'_> {
    Cors {
        origin,
        methods: "GET, POST, PUT, DELETE, PATCH, OPTIONS",
        headers: "Content-Type, Authorization, Accept, Origin",
    }
}

/// Preflights, and refusals of every kind that a page can read.
pub(crate) fn cross_origin(binary: &Binary, python: &Path) {
    let service = ASSISTANT.start(binary, python);
    let origins = ["ORIGIN", "ADMIN_ORIGIN"].map(|name| ASSISTANT.variable(name));
    for origin in &origins {
        let cors = cors(origin);
        for (method, path) in
            [("POST", "/chat"), ("DELETE", "/admin/users/alice"), ("GET", "/nowhere")]
        {
            cors.preflights(&service, method, path);
        }
        cors.read_by_its_own(&service, 401, say);
        let plain = access("alice");
        cors.read_by_its_own(&service, 403, || Call::get("/admin/users").bearer(&plain));
        cors.read_by_its_own(&service, 404, || Call::get("/nowhere"));
        let empty = || Call::post("/chat", &json!({ "message": "" })).bearer(&plain);
        cors.read_by_its_own(&service, 422, empty);
        cors.read_by_its_own(&service, 405, || Call::get("/chat"));
        cors.read_by_its_own(&service, 200, || Call::get("/auth/me").bearer(&plain));
    }
    assert_eq!(service.asked("POST /chat"), 0);
    // A preflight is no login: none of the five is used up by it.
    let cors = cors(&origins[0]);
    cors.preflights(&service, "POST", "/auth/login");
    LOGIN.exhaust(&service, &login("superuser", "guess").from(client(1)));
    for _ in 0..2 {
        let answer = service.send(&login("superuser", "guess").from(client(1)).origin(&origins[0]));
        if answer.status == 429 {
            answer.has(&[("access-control-allow-origin", &origins[0])]);
        }
    }
    cors.preflights(&service, "POST", "/auth/login");
    CHAT.exhaust(&service, &chat("carol"));
    cors.read_by_its_own(&service, 429, || chat("carol"));
}

/// With the visitor's cookie, only pages of the listed origins may act.
pub(crate) fn forgery(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let by_cookie = |subject: &str| say().cookie(ACCESS, &access(subject));
    for origin in ["ORIGIN", "ADMIN_ORIGIN"].map(|name| ASSISTANT.variable(name)) {
        let answer = service.send(&by_cookie("alice").origin(&origin));
        answer.says(200, None);
        answer.has(&[("access-control-allow-origin", &origin)]);
        for stranger in strangers(&origin).iter().filter(|origin| !origin.is_empty()) {
            service.send(&by_cookie("alice").origin(stranger)).says(403, Some("origin.foreign"));
        }
    }
    assert_eq!(service.asked("POST /chat"), 2);
    service.send(&by_cookie("alice")).says(403, Some("origin.missing"));
    let own = format!("https://{}", ASSISTANT.variable("HOST"));
    service.send(&by_cookie("alice").origin(&own)).says(200, None);
    // A form of another site: no preflight, the cookie with it, and no JSON.
    let form = Call::new("POST", "/chat")
        .with("content-type", "text/plain")
        .body(json!({"message": "x"}).to_string());
    let form = form.cookie(ACCESS, &access("alice")).origin("https://evil.example");
    service.send(&form).says(403, Some("origin.foreign"));
    assert_eq!(service.asked("POST /chat"), 3);
}

/// Other names than the assistant's lead nowhere, and http leads to https without the query.
pub(crate) fn hosts(python: &Path) {
    let service = ASSISTANT.start_newest(python);
    let named = |host: &str| Call::get("/health").with("host", host);
    let own = ASSISTANT.variable("HOST");
    service.send(&named(&own)).says(200, None);
    service.send(&named(&format!("{own}:8443"))).says(200, None);
    for host in [
        "evil.example",
        "127.0.0.1",
        "localhost",
        &format!("{own}.evil.example"),
        &format!("evil.{own}"),
    ] {
        service.send(&named(host)).says(404, Some("module.unknown"));
        let claimed = named(host).with("x-forwarded-host", &own);
        service.send(&claimed).says(404, Some("module.unknown"));
    }
    assert_eq!(service.asked("GET /health"), 2);
    service.send(&named(&own).with("x-forwarded-host", "evil.example")).says(200, None);
    assert!(!service.app_saw().contains("evil.example"), "{}", service.app_saw());
    let http = service.envoy.listener("http");
    let plain =
        |host: &str| service.gate.plain(http, &Call::get("/chat?token=abc").with("host", host));
    // Where 8080 stands for 80, and where it is asked for itself.
    for host in [own.clone(), format!("{own}:8080")] {
        let answer = plain(&host);
        assert_eq!(answer.status, 301, "{answer:?}");
        answer.has(&[("location", &format!("https://{own}:8443/chat"))]);
    }
    assert_eq!(plain("evil.example").status, 404);
}
