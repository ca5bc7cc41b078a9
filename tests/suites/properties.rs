//! Whatever is sent, nothing panics and what holds of every decision holds.
//!
//! `VIGILE_PROPERTY_CASES` says how many requests are drawn (and how many documents, a tenth of them).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Instant;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use vigile_policy::{Draft, Host, Reason, Tree};
use vigile_tests::bad;
use vigile_tests::hostile::invariants::check;
use vigile_tests::hostile::regarded::{PASSED_OVER, REGARDED};
use vigile_tests::hostile::world::{self, World};
use vigile_tests::hostile::{Hostile, Tape, chat, documents};
use vigile_tests::keys::RING;
use vigile_tests::mutants;

static WORLDS: LazyLock<Vec<World>> = LazyLock::new(world::all);

fn cases(share: u32) -> u32 {
    let asked = std::env::var("VIGILE_PROPERTY_CASES").ok().map(|cases| cases.parse().unwrap());
    asked.unwrap_or(8_000) / share
}

fn runner(share: u32) -> TestRunner {
    TestRunner::new(Config { cases: cases(share), failure_persistence: None, ..Config::default() })
}

/// Runs `test`, and says what came of it.
fn run<S: Strategy>(share: u32, strategy: S, test: impl Fn(S::Value) -> Result<(), String>) {
    let started = Instant::now();
    let held = runner(share).run(&strategy, |value| test(value).map_err(TestCaseError::fail));
    if let Err(error) = held {
        panic!("{error}");
    }
    println!("{} cases in {:?}", cases(share), started.elapsed());
}

#[test]
fn hostile_requests() {
    let reached = drawn(1, WORLDS.iter().collect());
    assert!(reached.len() > 25, "the requests are too tame: {reached:?}");
}

/// The same where a policy reads bodies.
#[test]
fn hostile_bodies() {
    let reached = drawn(2, WORLDS.iter().filter(|world| !world.readers.is_empty()).collect());
    let wanted =
        [Reason::BodyEncoding, Reason::BodyInvalid, Reason::BodyMediaType, Reason::BodyTooLarge];
    let tame = wanted.iter().filter(|reason| !reached.contains_key(reason));
    assert_eq!(tame.count(), 0, "the bodies are too tame: {reached:?}");
}

/// What comes of requests that are drawn for these worlds.
fn drawn(share: u32, worlds: Vec<&World>) -> BTreeMap<Reason, u32> {
    let reached = std::cell::RefCell::new(BTreeMap::<Reason, u32>::new());
    let tape = prop::collection::vec(any::<u8>(), 0..240);
    run(share, (0..worlds.len(), tape), |(at, tape)| {
        let world = worlds[at];
        let hostile = Hostile::draw(&mut Tape(&tape), world);
        let reason = check(world, &hostile)
            .map_err(|problem| format!("{}: {problem}\n{hostile:?}", world.name))?;
        *reached.borrow_mut().entry(reason).or_default() += 1;
        Ok(())
    });
    let reached = reached.into_inner();
    let missing: Vec<_> =
        Reason::ALL.iter().filter(|reason| !reached.contains_key(reason)).collect();
    println!("reasons: {reached:?}; not reached: {missing:?}");
    reached
}

/// The model reads each key of the policy's language, or says why not: a new one is thought of here as well.
#[test]
fn the_model_knows_every_key() {
    let variables = RING.environment();
    let good = bad::good()
        .into_iter()
        .flat_map(|(_, tree)| Draft::from(tree).keys(&variables, Host::ENVOY));
    let bad = bad::all();
    let all = good.chain(bad.iter().flat_map(bad::Bad::keys));
    let last = |path: &str| path.rsplit('.').next().unwrap().trim_end_matches("[]").to_owned();
    // A name of the author's own is `*`; `jwks_uri` is refused until keys can be fetched.
    let own = ["*", "jwks_uri"].map(str::to_owned);
    let schema: BTreeSet<String> =
        all.map(|key| last(&key.path)).filter(|name| !own.contains(name)).collect();
    let passed_over = PASSED_OVER.iter().flat_map(|(_, names)| *names);
    let known: BTreeSet<String> =
        REGARDED.iter().chain(passed_over).map(|name| (*name).to_owned()).collect();
    let missing: Vec<_> = schema.difference(&known).collect();
    let gone: Vec<_> = known.difference(&schema).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not known: {missing:?}; no keys: {gone:?}");
}

