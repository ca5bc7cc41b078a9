//! A limit that another spelling of a path, a header or a method could pass is none.

use std::path::Path;

use vigile_limits_tests::nodes::Call;

use super::stage::Stage;

/// Ways to write a limited path that an app may read as that path.
fn spellings(path: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').unwrap();
    let (first, rest) = name.split_at(1);
    let upper = first.to_uppercase();
    vec![
        path.to_owned(),
        format!("{path}/"),
        format!("{path}//"),
        format!("{path}/."),
        format!("{path}?next=/"),
        format!("{path};a=b"),
        format!("{path}%2F"),
        format!("{path}%3Fa"),
        // Python's `$` stands before a final newline too: FastAPI reads it as the path.
        format!("{path}%0A"),
        format!("{path}%250a"),
        format!("/{path}"),
        format!("{folder}//{name}"),
        format!("{folder}/./{name}"),
        format!("{folder}/x/../{name}"),
        format!("{folder}/x/..%2F{name}"),
        format!("{folder}/x/%2e%2e/{name}"),
        format!("{folder}/x/..;/{name}"),
        format!("{folder}%2F{name}"),
        format!("{folder}\\{name}"),
        format!("{folder}/{upper}{rest}"),
        format!("{folder}/%{:02x}{rest}", first.as_bytes()[0]),
        format!("{folder}/%25{:02x}{rest}", first.as_bytes()[0]),
        path.to_uppercase(),
    ]
}

/// Whatever is sent, the app gets no more requests than the limit says: each spelling is counted, or refused.
pub(crate) fn no_bypass(redis: &Path) {
    let stage = Stage::patient(redis);
    let reached = || stage.nodes.reached_the_app();
    for (path, user, limit) in [
        ("/api/v1/auth/login", None, 5),
        ("/api/v1/auth/register", None, 3),
        ("/api/v1/chat", Some("alice"), 20),
        ("/api/v1/tools/search/execute", Some("alice"), 10),
        ("/api/v1/analyze", Some("alice"), 10),
    ] {
        let before = reached();
        for spelling in spellings(path) {
            let call = Call::post(&spelling);
            let call = user.iter().fold(call, |call, user| call.by(user));
            let statuses = stage.nodes.in_turn(&call, 6);
            let known = |status: &u16| [200, 400, 401, 404, 405, 429].contains(status);
            assert!(statuses.iter().all(known), "{spelling}: {statuses:?}");
        }
        let passed = reached() - before;
        assert!(passed <= limit, "{passed} requests for {path} reached the app, not {limit}");
        assert!(passed > 0, "{path} is never served");
    }
}

/// What a client says of its limit, of itself or of its method changes nothing.
pub(crate) fn no_forgery(redis: &Path) {
    let stage = Stage::patient(redis);
    let forged = |number: usize| {
        Call::login()
            .with("x-limit", &format!("other-{number}"))
            .with("x-user-id", &format!("user-{number}"))
            .with("x-forwarded-for", &format!("203.0.113.{number}"))
            .with("x-real-ip", &format!("203.0.113.{number}"))
            .with("x-envoy-external-address", &format!("203.0.113.{number}"))
            .with("x-http-method-override", "GET")
    };
    let sent = |call: &dyn Fn(usize) -> Call, times: usize| -> Vec<u16> {
        (0..times).map(|number| stage.nodes.send(number % 2, &call(number)).status).collect()
    };
    assert_eq!(sent(&forged, 7), [200, 200, 200, 200, 200, 429, 429]);
    let forged = |number: usize| {
        Call::chat("alice")
            .with("x-limit", &format!("other-{number}"))
            .with("x-user-id", &format!("user-{number}"))
            .with("x-forwarded-for", &format!("203.0.113.{number}"))
    };
    let statuses = sent(&forged, 22);
    assert_eq!(statuses[..20], [200; 20]);
    assert_eq!(statuses[20..], [429; 2]);
}
