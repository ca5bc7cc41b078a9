//! docs/sdk-panics.md lists the panics of the SDK that the filter is built with: all of them, and no other.

use std::collections::BTreeSet;

use vigile_tests::policies::project;
use vigile_tests::sdk;

#[test]
fn the_document_lists_every_panic_and_no_other() {
    let package = sdk::package();
    let document = sdk::document();
    let found = sdk::panics(&package);
    assert!(found.len() > 100, "the SDK's source was not understood: {found:#?}");
    let mut wrong = Vec::new();
    for (function, sites) in &found {
        match document.listed.get(function) {
            None => wrong.push(format!("not listed: {function} {sites:?}")),
            Some((_, listed)) if listed != sites => {
                wrong.push(format!("{function}: {sites:?}, listed as {listed:?}"));
            }
            Some(_) => {}
        }
    }
    let gone = document.listed.keys().filter(|function| !found.contains_key(*function));
    wrong.extend(gone.map(|function| format!("listed, but not there: {function}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        document.text.contains(&format!("version {},", package.version)),
        "the SDK is {}",
        package.version
    );
    let count: usize = found.values().flat_map(|sites| sites.values()).sum();
    println!(
        "{} functions of proxy-wasm {} can panic, at {count} places",
        found.len(),
        package.version
    );
}

#[test]
fn the_filter_calls_what_the_document_says() {
    let source: String = std::fs::read_dir(project().join("filter/src"))
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    let calls = |function: &str| {
        let (path, name) = function.rsplit_once("::").unwrap();
        match path {
            "hostcalls" => source.contains(&format!("hostcalls::{name}(")),
            _ => source.contains(&format!(".{name}(")),
        }
    };
    // Behind others of the list, or behind the macros of `log`.
    let inner = ["hostcalls::log", "hostcalls::deserialize_map_bytes"];
    let (mut called, mut never) = (BTreeSet::new(), BTreeSet::new());
    for (function, (heading, _)) in sdk::document().listed {
        match heading.as_str() {
            "Called by the filter" if function.starts_with("hostcalls::") => {
                called.insert(function)
            }
            "Never called" => never.insert(function),
            _ => false,
        };
    }
    let idle: Vec<_> =
        called.iter().filter(|one| !calls(one) && !inner.contains(&one.as_str())).collect();
    assert!(idle.is_empty(), "listed as called, and not called: {idle:?}");
    let busy: Vec<_> = never.iter().filter(|one| calls(one)).collect();
    assert!(busy.is_empty(), "listed as never called, and called: {busy:?}");
    let known = |name: &str| called.contains(&format!("hostcalls::{name}"));
    let unknown: Vec<&str> = source
        .split("hostcalls::")
        .skip(1)
        .map(|rest| rest.split('(').next().unwrap_or_default())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .filter(|name| !known(name))
        .collect();
    assert!(unknown.is_empty(), "called, and not listed: {unknown:?}");
}

/// Envoy calls every callback that a module exports, so the build keeps those of this list alone: one that the
/// filter answers to and that is not listed would be taken away in silence.
#[test]
fn the_list_of_exports_is_what_the_filter_answers_to() {
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    let list = read(project().join("filter/exports.json"));
    let list: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
    let text = |entry: &serde_json::Value, key: &str| entry[key].as_str().unwrap().to_owned();
    assert!(list.iter().all(|entry| text(entry, "name") == text(entry, "export")));
    let listed: BTreeSet<String> = list.iter().map(|entry| text(entry, "export")).collect();
    assert_eq!(listed.len(), list.len(), "listed twice");

    // What Envoy needs of any module, and what makes and ends contexts.
    let mut needed: BTreeSet<String> = ["memory", "_initialize", "proxy_abi_version_0_2_1"]
        .into_iter()
        .chain(["proxy_on_memory_allocate", "proxy_on_context_create", "proxy_on_delete"])
        .chain(["proxy_on_vm_start"])
        .map(str::to_owned)
        .collect();
    for file in ["lib.rs", "stream.rs"] {
        let source = read(project().join("filter/src").join(file));
        let callbacks = source.split("fn on_").skip(1).filter_map(|rest| rest.split('(').next());
        needed
            .extend(callbacks.map(|name| format!("proxy_on_{}", name.trim_start_matches("http_"))));
    }
    assert!(needed.contains("proxy_on_request_headers"), "the filter was not understood");
    assert_eq!(listed, needed);

    let exports = read(sdk::package().folder.join("src/dispatcher.rs"))
        + &read(sdk::package().folder.join("src/allocator.rs"))
        + &read(project().join("filter/src/lib.rs"));
    for callback in needed.iter().filter(|name| name.starts_with("proxy_on_")) {
        assert!(exports.contains(&format!("fn {callback}(")), "the SDK exports no {callback}");
    }
}

/// The core decides, and its hosts are others' crates.
#[test]
fn the_core_has_no_host() {
    let tree = ["tree", "--package", "vigile-policy", "--edges", "normal", "--prefix", "none"];
    let output = std::process::Command::new(env!("CARGO")).args(tree).output().unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("vigile-core "), "{tree}");
    for host in ["proxy-wasm", "wasi", "wstd", "wit-bindgen"] {
        assert!(!tree.lines().any(|line| line.starts_with(&format!("{host} "))), "{host}");
    }
}
