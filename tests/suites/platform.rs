//! docs/platform.md: every snippet is run as it is printed, and the core judges what it mints.
//!
//! A runtime that is not here is a skip with its reason, and a failure where `CI` is set (PHP's apart).

use std::collections::BTreeMap;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use vigile_tests::minting::{Kind, Runtime, Workshop};
use vigile_tests::policies;
use vigile_tests::snippets::{self, Snippet};
use vigile_tests::stand::{HOST, PLATFORM, Stand};
use vigile_tests::tools;

/// Every snippet of the document; each is named below, or in `tests/platform`.
const FILES: [&str; 17] = [
    "policy.yaml",
    "secret.sh",
    "mint.py",
    "mint.mjs",
    "mint.php",
    "mint_secret.rs",
    "pair.sh",
    "issuers.yaml",
    "mint_pair.py",
    "mint_pair.mjs",
    "mint_pair.php",
    "mint_pair.rs",
    "page.html",
    "page.mjs",
    "page.http",
    "refresh.mjs",
    "message.mjs",
];

fn main() {
    let arguments = Arguments::from_args();
    let document = std::fs::read_to_string(policies::project().join("docs/platform.md")).unwrap();
    let snippets = Arc::new(snippets::all(&document));
    let workshop = Arc::new(Workshop::with(&snippets, env!("CARGO_BIN_EXE_platform-mint")));
    let stand = Arc::new(Stand::new(&snippets, workshop.clone()));
    let mut trials = vec![
        of(&snippets, "every snippet is run", every_snippet_is_run),
        of(&snippets, "rust is what was compiled", rust_is_what_was_compiled),
        of(&snippets, "the page names the module and the platform", the_page_agrees),
    ];
    for runtime in Runtime::ALL {
        for (file, kind) in runtime.files().into_iter().zip([Kind::Secret, Kind::Pair]) {
            let stand = stand.clone();
            let title = format!("{} mints with a {}", runtime.name(), kind.name());
            trials.push(where_it_is(runtime, title, move || {
                stand.try_out(runtime, file, kind).map_err(Into::into)
            }));
        }
    }
    trials.push(where_it_is(Runtime::Node, "vigile-frame.js".into(), move || {
        workshop.copy("docs/vigile-frame.js");
        workshop.copy("core/src/reply/page.js");
        workshop.copy("tests/platform/vigile-frame.test.mjs");
        let test = ["--test", "--test-reporter=spec", "vigile-frame.test.mjs"];
        let said = workshop.run("node".as_ref(), &test, &BTreeMap::new())?;
        assert!(said.contains("fail 0") && !said.contains("pass 0"), "{said}");
        Ok(())
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn of(snippets: &Arc<Vec<Snippet>>, title: &str, check: fn(&[Snippet])) -> Trial {
    let snippets = snippets.clone();
    Trial::test(title, move || {
        check(&snippets);
        Ok(())
    })
}

fn where_it_is(
    runtime: Runtime,
    title: String,
    run: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    match runtime.missing() {
        None => Trial::test(title, run),
        Some(why) if runtime.is_required_in_ci() => tools::skipped(title, why),
        Some(why) => tools::passed_over(title, &why),
    }
}

fn every_snippet_is_run(snippets: &[Snippet]) {
    let files: Vec<&str> = snippets
        .iter()
        .map(|snippet| {
            let unnamed = || panic!("the snippet of line {} has no file", snippet.line);
            snippet.file.as_deref().unwrap_or_else(unnamed)
        })
        .collect();
    assert_eq!(files, FILES);
}

fn rust_is_what_was_compiled(snippets: &[Snippet]) {
    let compiled = [
        ("mint_secret.rs", include_str!("../platform/mint_secret.rs")),
        ("mint_pair.rs", include_str!("../platform/mint_pair.rs")),
    ];
    for (file, source) in compiled {
        assert_eq!(snippets::text(snippets, file), source, "{file} in tests/platform differs");
    }
}

/// A policy, a frame, a page and its headers that are of one mind.
fn the_page_agrees(snippets: &[Snippet]) {
    let text = |file| snippets::text(snippets, file);
    let module = format!("https://{HOST}");
    for (file, part) in [
        ("policy.yaml", format!("hosts: [{HOST}]")),
        ("policy.yaml", format!("platform: {PLATFORM}")),
        ("page.mjs", format!("\"{module}/\"")),
        ("page.http", format!("frame-src {module};")),
        ("page.http", format!("connect-src 'self' {module};")),
        ("page.http", "Cache-Control: no-store\n".into()),
        ("refresh.mjs", format!("\"{module}/.vigile/refresh?token=NEW\"")),
        ("message.mjs", format!("\"{PLATFORM}\"")),
        // What 000_c7cfb956090c32fd.txt allows, and downloads.
        ("page.html", "sandbox=\"allow-scripts allow-same-origin allow-forms allow-popups allow-modals allow-downloads\"".into()),
        ("page.html", "id=\"module\"".into()),
        ("page.html", "id=\"refusal\"".into()),
        ("page.html", "id=\"sign-out\"".into()),
        ("page.html", "type=\"module\" src=\"page.mjs\"".into()),
    ] {
        assert!(text(file).contains(&part), "{file} lacks {part}");
    }
    assert!(!text("page.html").contains("src=\"http"), "the script opens the frame");
}
