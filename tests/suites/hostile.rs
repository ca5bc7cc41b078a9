//! Whatever came before, the same worker of the same Envoy answers an honest request, nothing of its
//! module has crashed, and no VM was made anew.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Instant;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::json;
use vigile_tests::attack::{self, Shot, answers};
use vigile_tests::case::{self, Named, Recipe};
use vigile_tests::corpus_envoy::Corpus;
use vigile_tests::envoy::{Binary, Envoy};
use vigile_tests::keys::RING;
use vigile_tests::{asking, conversation, envoy, policies};

const HOST: &str = "ai.example.org";

/// What is fired, given a good token.
type Shots = fn(&str) -> Vec<Shot>;

fn main() {
    let arguments = Arguments::from_args();
    let cases = Arc::new(case::all());
    let environment = RING.environment();
    let newest = envoy::newest().version;
    let mut trials = Vec::new();
    let mut envoys = Vec::new();
    for binary in envoy::binaries() {
        let whole = binary.version == newest;
        let names = cases.iter().map(|named| named.case.policy.as_str());
        let loaded = match whole {
            true => policies::named_by(names),
            false => policies::named_by(["routes"].into_iter()),
        };
        let corpus = Corpus::start(&binary, &loaded, &environment)
            .unwrap_or_else(|error| panic!("Envoy {} did not start:\n{}", binary.version, error.0));
        let corpus = Arc::new(corpus);
        let rounds: [(&str, Shots); 4] = [
            ("bytes that are no text in every header", attack::bytes_that_are_no_text),
            ("every byte in a path", attack::every_byte_in_a_path),
            ("too much", attack::too_much),
            ("forms and framing", attack::forms),
        ];
        for (title, shots) in rounds {
            let corpus = corpus.clone();
            let name = format!("{}/{title}", binary.version);
            trials.push(Trial::test(name, move || round(&corpus, title, shots)));
        }
        let name = format!("{}/what no app answers", binary.version);
        trials.push(Trial::test(name, move || odd_answers(&binary)));
        if whole {
            for topic in topics(&cases) {
                let (corpus, cases) = (corpus.clone(), cases.clone());
                let name = format!("{newest}/corpus/{topic}");
                trials.push(Trial::test(name, move || of_the_corpus(&corpus, &cases, &topic)));
            }
        }
        envoys.push(corpus);
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    // `exit` runs no destructor: the Envoys would go on.
    drop(envoys);
    conclusion.exit();
}

fn topics(cases: &[Named]) -> BTreeSet<String> {
    let topic = |named: &Named| named.name.split('/').next().unwrap_or_default().to_owned();
    cases.iter().map(topic).collect()
}

/// Fires every shot twice, once without waiting for the answer, and asks honestly after each.
fn round(corpus: &Corpus, title: &str, shots: Shots) -> Result<(), Failed> {
    let started = Instant::now();
    let token = honest_token();
    let address = corpus.address("routes", "struct");
    let shots = shots(&token);
    for shot in &shots {
        let status = attack::fire(address, shot, false);
        let expected = shot.statuses.is_empty()
            || status.is_some_and(|status| shot.statuses.contains(&status));
        if !expected {
            return Err(format!("{}: {status:?}, not {:?}", shot.what, shot.statuses).into());
        }
        attack::fire(address, shot, true);
        answers(corpus, &token).map_err(|problem| format!("after {}: {problem}", shot.what))?;
    }
    sound(corpus.envoy())?;
    println!("{title}: {} requests in {:?}", 2 * shots.len(), started.elapsed());
    Ok(())
}

/// Plays every case of a topic; what comes of them is for the suite `envoy`.
fn of_the_corpus(corpus: &Corpus, cases: &[Named], topic: &str) -> Result<(), Failed> {
    let (started, token) = (Instant::now(), honest_token());
    let mut played = 0;
    let of_topic = cases.iter().filter(|named| named.name.starts_with(&format!("{topic}/")));
    for Named { name, case } in of_topic.filter(|named| !named.case.not_on.contains_key("envoy")) {
        let host = policies::load(&case.policy).host();
        let mut held = Vec::new();
        let send = |ready: &conversation::Ready| {
            corpus.play(&case.policy, "struct", ready, false, &mut held)
        };
        let _ = conversation::play(name, case, &host, send);
        answers(corpus, &token).map_err(|problem| format!("after {name}: {problem}"))?;
        sound(corpus.envoy()).map_err(|problem| format!("after {name}: {problem:?}"))?;
        played += 1;
    }
    println!("{topic}: {played} cases in {:?}", started.elapsed());
    Ok(())
}

/// An app that answers what it should not. What the module reads of an answer is bytes, and names that
/// are no text do not get past Envoy.
fn odd_answers(binary: &Binary) -> Result<(), Failed> {
    let (started, environment) = (Instant::now(), RING.environment());
    let policy = policies::load("stable-diffusion");
    let filter = envoy::vigile(&envoy::as_struct(&policy.json()), &environment);
    let route = json!({ "match": { "prefix": "/" }, "route": { "cluster": "app" } });
    let mut app = envoy::cluster("app", answers::start());
    // The app ends its connections, and Envoy is not to send the next request on one that ends.
    app["typed_extension_protocol_options"]["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"] = json!({
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        "common_http_protocol_options": { "max_requests_per_connection": 1 },
        "explicit_http_config": { "http_protocol_options": {} },
    });
    let config = envoy::bootstrap(&[envoy::listener("gate", 0, &filter, &route)], &[app]);
    let envoy = Envoy::start(binary, &config, &environment).map_err(|error| error.0)?;
    let token = RING.mint(&Recipe { module: Some("stablediffusion".into()), ..Recipe::default() });
    let ask = |path: &str| {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n",
            policy.host()
        );
        let shot = Shot { what: path.into(), bytes: request.into(), statuses: &[200, 502] };
        attack::fire(envoy.listener("gate"), &shot, false)
    };
    let all = answers::answers();
    let mut statuses = Vec::new();
    for (number, (what, _)) in all.iter().enumerate() {
        let status = ask(&format!("/answers/{number}"));
        if *what == "a name that is no text" && status != Some(502) {
            return Err(format!("{what}: {status:?}").into());
        }
        statuses.push(format!("{what} {}", status.map_or("-".into(), |status| status.to_string())));
        let honest = ask("/");
        if honest != Some(200) {
            return Err(format!("after {what}: {honest:?}").into());
        }
    }
    sound(&envoy)?;
    println!("{} answers in {:?}: {}", all.len(), started.elapsed(), statuses.join(", "));
    Ok(())
}

