//! Two nodes share one quota.

use std::path::Path;

use vigile_limits_tests::nodes::Call;

use super::stage::Stage;

pub(crate) fn logins(redis: &Path) {
    let stage = Stage::new(redis);
    assert_eq!(stage.nodes.in_turn(&Call::login(), 5), [200; 5]);
    assert_eq!(stage.nodes.in_turn(&Call::login(), 2), [429; 2], "the sixth, on either node");
    // Another address, and what else the first one does, are unaffected.
    assert_eq!(stage.nodes.in_turn(&Call::login().from(2), 5), [200; 5]);
    assert_eq!(stage.nodes.in_turn(&Call::login().from(2), 2), [429; 2]);
    assert_eq!(stage.nodes.in_turn(&Call::register(), 2), [200; 2]);
    assert_eq!(stage.nodes.in_turn(&Call::chat("alice"), 2), [200; 2]);
    assert_eq!(stage.nodes.reached_the_app(), 14, "no refused request did");
}

pub(crate) fn registrations(redis: &Path) {
    let stage = Stage::patient(redis);
    assert_eq!(stage.nodes.in_turn(&Call::register(), 5), [200, 200, 200, 429, 429]);
    assert_eq!(stage.nodes.reached_the_app(), 3);
}

pub(crate) fn chats(redis: &Path) {
    let stage = Stage::patient(redis);
    assert_eq!(stage.nodes.in_turn(&Call::chat("alice"), 20), [200; 20]);
    assert_eq!(stage.nodes.in_turn(&Call::chat("alice"), 2), [429; 2], "the 21st, on either node");
    // It is the caller who is counted: from elsewhere she is the same, and her neighbour is not she.
    assert_eq!(stage.nodes.in_turn(&Call::chat("alice").from(3), 2), [429; 2]);
    assert_eq!(stage.nodes.in_turn(&Call::chat("bob"), 2), [200; 2]);
    // What Vigile refuses is not counted by caller: nobody was proven.
    let nobody = Call::post("/api/v1/chat").with("x-user-id", "carol").with("x-limit", "chat");
    assert_eq!(stage.nodes.in_turn(&nobody, 22), [401; 22]);
    assert_eq!(stage.nodes.in_turn(&Call::chat("carol"), 20), [200; 20]);
}

pub(crate) fn tools_and_analyses(redis: &Path) {
    let stage = Stage::patient(redis);
    for path in ["/api/v1/tools/search/execute", "/api/v1/analyze"] {
        let call = Call::post(path).by("alice");
        assert_eq!(stage.nodes.in_turn(&call, 10), [200; 10], "{path}");
        assert_eq!(stage.nodes.in_turn(&call, 2), [429; 2], "{path}");
    }
    let other_tool = Call::post("/api/v1/tools/shell/execute").by("alice");
    assert_eq!(stage.nodes.in_turn(&other_tool, 2), [429; 2], "tools are counted together");
    // Each limit counts for itself, and what none names is not counted.
    assert_eq!(stage.nodes.in_turn(&Call::chat("alice"), 2), [200; 2]);
    assert_eq!(stage.nodes.in_turn(&Call::post("/api/v1/models").by("alice"), 30), [200; 30]);
}

/// A token without `sub` is a caller whom nobody can tell from the next: they share one count.
pub(crate) fn nameless(redis: &Path) {
    let stage = Stage::patient(redis);
    assert_eq!(stage.nodes.in_turn(&Call::chat(""), 20), [200; 20]);
    assert_eq!(stage.nodes.in_turn(&Call::chat(""), 2), [429; 2]);
    assert_eq!(stage.nodes.in_turn(&Call::chat("alice"), 2), [200; 2]);
}

/// Forty logins at the same moment, over both nodes: five of them pass.
pub(crate) fn at_once(redis: &Path) {
    let stage = Stage::patient(redis);
    let together = std::sync::Barrier::new(40);
    let (nodes, together) = (&stage.nodes, &together);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let callers = (0..40).map(|number| {
            scope.spawn(move || {
                let mut connection = nodes.connect(number % 2, Call::login().from);
                together.wait();
                connection.send(&Call::login()).status
            })
        });
        let callers: Vec<_> = callers.collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    let of = |status| statuses.iter().filter(|known| **known == status).count();
    assert_eq!((of(200), of(429)), (5, 35), "{statuses:?}");
}
