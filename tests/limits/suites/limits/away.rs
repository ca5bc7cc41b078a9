//! Nobody counts: the service or its Redis is away. By address a request is refused then, by caller it passes.

use std::path::Path;

use serde_json::json;
use vigile_limits_tests::nodes::Call;

use super::stage::Stage;
use super::told;

/// What README.md tells to watch.
const REFUSED: &str = "cluster.app.ratelimit.by_address.error";
const PASSED: &str = "cluster.app.ratelimit.by_caller.failure_mode_allowed";

pub(crate) fn service(redis: &Path) {
    let mut stage = Stage::patient(redis);
    assert_eq!(stage.nodes.in_turn(&Call::login(), 3), [200; 3]);
    assert_eq!(stage.nodes.in_turn(&Call::chat("alice"), 19), [200; 19]);
    stage.service.stop();
    nobody_counts(&stage);
    stage.service.start_again();
    // The counts stood in Redis meanwhile: two logins are left, and one chat.
    stage.nodes.until(&Call::chat("a probe"), 200);
    counts_again(&stage);
    assert_eq!(stage.nodes.in_turn(&Call::login(), 4), [200, 200, 429, 429]);
    assert_eq!(stage.nodes.in_turn(&Call::chat("alice"), 3), [200, 429, 429]);
}

/// Redis keeps nothing on disk here: its counts begin anew, and nothing else is to be done.
pub(crate) fn redis_restarts(redis: &Path) {
    let mut stage = Stage::patient(redis);
    assert_eq!(stage.nodes.in_turn(&Call::login(), 6), [200, 200, 200, 200, 200, 429]);
    stage.redis.stop();
    nobody_counts(&stage);
    stage.redis.start_again();
    counts_again(&stage);
    assert_eq!(stage.nodes.in_turn(&Call::login(), 6), [200, 200, 200, 200, 200, 429]);
}

/// It is there and does not answer: the filters' `timeout` ends the wait.
pub(crate) fn redis_hangs(redis: &Path) {
    let stage = Stage::patient(redis);
    assert_eq!(stage.nodes.in_turn(&Call::login(), 2), [200; 2]);
    stage.redis.pause();
    nobody_counts(&stage);
    stage.redis.resume();
    counts_again(&stage);
}

/// What the sample does not choose: each filter can do the other thing.
pub(crate) fn turned_round(redis: &Path) {
    let mut stage = Stage::turned_round(redis);
    stage.service.stop();
    assert_eq!(stage.nodes.in_turn(&Call::login(), 8), [200; 8]);
    // Without `status_on_error` the status is Envoy's own.
    assert_eq!(stage.nodes.in_turn(&Call::chat("alice"), 2), [500; 2]);
    assert_eq!(stage.nodes.in_turn(&Call::post("/api/v1/models").by("alice"), 2), [200; 2]);
}

fn nobody_counts(stage: &Stage) {
    let before = stage.nodes.reached_the_app();
    let [refused, passed] = [REFUSED, PASSED].map(|name| stage.nodes.counted(name));
    for node in [0, 1] {
        for call in [Call::login(), Call::register()] {
            let answer = stage.nodes.send(node, &call);
            assert_eq!(answer.status, 503, "{answer:?}");
            let message = "Limits cannot be counted now. Try again in a moment";
            let said = json!({ "detail": { "error": "Service unavailable", "message": message } });
            assert_eq!(answer.json(), said);
            told::refuses_well(&answer);
        }
    }
    assert_eq!(stage.nodes.reached_the_app(), before, "a login went by uncounted");
    assert_eq!(stage.nodes.in_turn(&Call::chat("alice"), 24), [200; 24]);
    assert_eq!(stage.nodes.counted(REFUSED), refused + 4);
    assert_eq!(stage.nodes.counted(PASSED), passed + 24);
    // Vigile is asked all the same.
    assert_eq!(stage.nodes.in_turn(&Call::post("/api/v1/chat"), 2), [401; 2]);
}

/// Both nodes have found the service again: by address they refuse nobody for its absence, and by caller they
/// count.
fn counts_again(stage: &Stage) {
    stage.nodes.until(&Call::login().from(99), 200);
    assert_eq!(stage.nodes.in_turn(&Call::chat("dora"), 20), [200; 20]);
    assert_eq!(stage.nodes.in_turn(&Call::chat("dora"), 2), [429; 2]);
}