fn honest_token() -> String {
    RING.mint(&Recipe::default())
}

fn answers(corpus: &Corpus, token: &str) -> Result<(), String> {
    let answer =
        asking::Connection::open(corpus.address("routes", "struct")).get(HOST, "/session", token);
    match answer.status == 200 && answer.body == b"from the app" {
        true => Ok(()),
        false => Err(format!("{} {}", answer.status, answer.body.escape_ascii())),
    }
}

/// No crash is counted or logged, and no VM was made again.
fn sound(envoy: &Envoy) -> Result<(), Failed> {
    let stats = envoy.get("/stats?filter=wasm");
    let bad = |line: &&str| {
        let failing = ["crash", "fail", "error", "reload"];
        failing.iter().any(|word| line.contains(word)) && !line.ends_with(": 0")
    };
    let own = |line: &&str| !line.starts_with("wasmcustom.vigile.");
    if !stats.contains("wasm.vigile.vm_reload: ") && !stats.contains("wasm.wasm_vm_count: ") {
        return Err(format!("Envoy counts nothing of its VMs: {stats}").into());
    }
    if let Some(line) = stats.lines().filter(own).find(bad) {
        return Err(line.to_owned().into());
    }
    let log = envoy.logged();
    let crash = log.lines().find(|line| {
        line.contains("panicked") || line.contains("[critical]") || line.contains("VM failed")
    });
    crash.map_or(Ok(()), |line| Err(line.to_owned().into()))
}
