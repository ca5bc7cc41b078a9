//! The four levels of 001_d9637b39f961e8b1.txt, as `vigile init ocr --level N` writes them, and its
//! log-only migration.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use vigile::find;
use vigile::yaml::Yaml;
use vigile_tests::case::whole_numbers;
use vigile_tests::envoy::Binary;
use vigile_tests::keys::SERVICE_API_KEY;
use vigile_tests::policies;

use super::call::{Call, DJANGO};
use super::six::{found, health, refused};
use super::stage::{Stage, at_level, environment, init};

/// `/health` by the app and `/.vigile/status` by Vigile say the same of one environment.
fn both_say(stage: &Stage, key_required: bool, addresses: usize) {
    let said = health(key_required, addresses);
    let app = Call::get("/health").send(stage.address());
    app.is(200, &said);
    let own: Value =
        serde_json::from_str(&Call::get("/.vigile/status").send(stage.address()).body).unwrap();
    for (name, value) in said["security"].as_object().unwrap() {
        assert_eq!(own["security"][name], *value, "{name}: {own}");
    }
}

/// Level 1: nothing is asked for; it is logged and counted.
pub(crate) fn one(python: &Path) {
    let stage = Stage::of(at_level(1, false), &environment(1), python);
    Call::get("/health").send(stage.address()).is(200, &health(false, 0));
    Call::analyze().send(stage.address()).is(200, &found());
    Call::analyze().key("nuno_service_WRONG").send(stage.address()).is(200, &found());
    assert_eq!(stage.counted("vigile_requests", "ocr", "allowed_public"), 3);
    let logged = &stage.access_log("path", "/v1/analyze-wound", 2)[0];
    assert_eq!([&logged["verdict"], &logged["reason"]], ["allowed", "allowed.public"]);
}

/// Level 2: the key, from wherever it comes.
pub(crate) fn two(python: &Path) {
    let stage = Stage::of(at_level(2, false), &environment(2), python);
    both_say(&stage, true, 0);
    Call::analyze().send(stage.address()).says(401, Some("api_key.missing"));
    let wrong = Call::analyze().key("nuno_service_WRONG");
    wrong.send(stage.address()).says(401, Some("api_key.invalid"));
    Call::analyze().key(SERVICE_API_KEY).send(stage.address()).is(200, &found());
}

/// Level 3: the key, from where Django is; as often as it likes.
pub(crate) fn three(python: &Path) {
    let stage = Stage::of(at_level(3, false), &environment(3), python);
    both_say(&stage, true, 2);
    let known = Call::analyze().key(SERVICE_API_KEY);
    known.send(stage.address()).says(403, Some("address.not_allowed"));
    let third = Ipv4Addr::new(127, 0, 0, 3);
    known.clone().from(third).send(stage.address()).is(200, &found());
    Call::analyze().from(DJANGO).send(stage.address()).says(401, Some("api_key.missing"));
    let photograph = Call::analyze_image(&vec![7; 8 * 1024 * 1024]);
    photograph.from(DJANGO).key(SERVICE_API_KEY).send(stage.address()).is(200, &found());
    for _ in 0..70 {
        let answer = known.clone().from(DJANGO).send(stage.address());
        assert_eq!((answer.status, answer.header("x-ratelimit-limit")), (200, None), "{answer:?}");
    }
}

/// Level 4: and 60 calls a minute from an address, whatever they hold; guessing keys is slow.
pub(crate) fn four(binary: &Binary, python: &Path) {
    let stage = Stage::as_it_stands(binary, python);
    both_say(&stage, true, 2);
    let started = Instant::now();
    // /.vigile/status above was the first.
    let mut calls = 1;
    loop {
        let guess = Call::analyze().key(&format!("nuno_service_guess-{calls}"));
        let answer = guess.send(stage.address());
        assert_eq!(answer.header("x-ratelimit-limit").as_deref(), Some("60"), "{answer:?}");
        if answer.status == 429 {
            break;
        }
        answer.says(401, Some("api_key.invalid"));
        calls += 1;
        assert!(calls < 120, "there is no limit, or this machine is too slow for one");
    }
    // The bucket fills by one a second.
    let most = 61 + started.elapsed().as_secs();
    assert!((60..=most).contains(&calls), "{calls} calls, {most} at most");
    let known = Call::analyze().key(SERVICE_API_KEY);
    let elsewhere = known.clone().with("x-forwarded-for", "127.0.0.2");
    for call in [known.clone(), elsewhere, Call::analyze(), Call::get("/.vigile/status")] {
        is_limited(&stage, &call);
    }
    assert_eq!(stage.analyses(), 0);
    // Nobody else pays for it, and health is never limited.
    known.from(DJANGO).send(stage.address()).is(200, &found());
    Call::get("/health").send(stage.address()).is(200, &health(true, 2));
    let limited = &stage.access_log("flags", "RL", 5)[0];
    assert_eq!([&limited["path"], &limited["client"]], ["/v1/analyze-wound", "127.0.0.9"]);
}

