//! Policies with a mistake: what the core says of each, that a real Envoy refuses to start with them and
//! logs the same, that no output holds a secret, and that no key of the schema lacks such a case.

use std::collections::{BTreeMap, BTreeSet};

use libtest_mimic::{Arguments, Failed, Trial};
use vigile_policy::{Draft, Host, Invalid, SchemaKey, Tree};
use vigile_tests::bad::{self, Bad, Document, in_schema};
use vigile_tests::corpus_envoy::{ENCODINGS, Encode};
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::keys::RING;
use vigile_tests::mutants::{self, Change, Mutant};

fn main() {
    let arguments = Arguments::from_args();
    let cases = bad::all();
    let mut trials = vec![
        Trial::test("schema/every key has a bad case", every_key_has_a_bad_case),
        Trial::test(
            "schema/every required key is missing once",
            every_required_key_is_missing_once,
        ),
        Trial::test("schema/the good policies use every key", the_good_policies_use_every_key),
    ];
    trials.extend(cases.iter().cloned().map(in_the_core));
    trials.extend(bad::good().into_iter().map(mutants_of));
    match std::env::var_os("VIGILE_ENVOYS") {
        Some(_) => {
            let chosen: Vec<Bad> = cases.into_iter().filter(|bad| bad.in_envoy).collect();
            let twelve = chosen.iter().find(|bad| bad.name == "many/twelve").expect("a case");
            for binary in envoy::binaries() {
                trials.extend(ENCODINGS.map(|encoding| in_envoy(&binary, encoding, twelve)));
            }
            let newest = envoy::newest();
            let rest = chosen.iter().filter(|bad| bad.name != twelve.name);
            trials.extend(rest.map(|bad| in_envoy(&newest, ENCODINGS[0], bad)));
        }
        None => trials.push(
            Trial::test("envoy (VIGILE_ENVOYS is not set: run ./build.sh test)", || Ok(()))
                .with_ignored_flag(true),
        ),
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn shown(mistakes: &[Invalid]) -> BTreeSet<String> {
    mistakes.iter().map(ToString::to_string).collect()
}

fn in_the_core(bad: Bad) -> Trial {
    Trial::test(format!("core/{}", bad.name), move || {
        let mistakes = match bad.mistakes() {
            Ok(line) => return Err(format!("it was accepted: {line}").into()),
            Err(mistakes) => mistakes,
        };
        same(&bad.expect, &shown(&mistakes))?;
        if mistakes.len() != bad.expect.len() {
            return Err(format!("said twice: {mistakes:#?}").into());
        }
        if let Document::Policy(tree) = &bad.document {
            for bytes in [serde_json::to_vec(tree).unwrap(), bad::as_struct(tree)] {
                let draft = Draft::read(&bytes).map_err(|_| "unreadable")?;
                let again = draft.resolve(&bad.variables, Host::ENVOY).err().unwrap_or_default();
                same(&bad.expect, &shown(&again))?;
            }
        }
        silent(&bad, &format!("{mistakes:?} {:?}", bad.mistakes_without_variables()))
    })
}

/// Envoy does not start, and its log lists every mistake, each on a line of its own, and their count.
fn in_envoy(binary: &Binary, (encoding, encode): (&str, Encode), bad: &Bad) -> Trial {
    let (binary, bad) = (binary.clone(), bad.clone());
    let name = format!("envoy/{}/{encoding}/{}", binary.version, bad.name);
    Trial::test(name, move || {
        let policy = match &bad.document {
            Document::Policy(tree) => encode(&serde_json::to_value(tree).unwrap()),
            Document::Bytes(bytes) => {
                envoy::as_text(std::str::from_utf8(bytes).map_err(|_| "not for Envoy: no text")?)
            }
        };
        let config = envoy::bootstrap(&[envoy::plain_listener(&policy, &bad.variables)], &[]);
        let log = match Envoy::start(&binary, &config, &bad.variables) {
            Ok(_) => return Err("Envoy started".into()),
            Err(refused) => refused.0,
        };
        if log.contains("not ready in time") {
            return Err(format!("Envoy neither started nor stopped: {log}").into());
        }
        for mistake in &bad.expect {
            if !log.contains(&format!("policy: {mistake}\n")) {
                return Err(format!("Envoy's log lacks {mistake:?}:\n{log}").into());
            }
        }
        let lines = log.lines().filter(|line| line.contains(": policy: ")).count();
        let counted = match bad.expect.len() {
            1 => "policy refused: 1 mistake in all".to_owned(),
            all => format!("policy refused: {all} mistakes in all"),
        };
        match lines == bad.expect.len() && log.contains(&counted) {
            true => silent(&bad, &log),
            false => Err(format!("{lines} mistakes in Envoy's log:\n{log}").into()),
        }
    })
}

fn same(expected: &BTreeSet<String>, said: &BTreeSet<String>) -> Result<(), Failed> {
    let missing: Vec<_> = expected.difference(said).collect();
    let unexpected: Vec<_> = said.difference(expected).collect();
    match missing.is_empty() && unexpected.is_empty() {
        true => Ok(()),
        false => Err(format!("not said: {missing:#?}\nsaid: {unexpected:#?}").into()),
    }
}

fn silent(bad: &Bad, output: &str) -> Result<(), Failed> {
    match bad.secrets().into_iter().find(|secret| output.contains(secret)) {
        None => Ok(()),
        Some(secret) => Err(format!("{secret:?} was told: {output}").into()),
    }
}

/// A secret as somebody might write it, where it belongs and where it does not.
const SECRET: &str = "hush9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c";

/// What takes the place of every value in turn.
fn values() -> Vec<Tree> {
    let text = |text: &str| Tree::Text(text.to_owned());
    let map = |key: &str, value: Tree| Tree::Map(vec![(key.to_owned(), value)]);
    vec![
        Tree::Null,
        Tree::Flag(true),
        Tree::Flag(false),
        Tree::Number(-1.0),
        Tree::Number(0.5),
        Tree::Number(f64::MAX),
        text(""),
        text("\0\r\n\u{202e}é"),
        text(SECRET),
        Tree::List(vec![]),
        Tree::List(vec![text(SECRET), Tree::Null]),
        Tree::Map(vec![]),
        map("env", text("HUSH")),
        map("env", text(SECRET)),
        map(SECRET, Tree::Null),
        map(&format!("secret:{SECRET}"), Tree::Null),
    ]
}

/// Everything in a good policy, changed once in every way: no change panics, none lets a secret out,
/// none means one thing in one encoding and another in the next, and no null, no unknown key and no key
/// that stands twice is ever accepted.
fn mutants_of((name, tree): (String, Tree)) -> Trial {
    Trial::test(format!("mutants/{name}"), move || {
        let mut variables = RING.environment();
        variables.insert("HUSH".into(), format!("{SECRET}, {SECRET}"));
        let mutants = mutants::of(&tree, &values());
        for Mutant { tree, what, change } in &mutants {
            let json = bad::outcome(&serde_json::to_vec(tree).unwrap(), &variables);
            let structure = bad::outcome(&bad::as_struct(tree), &variables);
            if json != structure && *change != Change::Doubled {
                return Err(
                    format!("{what}\nas JSON: {json:#?}\nas a Struct: {structure:#?}").into()
                );
            }
            let refused = match change {
                Change::Value(Tree::Null) => !is_in_a_set(what),
                Change::Doubled => !is_in_a_set(what),
                Change::Renamed(_) => !is_the_authors(what),
                _ => false,
            };
            match json {
                Ok(_) if refused => return Err(format!("{what} was accepted").into()),
                Err(none) if none.is_empty() => return Err(format!("{what}: no word why").into()),
                Err(mistakes) if format!("{mistakes:?}").contains(bad::MARK) => {
                    return Err(format!("{what} was told: {mistakes:#?}").into());
                }
                _ => {}
            }
        }
        println!("{} changes of {name}", mutants.len());
        Ok(())
    })
}

/// Whether a change is within a JWK Set, whose members and keys are passed over where they cannot be used (RFC 7517 §5).
fn is_in_a_set(what: &str) -> bool {
    let path = what.split(':').next().unwrap_or_default();
    path.split_once("jwks.").is_some_and(|(_, member)| member != "keys")
}

/// Whether a key is a name of the author's own: a header's, a claim's, a member of a JWK.
fn is_the_authors(what: &str) -> bool {
    let parents = ["headers", "forward", "claims", "require_headers", "jwk"];
    let path: Vec<&str> = what.split(':').next().unwrap_or_default().split('.').collect();
    let parent = path.iter().rev().nth(1).copied().unwrap_or_default();
    let field = path.iter().skip_while(|part| **part != "json").skip(1).last();
    let field = field.is_some_and(|last| !bad::FIELD.contains(last));
    parents.contains(&parent) || path.contains(&"jwks") || field
}

/// Every key that any policy of the corpus, good or bad, makes a reader ask for.
fn schema() -> BTreeSet<SchemaKey> {
    let good = bad::good().into_iter().flat_map(|(_, tree)| keys(tree));
    good.chain(bad::all().iter().flat_map(Bad::keys)).collect()
}

fn keys(tree: Tree) -> BTreeSet<SchemaKey> {
    Draft::from(tree).keys(&RING.environment(), Host::ENVOY)
}

fn nothing_left(what: &str, left: BTreeSet<String>) -> Result<(), Failed> {
    match left.is_empty() {
        true => Ok(()),
        false => Err(format!("{what}: {left:#?}").into()),
    }
}

/// Where the bad cases' mistakes are, in the schema.
fn mistaken() -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for mistake in bad::all().iter().filter_map(|bad| bad.mistakes().err()).flatten() {
        all.entry(in_schema(&mistake.path)).or_default().insert(mistake.problem);
    }
    all
}

fn every_key_has_a_bad_case() -> Result<(), Failed> {
    let mistaken = mistaken();
    let unproven = schema().into_iter().map(|key| key.path);
    nothing_left(
        "keys of which no case of corpus/bad is wrong",
        unproven.filter(|path| !mistaken.contains_key(path)).collect(),
    )
}

fn every_required_key_is_missing_once() -> Result<(), Failed> {
    let mistaken = mistaken();
    let missed = |path: &str| {
        let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
        let said = format!("{key} is required");
        mistaken.get(section).is_some_and(|problems| problems.contains(&said))
    };
    // A map without `env` is no variable.
    let required = schema().into_iter().filter(|key| key.required && key.path != "{}.env");
    nothing_left(
        "required keys that no case of corpus/bad lacks",
        required.map(|key| key.path).filter(|path| !missed(path)).collect(),
    )
}

fn the_good_policies_use_every_key() -> Result<(), Failed> {
    let used: BTreeSet<String> = bad::good()
        .into_iter()
        .flat_map(|(_, tree)| keys(tree))
        .filter(|key| key.given)
        .map(|key| key.path)
        .collect();
    // It is refused until keys can be fetched.
    let known = schema().into_iter().map(|key| key.path);
    let unused = known.filter(|path| !used.contains(path) && path != "issuers[].keys[].jwks_uri");
    nothing_left("keys that no policy of corpus/policies uses", unused.collect())
}
