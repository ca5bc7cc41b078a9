//! What callers are told of a limit.

use std::path::Path;

use serde_json::json;
use vigile_limits_tests::nodes::{Answer, Call};

use super::stage::Stage;

pub(crate) fn by_headers(redis: &Path) {
    tells(&Stage::new(redis), |limit, window, name| {
        format!("{limit}, {limit};w={window};name=\"{name}\"")
    });
}

pub(crate) fn by_statuses(redis: &Path) {
    tells(&Stage::with_statuses(redis), |limit, window, _| format!("{limit}, {limit};w={window}"));
}

fn tells(stage: &Stage, quota: impl Fn(u64, u64, &str) -> String) {
    for (call, limit, window, name) in [
        (Call::login(), 5, 60, "login"),
        (Call::register(), 3, 3600, "register"),
        (Call::chat("alice"), 20, 60, "chat"),
        (Call::post("/api/v1/tools/search/execute").by("alice"), 10, 60, "tools"),
        (Call::post("/api/v1/analyze").by("alice"), 10, 86400, "analyses"),
    ] {
        let send = |time: u64| stage.nodes.send(time as usize % 2, &call);
        let mut reset = window;
        for time in 1..=limit {
            let answer = send(time);
            assert_eq!(answer.status, 200, "{answer:?}");
            assert_eq!(answer.number("x-ratelimit-remaining"), limit - time);
            assert_eq!(answer.header("retry-after"), None, "{answer:?}");
            reset = tells_of(&answer, &quota(limit, window, name), reset);
        }
        let answer = send(0);
        assert_eq!(answer.status, 429, "{answer:?}");
        assert_eq!(answer.number("x-ratelimit-remaining"), 0);
        let reset = tells_of(&answer, &quota(limit, window, name), reset);
        assert_eq!(answer.number("retry-after"), reset, "{answer:?}");
        let message = format!("Try again in {reset} seconds");
        let said = json!({ "detail": { "error": "Too many requests", "message": message } });
        assert_eq!(answer.json(), said);
        refuses_well(&answer);
    }
}

/// The limit, and a window whose end comes nearer: the seconds until then.
fn tells_of(answer: &Answer, quota: &str, before: u64) -> u64 {
    assert_eq!(answer.header("x-ratelimit-limit").as_deref(), Some(quota), "{answer:?}");
    let reset = answer.number("x-ratelimit-reset");
    assert!(reset <= before, "{reset} seconds, and {before} before");
    reset
}

/// What holds of every answer of the two filters.
pub(crate) fn refuses_well(answer: &Answer) {
    assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"), "{answer:?}");
    assert_eq!(answer.header("x-content-type-options").as_deref(), Some("nosniff"), "{answer:?}");
    assert_eq!(answer.header("x-envoy-ratelimited"), None, "{answer:?}");
}
