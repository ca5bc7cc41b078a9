//! The headers that Vigile reads, by its own source and by a policy.

use std::collections::BTreeSet;
use std::path::Path;

use crate::case::Recipe;
use crate::keys::RING;
use crate::policies::project;

/// Every header that the core asks for by name, and those that the policy `routes` names.
pub fn read_headers() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in ["request", "decide"] {
        walk(&project().join("core/src").join(folder), &mut names);
    }
    scan(&std::fs::read_to_string(project().join("core/src/record.rs")).unwrap(), &mut names);
    assert!(names.len() >= 12 && names.contains("sec-fetch-site"), "not understood: {names:?}");
    let of_the_policy =
        "authorization x-api-key x-justification x-user-id x-user-plan x-gate x-roles";
    let overrides =
        "x-http-method-override x-http-method x-method-override x-original-url x-rewrite-url";
    let more = format!("{of_the_policy} {overrides} x-forwarded-for");
    names.extend(more.split_whitespace().map(str::to_owned));
    names
}

fn walk(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the core's source") {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => walk(&path, names),
            false => scan(&std::fs::read_to_string(&path).unwrap(), names),
        }
    }
}

/// `request.single("origin")`, `one(":method")`, `header("x-request-id")`.
fn scan(source: &str, names: &mut BTreeSet<String>) {
    let source = source.split("#[cfg(test)]").next().unwrap_or_default();
    for call in [".all(\"", ".single(\"", ".value(\"", "one(\"", "header(\""] {
        for rest in source.split(call).skip(1) {
            let name = rest.split('"').next().unwrap_or_default();
            if name.bytes().all(|byte| byte.is_ascii_lowercase() || b":-".contains(&byte)) {
                names.insert(name.to_owned());
            }
        }
    }
}

/// A token that holds, but for claims two thousand levels deep.
pub(super) fn deep_token() -> String {
    let deep = format!(r#"{{"exp":{{exp}},"a":{}1{}}}"#, "[".repeat(2000), "]".repeat(2000));
    let recipe = Recipe { raw_claims: Some(deep), ..Recipe::default() };
    format!("Bearer {}", RING.mint(&recipe))
}
