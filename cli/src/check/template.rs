//! A template that was not rendered: whatever else could be said of it would be beside the point.

use crate::sample::{named, places};
use crate::yaml::{NotYaml, Place, Value, Yaml};

/// The first place of a file that is a template. Envoy takes such a text as it stands, in a script
/// or a body too, so of a file that can be read it must be a word or a part of one.
pub(super) fn unrendered(text: &str, read: &Result<Yaml, NotYaml>) -> Option<NotYaml> {
    shell(text, read).or_else(|| braces(text, read))
}

/// `${NAME}`, which `vigile render` and `envsubst` fill in.
fn shell(text: &str, read: &Result<Yaml, NotYaml>) -> Option<NotYaml> {
    if read.as_ref().is_ok_and(|yaml| !holds(yaml, &has_place)) {
        return None;
    }
    let (at, line, name) = lines(text).find_map(|(at, line)| {
        places(line).find(|(_, name)| named(name).is_some()).map(|(_, name)| (at, line, name))
    })?;
    let problem = format!(
        "${{{name}}} is not filled in: this is a template. Render it first, and check what comes \
         of it: vigile render FILE --env-file .env | vigile check -"
    );
    Some(NotYaml { place: place(at, line, "${"), problem })
}

/// `{{ .Values.name }}`, as Helm, Ansible and others write it.
fn braces(text: &str, read: &Result<Yaml, NotYaml>) -> Option<NotYaml> {
    let is_one = |word: &str| word.starts_with("{{") && word.ends_with("}}");
    if read.as_ref().is_ok_and(|yaml| !holds(yaml, &is_one)) {
        return None;
    }
    let (at, line) = lines(text).find(|(_, line)| line.contains("{{") && line.contains("}}"))?;
    let problem = "{{ … }} is not filled in: this is a template. Render it first, and check what comes of it: \
                   helm template CHART | vigile check -";
    Some(NotYaml { place: place(at, line, "{{"), problem: problem.to_owned() })
}

/// The lines that are no comments, from 0.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'))
}

fn place(at: usize, line: &str, mark: &str) -> Place {
    let before = line.split(mark).next().unwrap_or_default();
    Place { line: at.saturating_add(1), column: before.chars().count().saturating_add(1) }
}

/// Tells whether a word holds a place, and nothing that no name, address or path does.
fn has_place(text: &str) -> bool {
    let is_word = !text.contains(|c: char| " \n;(`<".contains(c));
    is_word && places(text).any(|(_, name)| named(name).is_some())
}

/// Tells that some value is like this.
fn holds(yaml: &Yaml, like: &dyn Fn(&str) -> bool) -> bool {
    match &yaml.value {
        Value::Scalar { text, .. } => like(text),
        Value::List(items) => items.iter().any(|item| holds(item, like)),
        Value::Map(entries) => entries.iter().any(|(_, value)| holds(value, like)),
    }
}
