//! The table of limits, line by line, and a quota by the day.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use vigile_tests::caller::Call;
use vigile_tests::case::{Recipe, whole_numbers};
use vigile_tests::envoy::Binary;
use vigile_tests::keys::RING;
use vigile_tests::limits::Limit;
use vigile_tests::sample::Sample;

use super::stage::{
    CHAT, Justified, LOGIN, ORCHESTRATOR, PASSWORD, QUOTA, REGISTER, TOOLS, client, execute, login,
    recipe, register, rollback, say, token,
};

/// `/auth/login` 5 a minute and `/auth/register` 3 an hour, by address.
pub(crate) fn by_address(binary: &Binary, python: &Path) {
    let service = ORCHESTRATOR.start(binary, python);
    // A method that is none of the route's takes nothing of its limit.
    for path in ["/api/v1/auth/login", "/api/v1/auth/register"] {
        for method in ["GET", "HEAD", "PUT", "DELETE", "GET", "GET"] {
            let answer = service.send(&Call::new(method, path).from(client(1)));
            answer.says(405, Some("method.not_allowed"));
        }
    }
    let passed = LOGIN.exhaust(&service, &login("admin", "guess").from(client(1)));
    assert!(passed.iter().all(|answer| answer.status == 401), "{passed:?}");
    LOGIN.holds(&service, &login("admin", PASSWORD).from(client(1)));
    LOGIN.holds(
        &service,
        &login("admin", PASSWORD).from(client(1)).with("x-forwarded-for", "198.51.100.7"),
    );
    assert_eq!(service.send(&login("admin", PASSWORD).from(client(2))).status, 200);
    let passed = REGISTER.exhaust(&service, &register("alice").from(client(1)));
    assert_eq!(passed[0].status, 201);
    assert_eq!(service.asked("POST /api/v1/auth/register"), 3);
    assert_eq!(service.send(&register("bob").from(client(2))).status, 201);
}

/// `/chat` 20 a minute and `/tools/*/execute` 10 a minute, by caller; who cannot be one uses up nothing.
pub(crate) fn by_caller(binary: &Binary, python: &Path) {
    let service = ORCHESTRATOR.start(binary, python);
    let alice = token("alice", "viewer");
    let passed = CHAT.exhaust(&service, &say().bearer(&alice).from(client(1)));
    assert!(passed.iter().all(|answer| answer.status == 200), "{passed:?}");
    let asked = service.asked("POST /api/v1/chat");
    assert_eq!(asked, passed.len());
    CHAT.holds(&service, &say().bearer(&alice).from(client(2)));
    CHAT.holds(&service, &say().bearer(&alice).with("x-user-id", "bob"));
    let bob = token("bob", "viewer");
    assert_eq!(service.send(&say().bearer(&bob).from(client(1))).status, 200);

    // Refused by Vigile: not counted.
    for _ in 0..12 {
        let call = execute("apt_update").bearer(&alice);
        service.send(&call).says(403, Some("token.roles"));
    }
    // All tools are one limit, and to look at their list is none.
    let tools = ["systemd_status", "disk_usage", "network_listeners", "systemd_logs", "disk_usage"];
    for tool in tools {
        service.send(&execute(tool).bearer(&alice)).says(200, None);
    }
    for _ in 0..10 {
        service.send(&Call::get("/api/v1/tools").bearer(&alice)).says(200, None);
    }
    for tool in tools {
        service.send(&execute(tool).bearer(&alice)).says(200, None);
    }
    TOOLS.holds(&service, &execute("systemd_status").bearer(&alice));
    TOOLS.holds(
        &service,
        &Call::post("/api/v1/tools/disk_usage/execute/", &json!({})).bearer(&alice),
    );
    service.send(&execute("systemd_status").bearer(&bob)).says(200, None);
    assert!(service.asked("POST /api/v1/chat") <= asked + 3);
}

/// Whoever has a token that names nobody shares each limit with all who have one, and takes nothing of others'.
pub(crate) fn nobody(python: &Path) {
    let service = ORCHESTRATOR.start_newest(python);
    let nobody =
        |role: &str| RING.mint(&Recipe { subject: Some(String::new()), ..recipe("nobody", role) });
    let [viewer, admin] = ["viewer", "admin"].map(nobody);
    // The app wants to know who it is, and says so.
    let counted = |limit: Limit, call: Call| {
        let passed = limit.exhaust(&service, &call);
        assert!(passed.iter().all(|answer| answer.status == 422), "{passed:?}");
    };
    counted(CHAT, say().bearer(&viewer));
    CHAT.holds(&service, &say().bearer(&admin).from(client(2)));
    counted(TOOLS, execute("disk_usage").bearer(&viewer));
    counted(QUOTA, rollback("a-1").bearer(&admin).why("The deployment of v7 failed"));
    service.send(&say().bearer(&token("alice", "viewer"))).says(200, None);
}