#[test]
fn any_bytes_in_any_header() {
    let name = prop_oneof![
        prop::sample::select(
            [
                ":method",
                ":path",
                ":authority",
                ":scheme",
                "cookie",
                "authorization",
                "origin",
                "accept"
            ]
            .as_slice()
        )
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    let headers = prop::collection::vec((name, prop::collection::vec(any::<u8>(), 0..80)), 0..12);
    run(
        1,
        (0..WORLDS.len(), headers, any::<i64>(), any::<Option<(std::net::Ipv6Addr, u16)>>()),
        |(at, headers, now, peer)| {
            let peer = peer.map(Into::into);
            let hostile = Hostile { headers, peer, now, end_of_stream: true, ..Hostile::default() };
            check(&WORLDS[at], &hostile)
                .map(drop)
                .map_err(|problem| format!("{problem}\n{hostile:?}"))
        },
    );
}

/// What is let through is what serde_json reads, and as its rule wants it; what is as the rule wants it is
/// let through.
#[test]
fn any_body() {
    const WORDS: [&str; 9] =
        ["<script", "javascript:", "data:", "<SCR", "ipt", "\n", "\0", "é", "\u{2028}"];
    let text =
        prop_oneof![any::<String>(), prop::sample::select(&WORDS[..]).prop_map(str::to_owned)];
    let text = prop::collection::vec(text, 0..4).prop_map(|parts| parts.concat());
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    run(4, (text.clone(), prop::option::of(text), changes), |(message, user, changes)| {
        let json =
            serde_json::json!({ "message": message, "user_id": user, "more": [{ "a": message }] });
        let mut body = serde_json::to_vec(&json).unwrap();
        for (index, byte) in &changes {
            let at = index.index(body.len());
            body[at] = *byte;
        }
        match chat::check(&body)? {
            // A changed byte may make a second `message` of a name.
            Reason::BodyInvalid if chat::is_one(&body) && changes.is_empty() => {
                Err(format!("refused: {}", String::from_utf8_lossy(&body)))
            }
            _ => Ok(()),
        }
    });
    run(4, prop::collection::vec(any::<u8>(), 0..60), |body| chat::check(&body).map(drop));
}

#[test]
fn any_bytes_as_a_policy() {
    run(1, prop::collection::vec(any::<u8>(), 0..300), |bytes| documents::check(&bytes));
}

#[test]
fn a_policy_with_bytes_changed() {
    let policies: Vec<Vec<u8>> = bad::good()
        .iter()
        .flat_map(|(_, tree)| [serde_json::to_vec(tree).unwrap(), bad::as_struct(tree)])
        .collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5);
    run(10, (0..policies.len(), changes), |(at, changes)| {
        let mut bytes = policies[at].clone();
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        documents::check(&bytes)
    });
}

#[test]
fn json_a_struct_and_a_tree_mean_the_same() {
    let variables = RING.environment();
    run(10, tree(), |tree| {
        let plain = Draft::from(tree.clone()).resolve(&variables, Host::ENVOY);
        let plain = plain
            .map(|state| state.summary("test", &[]))
            .map_err(|mistakes| mistakes.into_iter().collect());
        let json = bad::outcome(&serde_json::to_vec(&tree).unwrap(), &variables);
        let structure = bad::outcome(&bad::as_struct(&tree), &variables);
        match plain == json && json == structure {
            true => Ok(()),
            false => Err(format!("{plain:#?}\n{json:#?}\n{structure:#?}")),
        }
    });
}

/// Trees of the schema's words, that now and then are policies. No key stands twice: a Struct cannot
/// hold it.
fn tree() -> impl Strategy<Value = Tree> {
    let words: Vec<String> = bad::good().iter().flat_map(|(_, tree)| texts(tree)).collect();
    let keys: Vec<String> = bad::good().iter().flat_map(|(_, tree)| keys(tree)).collect();
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Flag),
        (-5i32..2000).prop_map(|number| Tree::Number(number.into())),
        prop::sample::select(words).prop_map(Tree::Text),
        any::<String>().prop_map(Tree::Text),
    ];
    let inner = leaf.prop_recursive(5, 60, 6, move |inner| {
        let key = prop_oneof![9 => prop::sample::select(keys.clone()), 1 => any::<String>()];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::List),
            prop::collection::btree_map(key, inner, 0..6)
                .prop_map(|map| Tree::Map(map.into_iter().collect())),
        ]
    });
    let good: Vec<Tree> = bad::good().into_iter().map(|(_, tree)| tree).collect();
    (prop::sample::select(good), any::<usize>(), inner)
        .prop_map(|(tree, at, new)| mutants::grafted(&tree, at, new))
}

fn texts(tree: &Tree) -> Vec<String> {
    match tree {
        Tree::Text(text) => vec![text.clone()],
        Tree::List(items) => items.iter().flat_map(texts).collect(),
        Tree::Map(pairs) => pairs.iter().flat_map(|(_, tree)| texts(tree)).collect(),
        _ => Vec::new(),
    }
}

fn keys(tree: &Tree) -> Vec<String> {
    match tree {
        Tree::List(items) => items.iter().flat_map(keys).collect(),
        Tree::Map(pairs) => {
            pairs.iter().flat_map(|(key, tree)| [vec![key.clone()], keys(tree)].concat()).collect()
        }
        _ => Vec::new(),
    }
}
