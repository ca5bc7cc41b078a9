//! A template that was not rendered: whatever else could be said of it would be beside the point.

use crate::sample::{is_name, places};
use crate::yaml::{NotYaml, Place, Value, Yaml};

/// The first `${NAME}` of a file that is a template. Envoy takes such a text as it stands, in a script
/// or a body too, so of a file that can be read it must be a word or a part of one.
pub(super) fn unrendered(text: &str, read: &Result<Yaml, NotYaml>) -> Option<NotYaml> {
    let is_comment = |line: &str| line.trim_start().starts_with('#');
    let mut lines = text.lines().enumerate().filter(|(_, line)| !is_comment(line));
    let (at, line, name) = lines.find_map(|(at, line)| {
        places(line).find(|(_, name)| is_name(name)).map(|(_, name)| (at, line, name))
    })?;
    if read.as_ref().is_ok_and(|yaml| !has_place(yaml)) {
        return None;
    }
    let before = line.split("${").next().unwrap_or_default();
    let place =
        Place { line: at.saturating_add(1), column: before.chars().count().saturating_add(1) };
    let problem = format!(
        "${{{name}}} is not filled in: this is a template. Render it first, and check what comes \
         of it: vigile render FILE --env-file .env | vigile check -"
    );
    Some(NotYaml { place, problem })
}

/// Whether a word holds a place, and nothing that no name, address or path does.
fn has_place(yaml: &Yaml) -> bool {
    match &yaml.value {
        Value::Scalar { text, .. } => {
            let is_word = |text: &str| !text.contains(|c: char| " \n;(`<".contains(c));
            is_word(text) && places(text).any(|(_, name)| is_name(name))
        }
        Value::List(items) => items.iter().any(has_place),
        Value::Map(entries) => entries.iter().any(|(_, value)| has_place(value)),
    }
}
