//! Pages: the listed origin, the security headers, the plain listener; and what the log says.

use std::path::Path;

use vigile_tests::caller::Call;
use vigile_tests::envoy::Binary;

use super::stage::{
    COOKIE, LOGIN, ORCHESTRATOR, PASSWORD, client, cors, execute, login, say, token,
};

/// Preflights, and refusals that the listed page can read and no other.
pub(crate) fn cross_origin(binary: &Binary, python: &Path) {
    let service = ORCHESTRATOR.start(binary, python);
    let origin = ORCHESTRATOR.variable("ORIGIN");
    let cors = cors(&origin);
    for (method, path) in [("POST", "/api/v1/chat"), ("POST", "/api/v1/tools/apt_update/execute")] {
        cors.preflights(&service, method, path);
    }
    let viewer = token("vic", "viewer");
    cors.read_by_its_own(&service, 401, say);
    cors.read_by_its_own(&service, 403, || execute("apt_update").bearer(&viewer));
    let admin = token("ada", "admin");
    cors.read_by_its_own(&service, 428, || execute("apt_update").bearer(&admin));
    cors.read_by_its_own(&service, 405, || Call::get("/api/v1/chat"));
    LOGIN.exhaust(&service, &login("admin", "guess").from(client(9)));
    cors.preflights(&service, "POST", "/api/v1/auth/login");
    let by_cookie = say().cookie(COOKIE, &viewer);
    service.send(&by_cookie.clone().origin(&origin)).says(200, None);
    service.send(&by_cookie.origin("https://evil.example")).says(403, Some("origin.foreign"));
}

/// The document's table, on every answer; and nobody says what runs behind.
pub(crate) fn headers(python: &Path) {
    let service = ORCHESTRATOR.start_newest(python);
    let viewer = token("vic", "viewer");
    for call in [
        Call::get("/"),
        Call::get("/health"),
        say().bearer(&viewer),
        say(),
        execute("apt_update").bearer(&viewer),
        Call::get("/nowhere"),
    ] {
        let answer = service.send(&call);
        answer.has(&[
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("x-xss-protection", "1; mode=block"),
            ("x-robots-tag", "noindex,nofollow"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
            ("server", ""),
            ("x-powered-by", ""),
            ("x-envoy-upstream-service-time", ""),
        ]);
    }
    let page = service.send(&Call::get("/"));
    page.has(&[("content-security-policy", "default-src 'self'")]);
    assert!(page.body.contains("AI Orchestrator"), "{page:?}");
    let own = ORCHESTRATOR.variable("HOST");
    let http = service.envoy.listener("http");
    for host in [own.clone(), format!("{own}:8080")] {
        let plain = service.gate.plain(http, &Call::get("/api/v1/chat?a=b").with("host", &host));
        assert_eq!(plain.status, 301, "{plain:?}");
        plain.has(&[("location", &format!("https://{own}:8443/api/v1/chat"))]);
    }
    service.send(&Call::get("/").with("host", "evil.example")).says(404, Some("module.unknown"));
}

/// The document's events: logins and their failure, refusals, limits, tools. In each the user and address.
pub(crate) fn events(python: &Path) {
    let service = ORCHESTRATOR.start_newest(python);
    let failed = LOGIN.exhaust(&service, &login("admin", "guess").from(client(3)));
    let good = service.send(&login("admin", PASSWORD).from(client(4)));
    let cookie = good.cookie(COOKIE).unwrap();
    service.send(&execute("disk_usage").bearer(&cookie).from(client(4)));
    service.send(&execute("apt_update").bearer(&token("vic", "viewer")).from(client(5)));
    // Login, and how it ended: in the access log.
    let logins = service.access_log(failed.len() + 2, |line| line["path"] == "/api/v1/auth/login");
    let of =
        |status: u16| logins.iter().filter(|line| line["status"] == status).collect::<Vec<_>>();
    assert_eq!(of(401).len(), failed.len());
    assert!(of(401).iter().all(|line| line["client"] == "127.2.0.3"), "{logins:#?}");
    assert_eq!(of(200)[0]["client"], "127.2.0.4");
    // A limit: who met it.
    let limited = of(429)[0];
    assert_eq!(
        [&limited["details"], &limited["flags"], &limited["client"]],
        ["local_rate_limited", "RL", "127.2.0.3"]
    );
    // A tool, and a refusal: in the audit lines.
    let tool = &service.audit_log(1, |line| line["path"] == "/api/v1/tools/disk_usage/execute")[0];
    assert_eq!(
        [&tool["event"], &tool["level"], &tool["user"], &tool["ip"]],
        ["request.allowed", "INFO", "admin", "127.2.0.4"]
    );
    let refused = &service.audit_log(1, |line| line["reason"] == "token.roles")[0];
    assert_eq!(
        [&refused["event"], &refused["level"], &refused["user"], &refused["role"], &refused["ip"]],
        ["request.refused", "WARNING", "vic", "viewer", "127.2.0.5"]
    );
    for log in [service.envoy.printed(), service.envoy.logged()] {
        assert!(!log.contains(&cookie) && !log.contains(PASSWORD), "{log}");
    }
}
