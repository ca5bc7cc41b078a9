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

/// The host is called by `filter/abi` alone, in which nothing panics.
#[test]
fn the_filter_calls_what_the_document_says() {
    let sources = |folder: &str| -> String {
        let files = std::fs::read_dir(project().join(folder)).unwrap();
        let files = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
        files.map(|file| std::fs::read_to_string(file).unwrap()).collect()
    };
    let filter = sources("filter/src");
    assert!(filter.contains("abi::respond("), "the filter was not understood");
    assert!(!filter.contains("hostcalls"), "the filter calls the host by the SDK");
    assert!(!sources("filter/abi/src").contains("proxy_wasm::"), "the SDK in filter/abi");
    let listed = sdk::document().listed;
    let never = listed.iter().filter(|(_, (heading, _))| heading == "Never called");
    let calls = |function: &str| {
        let name = function.rsplit("::").next().unwrap_or_default();
        filter.contains(&format!(".{name}("))
    };
    let busy: Vec<_> = never.filter(|(function, _)| calls(function)).collect();
    assert!(busy.is_empty(), "listed as never called, and called: {busy:?}");
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

/// What `vigile check` says that the module needs of Envoy is what the filter calls and answers to.
#[test]
fn the_capabilities_are_those_that_the_filter_uses() {
    let read = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap();
    // What the module imports is what `filter/abi` declares.
    let declared = read(project().join("filter/abi/src/raw.rs"));
    let names = declared.split("fn proxy_").skip(1).filter_map(|rest| rest.split_once('('));
    let mut used: BTreeSet<String> = names.map(|(name, _)| format!("proxy_{name}")).collect();
    assert!(used.remove("proxy_call_foreign_function"), "without it the module verifies by itself");
    let exports = read(project().join("filter/exports.json"));
    let exports: Vec<serde_json::Value> = serde_json::from_str(&exports).unwrap();
    let exports = exports.iter().filter_map(|entry| entry["name"].as_str());
    // Envoy calls this one whether it is allowed or not.
    let callbacks =
        exports.filter(|name| name.starts_with("proxy_on_") && !name.ends_with("_allocate"));
    used.extend(callbacks.map(str::to_owned));
    // Of WASI: the variables, and what maps are seeded with.
    used.extend(["environ_get", "environ_sizes_get", "random_get"].map(str::to_owned));
    let needed: BTreeSet<String> =
        vigile::check::capabilities::NEEDED.map(str::to_owned).into_iter().collect();
    assert_eq!(needed, used);
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
