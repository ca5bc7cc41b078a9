//! Policies that are replaced while Envoy runs, and policies side by side in one VM.

use std::collections::BTreeMap;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use vigile_tests::asking::{Connection, ask};
use vigile_tests::case::Recipe;
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::gate::{Gate, HOST, REJECTED, iahome, partner, policy, same, sound, token};
use vigile_tests::keys::RING;
use vigile_tests::ticker::Events;

fn main() {
    let arguments = Arguments::from_args();
    let newest = envoy::newest();
    let mut trials: Vec<Trial> = envoy::binaries().iter().flat_map(on_every_envoy).collect();
    for (name, test) in ON_THE_NEWEST {
        let binary = newest.clone();
        trials.push(Trial::test(*name, move || test(&binary)));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

type Test = fn(&Binary) -> Result<(), Failed>;

const ON_THE_NEWEST: &[(&str, Test)] = &[
    ("update/keys with names", keys_with_names),
    ("update/again and again", again_and_again),
    ("load/one line says what is loaded", one_line_says_what_is_loaded),
    ("memory/a hit ends with its token", a_hit_ends_with_its_token),
    ("memory/a hit is judged by the policy of now", a_hit_is_judged_by_the_policy_of_now),
    ("memory/as many as the policy says", as_many_as_the_policy_says),
];

/// What depends on how an Envoy replaces listeners and shares VMs.
fn on_every_envoy(binary: &Binary) -> Vec<Trial> {
    let tests: [(&str, Test); 3] = [
        ("update/a bad policy is rejected", a_bad_policy_is_rejected),
        ("update/a good policy takes over", a_good_policy_takes_over),
        ("one vm/two policies", two_policies_in_one_vm),
    ];
    let trial = |(name, test): (&str, Test)| {
        let binary = binary.clone();
        Trial::test(format!("{}/{name}", binary.version), move || test(&binary))
    };
    tests.map(trial).into()
}

fn a_bad_policy_is_rejected(binary: &Binary) -> Result<(), Failed> {
    let mut gate = Gate::start(binary, &policy(&iahome()));
    let good = token("iahome");
    gate.says(&good, 200, "")?;
    let mut events = Events::open(gate.address, HOST, &good)?;
    let mut bad = policy(&iahome());
    bad["mode"] = "enforced".into();
    bad["modules"][0]["routes"][0]["token"]["issuer"] = "iahom".into();
    gate.update(&bad);
    gate.served.reaches(REJECTED, 1)?;
    let log = gate.served.envoy.logged();
    for mistake in [
        "policy: mode: \"enforced\" is not known here; did you mean \"enforce\"?",
        "policy: modules[0].routes[0].token.issuer: no issuer is named \"iahom\"; did you mean \"iahome\"?",
    ] {
        if !log.contains(mistake) {
            return Err(format!("the log lacks {mistake}:\n{log}").into());
        }
    }
    gate.says(&good, 200, "")?;
    gate.says(&token("stranger"), 401, "token.signature")?;
    gate.says("", 401, "token.missing")?;
    events.tick(3)?;
    // And it stays like that: the next good one is taken.
    gate.replace(&policy(&partner()))?;
    gate.says(&good, 401, "token.signature")?;
    events.tick(3)?;
    same(&gate.served.stat(REJECTED), &1)?;
    Ok(gate.is_sound()?)
}

fn a_good_policy_takes_over(binary: &Binary) -> Result<(), Failed> {
    let mut gate = Gate::start(binary, &policy(&iahome()));
    let (old, new) = (token("iahome"), token("partner"));
    gate.says(&old, 200, "")?;
    gate.says(&old, 200, "")?; // remembered
    gate.says(&new, 401, "token.signature")?;
    let mut events = Events::open(gate.address, HOST, &old)?;
    let mut kept = Connection::open(gate.address);
    same(&kept.get(HOST, "/", &old).status, &200)?;
    gate.replace(&policy(&partner()))?;
    gate.says(&old, 401, "token.signature")?;
    gate.says(&new, 200, "")?;
    events.tick(3)?;
    // A connection that was open keeps the policy with which it was opened, until it is drained.
    same(&kept.get(HOST, "/", &old).status, &200)?;
    gate.replace(&policy(&iahome()))?;
    gate.says(&old, 200, "")?;
    gate.says(&new, 401, "token.signature")?;
    events.tick(3)?;
    Ok(gate.is_sound()?)
}

fn keys_with_names(binary: &Binary) -> Result<(), Failed> {
    let named = |kid: &str, name: &str| json!({ "kid": kid, "secret": { "env": name } });
    let (one, two) = (named("one", "IAHOME_JWT_SECRET"), named("two", "PARTNER_JWT_SECRET"));
    let mut gate = Gate::start(binary, &policy(&json!([one, two])));
    let sign = |key: &str, kid: &str| {
        RING.mint(&Recipe { key: Some(key.into()), kid: Some(kid.into()), ..Recipe::default() })
    };
    let (first, second) = (sign("iahome", "one"), sign("partner", "two"));
    for _ in 0..2 {
        gate.says(&first, 200, "")?;
        gate.says(&second, 200, "")?;
    }
    gate.replace(&policy(&json!([two])))?;
    gate.says(&first, 401, "token.key_unknown")?;
    gate.says(&second, 200, "")?;
    // The same name for another secret: the token was made with neither.
    gate.replace(&policy(&json!([named("one", "PARTNER_JWT_SECRET")])))?;
    gate.says(&first, 401, "token.signature")?;
    gate.says(&second, 401, "token.key_unknown")?;
    Ok(gate.is_sound()?)
}

/// Thirty updates, good and bad, under a stream that never ends.
fn again_and_again(binary: &Binary) -> Result<(), Failed> {
    let mut gate = Gate::start(binary, &policy(&iahome()));
    let (old, new) = (token("iahome"), token("partner"));
    let mut events = Events::open(gate.address, HOST, &old)?;
    let vms = gate.vms();
    for round in 0..10 {
        let rejected = gate.served.stat(REJECTED) + 1;
        gate.update(&json!({ "vigile": round + 2 }));
        gate.served.reaches(REJECTED, rejected)?;
        gate.replace(&policy(&partner()))?;
        gate.says(&old, 401, "token.signature")?;
        gate.says(&new, 200, "")?;
        gate.replace(&policy(&iahome()))?;
        gate.says(&old, 200, "")?;
        gate.says(&new, 401, "token.signature")?;
        events.tick(1)?;
    }
    let after = gate.vms();
    println!("VMs before: {vms}, after 30 updates: {after}");
    Ok(gate.is_sound()?)
}

/// Two listeners, one VM: same vm_id, code and environment, same module and host. What one policy
/// verified and remembers means nothing to the other.
fn two_policies_in_one_vm(binary: &Binary) -> Result<(), Failed> {
    let environment = RING.environment();
    let action = json!({ "match": { "prefix": "/" }, "direct_response": { "status": 204 } });
    let gate = |name: &str, keys: &Value| {
        let filter = envoy::vigile(&envoy::as_struct(&policy(keys)), &environment);
        envoy::listener(name, 0, &filter, &action)
    };
    let alone = start(binary, &[gate("a", &iahome())], &environment);
    let both = start(binary, &[gate("a", &iahome()), gate("b", &partner())], &environment);
    let mut apart = gate("b", &partner());
    let filter =
        "/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config/vm_config";
    apart.pointer_mut(filter).expect("a filter")["vm_id"] = "another".into();
    let apart = start(binary, &[gate("a", &iahome()), apart], &environment);
    let [alone, shared, apart] = [&alone, &both, &apart].map(|envoy| {
        envoy.get("/stats?filter=^wasm.envoy.wasm.runtime.v8.active$").trim().to_owned()
    });
    println!(
        "Envoy {}: one listener: {alone}; two: {shared}; two with a vm_id each: {apart}",
        binary.version
    );
    same(&shared, &alone)?;
    if apart == shared {
        return Err("the count of VMs tells nothing".into());
    }
    let (a, b) = (both.listener("a"), both.listener("b"));
    let (for_a, for_b) = (token("iahome"), token("partner"));
    let refused = (401, "token.signature".to_owned());
    for _ in 0..100 {
        same(&ask(a, HOST, &for_a), &(204, String::new()))?;
        same(&ask(b, HOST, &for_a), &refused)?;
        same(&ask(b, HOST, &for_b), &(204, String::new()))?;
        same(&ask(a, HOST, &for_b), &refused)?;
    }
    Ok(sound(&both)?)
}

fn start(binary: &Binary, listeners: &[Value], environment: &BTreeMap<String, String>) -> Envoy {
    let config = envoy::bootstrap(listeners, &[]);
    Envoy::start(binary, &config, environment).unwrap_or_else(|error| panic!("{}", error.0))
}

fn a_hit_ends_with_its_token(binary: &Binary) -> Result<(), Failed> {
    let gate = Gate::start(binary, &policy(&iahome()));
    let short = RING.mint(&Recipe { expires: Some("3s".into()), ..Recipe::default() });
    let ends = vigile_tests::keys::now() + 3;
    let mut hits = 0;
    loop {
        let before = vigile_tests::keys::now();
        let (status, reason) = ask(gate.address, HOST, &short);
        let after = vigile_tests::keys::now();
        match status {
            200 if before < ends => hits += 1,
            401 if after >= ends => {
                same(&reason, &"token.expired".to_owned())?;
                break;
            }
            _ => {
                return Err(format!(
                    "{status} {reason} between {before} and {after}, the end was {ends}"
                )
                .into());
            }
        }
    }
    println!("{hits} hits, then token.expired");
    if hits > 20 { Ok(()) } else { Err(format!("{hits} hits alone: was it remembered?").into()) }
}

/// The same keys, and a policy that asks for more: what was remembered under the one before admits nobody.
fn a_hit_is_judged_by_the_policy_of_now(binary: &Binary) -> Result<(), Failed> {
    let open = policy(&iahome());
    let mut gate = Gate::start(binary, &open);
    let known = token("iahome");
    for (place, value, status, reason) in [
        ("/modules/0/routes/0/token/roles", json!(["admin"]), 403, "token.roles"),
        ("/modules/0/routes/0/token/claims", json!({ "plan": "pro" }), 403, "token.claims"),
        ("/issuers/0/max_lifetime", json!("1m"), 401, "token.lifetime"),
        ("/issuers/0/issuer", json!("https://iahome.fr"), 401, "token.issuer"),
        (
            "/issuers/0/revoked",
            json!({ "issued_before": "2099-01-01T00:00:00Z" }),
            401,
            "token.revoked",
        ),
    ] {
        for _ in 0..3 {
            gate.says(&known, 200, "")?;
        }
        let mut policy = open.clone();
        let (section, key) = place.rsplit_once('/').expect("a key in a section");
        policy.pointer_mut(section).expect("a section")[key] = value;
        gate.replace(&policy)?;
        gate.says(&known, status, reason)?;
        gate.replace(&open)?;
    }
    Ok(gate.is_sound()?)
}

/// docs/operating.md: which version and policy serve, by which keys, and no secret. One policy has one digest,
/// and another one another.
fn one_line_says_what_is_loaded(binary: &Binary) -> Result<(), Failed> {
    let loaded = |policy: &Value| -> Result<Value, Failed> {
        let gate = Gate::start(binary, policy);
        assert!(gate.served.envoy.logs("policy.loaded"), "nothing says what is loaded");
        let log = gate.served.envoy.logged();
        // The last line may still be on its way.
        let whole = log.rfind('\n').map_or("", |end| &log[..end]);
        let lines = whole.lines().filter(|line| line.contains("policy.loaded"));
        // One from each VM, all of them the same.
        let texts = lines.filter_map(|line| Some(&line[line.find('{')?..]));
        let texts: std::collections::BTreeSet<&str> = texts.collect();
        let [text] = texts.iter().collect::<Vec<_>>()[..] else {
            return Err(format!("{texts:?}").into());
        };
        for secret in RING.environment().values() {
            assert!(!log.contains(secret), "a secret is in the log");
        }
        Ok(serde_json::from_str(text)?)
    };
    let line = loaded(&policy(&iahome()))?;
    let digest = line["policy"].as_str().unwrap_or_default().to_owned();
    let expected = json!({ "event": "policy.loaded", "version": env!("CARGO_PKG_VERSION"), "policy": digest,
        "mode": "enforce", "modules": ["stablediffusion"], "keys": ["iahome[0] HS256"], "api_keys": [],
        "verified_by_host": ["RSA", "P-256", "P-384"] });
    same(&line, &expected)?;
    assert!(digest.len() == 16 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{digest}");
    same(&loaded(&policy(&iahome()))?["policy"], &line["policy"])?;
    match loaded(&policy(&partner()))?["policy"] == line["policy"] {
        false => Ok(()),
        true => Err("two policies have one digest".into()),
    }
}

/// A first PS256 signature costs Envoy about 0.6 ms (its host verifies none), a remembered one next to
/// nothing: so its CPU time tells whether a token was remembered.
fn as_many_as_the_policy_says(binary: &Binary) -> Result<(), Failed> {
    let tokens: Vec<String> = (0..120)
        .map(|number| {
            let subject = Some(format!("user-{number}"));
            let (key, alg) = (Some("rsa".into()), Some("PS256".into()));
            RING.mint(&Recipe { key, alg, subject, ..Recipe::default() })
        })
        .collect();
    let cost = |remembered: u32, used: usize| -> f64 {
        let mut policy = policy(&json!([{ "public_key": { "env": "RSA_PUBLIC_KEY" } }]));
        policy["issuers"][0]["algorithms"] = json!(["PS256"]);
        policy["remember_tokens"] = remembered.into();
        let gate = Gate::start(binary, &policy);
        let mut connection = Connection::open(gate.address);
        let mut round = || {
            for token in &tokens[..used] {
                assert_eq!(connection.get(HOST, "/", token).status, 200);
            }
        };
        round();
        round();
        let before = cpu(gate.served.envoy.pid());
        (0..5).for_each(|_| round());
        (cpu(gate.served.envoy.pid()) - before) / (5 * used) as f64
    };
    let (all, none) = (cost(4096, 120), cost(0, 120));
    // Two generations of 30: what is used again within 30 others stays, what comes after 119 does not.
    let (few, many) = (cost(60, 20), cost(60, 120));
    println!(
        "µs of CPU a request: all remembered {all:.0}, none {none:.0}, 60 at most: of 20 {few:.0}, of 120 {many:.0}"
    );
    let middle = f64::midpoint(all, none);
    match none > 2.0 * all && few < middle && many > middle {
        true => Ok(()),
        false => Err("the bound does not show".into()),
    }
}

/// Microseconds that all threads of a process were on a CPU, by the scheduler's accounting.
fn cpu(pid: u32) -> f64 {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).expect("a process");
    let of_task = |task: std::fs::DirEntry| {
        let text = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        text.split(' ')
            .next()
            .and_then(|nanoseconds| nanoseconds.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    tasks.flatten().map(of_task).sum::<f64>() / 1000.0
}