fn is_limited(stage: &Stage, call: &Call) {
    // A second may have passed, and with it come one call more.
    let mut answers = std::iter::repeat_with(|| call.send(stage.address())).take(50);
    let answer = answers.find(|answer| answer.status == 429).expect("a limit");
    answer.is(429, &refused("Too many requests", "Try again in a minute"));
    for (name, value) in [
        ("retry-after", "60"),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-ratelimit-limit", "60"),
        ("x-ratelimit-remaining", "0"),
        ("vigile-reason", ""),
    ] {
        assert_eq!(answer.header(name).unwrap_or_default(), value, "{name}: {answer:?}");
    }
    let reset: u32 = answer.header("x-ratelimit-reset").unwrap().parse().unwrap();
    assert!(reset <= 60, "{answer:?}");
}

/// `mode: observe`: whoever would be refused passes, is logged and counted, and gets nothing by it.
pub(crate) fn observe(python: &Path) {
    let stage = Stage::of(at_level(3, true), &environment(3), python);
    both_say(&stage, true, 2);
    let known = Call::analyze().key(SERVICE_API_KEY);
    let calls = [
        (Call::analyze(), "api_key.missing"),
        (Call::analyze().key("nuno_service_WRONG"), "api_key.invalid"),
        (known.clone(), "address.not_allowed"),
    ];
    for (call, _) in &calls {
        call.send(stage.address()).is(200, &found());
    }
    // The app had no key of them, and the provider's from nowhere: nothing was forwarded.
    assert!(!stage.app_saw().to_lowercase().contains("authorization:"), "{}", stage.app_saw());
    known.from(DJANGO).send(stage.address()).is(200, &found());
    let logged = stage.access_log("path", "/v1/analyze-wound", 4);
    let audit = stage.envoy.logged();
    for ((_, reason), line) in calls.iter().zip(&logged) {
        assert_eq!([&line["verdict"], &line["reason"]], ["observed", reason], "{line}");
        let code = reason.replace('.', "_");
        assert_eq!(stage.counted("vigile_would_refuse", "ocr", &code), 1, "{reason}");
        assert!(audit.contains(&format!("\"would_refuse\":\"{reason}\"")), "{reason}: {audit}");
    }
    assert_eq!([&logged[3]["verdict"], &logged[3]["subject"]], ["allowed", "django"]);
    assert_eq!(stage.counted("vigile_requests", "ocr", "allowed_observed"), 3);
    assert_eq!(stage.counted("vigile_requests", "ocr", "allowed_api_key"), 1);
}

/// The files beside the sample are the policies of these levels.
pub(crate) fn files() {
    let file = |name: &str| policies::load(&format!("envoy/ocr/{name}.yaml")).json();
    let written = |level, observe| {
        let yaml = Yaml::parse(&init(level, observe)).unwrap();
        let tree = find::policies(&yaml)[0].tree();
        whole_numbers(serde_json::to_value(tree).unwrap())
    };
    let mut observed = file("level-3");
    observed["mode"] = json!("observe");
    assert_eq!(file("observe"), observed);
    assert_eq!(written(3, true), observed);
    for level in 1..=3 {
        assert_eq!(written(level, false), file(&format!("level-{level}")));
    }
    let mut sample = policies::load("envoy/ocr").json();
    sample["log"] = file("level-3")["log"].clone();
    assert_eq!(sample, file("level-3"), "level 4 asks Vigile for what level 3 does");
}