/// 10 rollbacks a day of an admin, whatever they are of; another has his own.
pub(crate) fn quota(binary: &Binary, python: &Path) {
    let service = ORCHESTRATOR.start(binary, python);
    let (ada, bill) = (token("ada", "admin"), token("bill", "admin"));
    let call =
        |action: &str, who: &str| rollback(action).bearer(who).why("The deployment of v7 failed");
    // Without a reason, or without a token, there is no rollback to count.
    for _ in 0..12 {
        service.send(&rollback("a-1").bearer(&ada)).says(428, Some("header.required"));
    }
    let passed = QUOTA.exhaust(&service, &call("a-1", &ada));
    assert!(passed.iter().all(|answer| answer.status == 200), "{passed:?}");
    QUOTA.refused(&service.send(&call("a-2", &ada).from(client(2))));
    assert_eq!(service.asked("POST /api/v1/actions/a-1/rollback"), 10);
    assert_eq!(service.asked("POST /api/v1/actions/a-2/rollback"), 0);
    service.send(&call("a-2", &bill)).says(200, None);
    // The tools of the admin who has no rollback left go on.
    let tool = execute("apt_update").bearer(&ada).why("Security updates of today");
    service.send(&tool).says(200, None);
}

/// A client that waits as long as it was told is served.
pub(crate) fn waiting(python: &Path) {
    let service = ORCHESTRATOR.start_newest(python);
    let call = say().bearer(&token("alice", "viewer"));
    CHAT.exhaust(&service, &call);
    let told: u64 = loop {
        let answer = service.send(&call);
        if answer.status == 429 {
            break answer.header("retry-after").unwrap().parse().unwrap();
        }
    };
    std::thread::sleep(Duration::from_secs(told));
    assert_eq!(service.send(&call).status, 200);
}

/// In both samples, each limit tells in Retry-After the time between two tokens of its bucket; it has one
/// bucket for each caller, room for very many of them, and none that all of them share but those without a name.
pub(crate) fn honest() {
    for (name, count) in [("assistant", 3), ("orchestrator", 5)] {
        let limits = limits(name);
        assert_eq!(limits.len(), count, "{name}");
        for limit in limits {
            let told = &limit["response_headers_to_add"][0]["header"];
            let told = [&told["key"], &told["value"]].map(|word| word.as_str().unwrap());
            for descriptor in limit["descriptors"].as_array().unwrap() {
                let bucket = &descriptor["token_bucket"];
                let seconds = bucket["fill_interval"].as_str().unwrap().trim_end_matches('s');
                let seconds: u64 = seconds.parse().unwrap();
                let tokens = bucket["tokens_per_fill"].as_u64().unwrap();
                assert_eq!(bucket["max_tokens"], bucket["tokens_per_fill"], "{limit}");
                assert_eq!(told, ["retry-after", &seconds.div_ceil(tokens).to_string()], "{limit}");
                let last = descriptor["entries"].as_array().unwrap().last().unwrap();
                let is_for_each = last["value"] == "" || last["key"] == "nobody";
                assert!(is_for_each, "one bucket for each: {limit}");
            }
            assert_eq!(limit["max_dynamic_descriptors"], 100_000, "{limit}");
            assert_eq!(limit["always_consume_default_token_bucket"], false, "{limit}");
            assert_eq!(limit["enable_x_ratelimit_headers"], "DRAFT_VERSION_03", "{limit}");
        }
    }
}

/// Every limit of a sample that has buckets.
fn limits(name: &str) -> Vec<Value> {
    let config = whole_numbers(Sample::read(name).json());
    let mut found = Vec::new();
    collect(&config, &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<Value>) {
    if value.get("descriptors").is_some() {
        found.push(value.clone());
    }
    let inner: Vec<&Value> = match value {
        Value::Object(map) => map.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => Vec::new(),
    };
    inner.into_iter().for_each(|inner| collect(inner, found));
}
