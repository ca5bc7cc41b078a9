//! docs/policy.md: what it prints, and what it names.

use std::collections::{BTreeMap, BTreeSet};

use libtest_mimic::Failed;
use vigile::yaml::Yaml;
use vigile_policy::{Draft, Host, SchemaKey};
use vigile_tests::bad::{self, Bad};
use vigile_tests::keys::RING;
use vigile_tests::snippets::Snippet;

/// What is printed can be copied: it is a whole policy, and a good one.
pub(crate) fn is_a_policy(snippet: &Snippet) -> Result<(), Failed> {
    let yaml =
        Yaml::parse(&snippet.text).map_err(|error| format!("{} {}", error.place, error.problem))?;
    let mut variables = RING.environment();
    variables.insert("IAHOME_PUBLIC_KEY".into(), variables["RSA_PUBLIC_KEY"].clone());
    let state = Draft::from(yaml.tree()).resolve(&variables, Host::ENVOY);
    state.map_err(|mistakes| Failed::from(format!("{mistakes:#?}")))?;
    crate::nothing_found(&snippet.text)
}

/// Every key of the schema stands in code in the section of its parent: in a table or a sentence, for an
/// example alone explains nothing.
pub(crate) fn names_every_key(document: &str) -> Result<(), Failed> {
    let sections = sections(document);
    let missing: BTreeSet<String> = schema()
        .into_iter()
        .map(|key| key.path)
        .filter(|path| !is_named(path, &sections))
        .collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!("not named: {missing:#?}").into()),
    }
}

fn is_named(path: &str, sections: &BTreeMap<String, BTreeSet<String>>) -> bool {
    let mut parts = path.split('.').map(|part| part.trim_end_matches("[]")).rev();
    let name = parts.next().unwrap();
    let parent = parts.find_map(|part| sections.get(part));
    let top = match path.starts_with("{}") {
        true => "How it is written",
        false => "The top",
    };
    // A name of the author's own has none.
    name == "*" || parent.unwrap_or(&sections[top]).contains(name)
}

/// The words in code of each section, by its heading.
fn sections(document: &str) -> BTreeMap<String, BTreeSet<String>> {
    let prose: String = document.split("```").step_by(2).collect();
    let sections = prose.split("\n#").skip(1).map(|section| {
        let (heading, text) = section.split_once('\n').unwrap();
        let heading = heading.trim_start_matches('#').trim().trim_matches('`');
        (heading.to_owned(), words_in_code(text))
    });
    sections.collect()
}

/// Every key that any policy of the corpus, good or bad, makes a reader ask for.
fn schema() -> BTreeSet<SchemaKey> {
    let keys = |(_, tree)| Draft::from(tree).keys(&RING.environment(), Host::ENVOY);
    let good = bad::good().into_iter().flat_map(keys);
    good.chain(bad::all().iter().flat_map(Bad::keys)).collect()
}

/// The words between backticks.
fn words_in_code(text: &str) -> BTreeSet<String> {
    let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let code = text.split('`').skip(1).step_by(2);
    code.flat_map(|code| code.split(word)).map(str::to_owned).collect()
}
