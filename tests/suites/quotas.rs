//! The quotas of `envoy/stable-diffusion` in a real Envoy: so many generations a day for each user, by the
//! access level in the token.

mod quotas {
    pub(crate) mod shop;
}

use libtest_mimic::{Arguments, Trial};
use quotas::shop::{Answer, Call, Shop};
use serde_json::{Value, json};
use vigile_tests::envoy::Binary;
use vigile_tests::tools;

type Scenario = (&'static str, fn(&Shop));

const SCENARIOS: [Scenario; 6] = [
    ("a_level_has_its_own_size", levels),
    ("a_used_up_one_says_so", refusal),
    ("users_do_not_share", users),
    ("whoever_is_nobody_shares_with_nobodies", nobodies),
    ("what_runs_a_function_counts", what_counts),
    ("nobody_gets_around_it", around),
];

fn main() {
    let arguments = Arguments::from_args();
    let needed = tools::program("curl", "curl").and_then(|curl| Ok((curl, tools::envoys()?)));
    let trials = match needed {
        Ok((curl, binaries)) => binaries
            .into_iter()
            .map(|binary: Binary| {
                let curl = curl.clone();
                Trial::test(format!("{}/quotas", binary.version), move || {
                    let shop = Shop::open(&binary, &curl)?;
                    for (name, run) in SCENARIOS {
                        println!("Envoy {}: {name}", binary.version);
                        run(&shop);
                    }
                    Ok(())
                })
            })
            .collect(),
        Err(missing) => vec![tools::skipped("quotas", missing)],
    };
    libtest_mimic::run(&arguments, trials).exit();
}

const JOIN: &str = "/gradio_api/queue/join";
const FREE: usize = 10;
const PRO: usize = 200;

/// How many of so many calls passed; the others were refused for the quota.
fn passed(shop: &Shop, calls: &[Call]) -> usize {
    let answers = shop.send(calls);
    assert!(answers.iter().all(|answer| [200, 429].contains(&answer.status)), "{answers:?}");
    // What passes comes before what does not: no bucket fills while this runs.
    let passed = answers.iter().take_while(|answer| answer.status == 200).count();
    assert!(answers.iter().skip(passed).all(|answer| answer.status == 429), "{answers:?}");
    passed
}

fn used_up(shop: &Shop, subject: &str, claims: &Value) -> Call {
    let call = Call::post(JOIN).token(shop.token(subject, claims));
    passed(shop, &vec![call.clone(); PRO + 5]);
    call
}

fn levels(shop: &Shop) {
    let none = json!({});
    let levels = [
        ("nothing", none, FREE),
        ("free", json!({ "access_level": "free" }), FREE),
        ("pro", json!({ "access_level": "pro" }), PRO),
        // What is not known is the smallest.
        ("capitals", json!({ "access_level": "PRO" }), FREE),
        ("two", json!({ "access_level": "pro,pro" }), FREE),
        ("list", json!({ "access_level": ["free", "pro"] }), FREE),
        ("number", json!({ "access_level": 9000 }), FREE),
        ("other-claim", json!({ "level": "pro" }), FREE),
    ];
    for (subject, claims, size) in levels {
        let call = Call::post(JOIN).token(shop.token(subject, &claims));
        let first = shop.send(std::slice::from_ref(&call));
        assert_eq!(first[0].header("x-ratelimit-limit"), size.to_string(), "{subject}");
        assert_eq!(passed(shop, &vec![call; size + 2]), size - 1, "{subject}");
    }
}

fn refusal(shop: &Shop) {
    for (level, limit, after) in [("free", "10", 8640), ("pro", "200", 432)] {
        let call = used_up(shop, &format!("told-{level}"), &json!({ "access_level": level }));
        let answer: Answer = shop.send(&[call]).remove(0);
        assert_eq!(answer.status, 429);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        let detail = body["detail"].as_str().expect("a text, which Gradio shows");
        assert!(detail.contains("quota") && body.as_object().unwrap().len() == 1, "{body}");
        let ancestors = "frame-ancestors 'self' https://iahome.fr";
        for (name, value) in [
            ("content-type", "application/json"),
            ("x-ratelimit-limit", limit),
            ("x-ratelimit-remaining", "0"),
            ("retry-after", &after.to_string()),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("content-security-policy", ancestors),
        ] {
            assert_eq!(answer.header(name), value, "{name}: {answer:?}");
        }
        let reset: u32 = answer.header("x-ratelimit-reset").parse().unwrap();
        assert!((1..=after).contains(&reset), "{answer:?}");
    }
}

/// Neither by name nor by number: fifty others push nobody's bucket out (Envoy keeps 20 unless told).
fn users(shop: &Shop) {
    let spent = used_up(shop, "spender", &json!({}));
    let others: Vec<Call> = (0..50)
        .map(|at| Call::post(JOIN).token(shop.token(&format!("other-{at}"), &json!({}))))
        .collect();
    assert_eq!(passed(shop, &others), 50);
    assert_eq!(passed(shop, std::slice::from_ref(&spent)), 0);
    // Another token of the same user is the same user.
    let again = Call::post(JOIN).token(shop.token("spender", &json!({ "jti": "another" })));
    assert_eq!(passed(shop, &[again]), 0);
}

/// A token that does not say whose it is has no bucket of its own to multiply.
fn nobodies(shop: &Shop) {
    let token = |at: usize, level: &str| {
        let claims = json!({ "sub": null, "jti": at.to_string(), "access_level": level });
        Call::post(JOIN).token(shop.token("", &claims))
    };
    let calls: Vec<Call> = (0..FREE + 5).map(|at| token(at, "pro")).collect();
    assert_eq!(passed(shop, &calls), FREE);
    assert_eq!(passed(shop, &[token(99, "free")]), 0);
    // An empty name is none.
    let empty = json!({ "sub": "", "access_level": "pro" });
    assert_eq!(passed(shop, &[Call::post(JOIN).token(shop.token("", &empty))]), 0);
    // What no header can carry is refused before anything is counted.
    let claims = json!({ "access_level": "pro " });
    let answer = shop.send(&[Call::post(JOIN).token(shop.token("", &claims))]).remove(0);
    let said = (answer.status, answer.header("vigile-reason"));
    assert_eq!(said, (403, "claim.unsendable"));
}

/// Every address that runs a function, of Gradio 6 and of older ones, draws from one bucket; the rest of
/// the app from none.
fn what_counts(shop: &Shop) {
    let pro = shop.token("busy", &json!({ "access_level": "pro" }));
    let counted = [
        "/gradio_api/queue/join",
        "/gradio_api/run/predict",
        "/gradio_api/run/predict/",
        "/gradio_api/api/predict",
        "/gradio_api/call/paint",
        "/gradio_api/call/v2/paint",
        "/queue/join",
        "/run/predict",
        "/api/predict",
        "/call/paint",
        // What an app with `mcp_server=True` is asked by programs.
        "/gradio_api/mcp",
        "/gradio_api/mcp/",
        "/gradio_api/mcp/http/",
        "/gradio_api/mcp/messages/?session_id=0123",
    ];
    let free = [
        Call::get("/"),
        Call::get("/gradio_api/queue/data?session_hash=x"),
        Call::get("/gradio_api/call/paint/0123"),
        Call::post("/gradio_api/upload"),
        // A component's own: the image editor sends its layers there.
        Call::post("/gradio_api/component_server"),
        Call::get("/gradio_api/mcp/sse"),
        Call::get("/gradio_api/mcp/schema"),
        Call::delete("/gradio_api/mcp/"),
        Call::get("/assets/index.js"),
    ];
    for (at, path) in counted.into_iter().enumerate() {
        let answer = shop.send(&[Call::post(path).token(pro.clone())]).remove(0);
        let left = (PRO - 1 - at).to_string();
        assert_eq!(
            (answer.status, answer.header("x-ratelimit-remaining")),
            (200, left.as_str()),
            "{path}"
        );
    }
    let token = shop.token("spent", &json!({}));
    used_up(shop, "spent", &json!({}));
    let calls: Vec<Call> =
        counted.iter().map(|path| Call::post(path).token(token.clone())).collect();
    assert_eq!(passed(shop, &calls), 0);
    // Gradio 3 opens a websocket there.
    assert_eq!(passed(shop, &[Call::get("/queue/join").token(token.clone())]), 0);
    let calls: Vec<Call> = free.into_iter().map(|call| call.token(token.clone())).collect();
    for answer in shop.send(&calls) {
        let limit = answer.header("x-ratelimit-limit");
        assert_eq!((answer.status, limit), (200, ""), "{answer:?}");
    }
}

/// What a client sends of the headers, and other ways to write the address, bring nothing.
fn around(shop: &Shop) {
    let call = used_up(shop, "mallory", &json!({}));
    let mut calls = Vec::new();
    for header in [
        "x-access-level: pro",
        "X-Access-Level: pro",
        "x-user-id: somebody-else",
        "x-quota: none",
        "x-quota;",
        "x-envoy-original-path: /",
        "x-original-url: /assets/x",
    ] {
        calls.push(call.clone().with(header));
    }
    for path in [
        "/gradio_api//queue/join",
        "//gradio_api/queue/join",
        "/gradio_api/./queue/join",
        "/gradio_api/x/../queue/join",
        "/gradio_api/queue/join/",
        "/gradio_api/queue/join?x=/assets/",
        "/gradio_api/queue%2Fjoin",
        "/gradio_api/queue/%6aoin",
        "/gradio_api/queue/%256aoin",
        "/gradio_api/queue/join;x=1",
        "/gradio_api/Queue/Join",
        "/gradio_api\\queue\\join",
        "/gradio_api/assets/..%2fqueue/join",
        "/gradio_api/run%2Fpredict",
        "/gradio_api/call%2fpaint",
        "/gradio_api/mcp%2f",
        "/gradio_api/%6dcp/",
        "/gradio_api/x/../mcp/",
    ] {
        calls.push(call.clone().at(path));
    }
    for (call, answer) in calls.iter().zip(shop.send(&calls)) {
        assert!(matches!(answer.status, 400 | 429), "{call:?}: {answer:?}");
    }
}
