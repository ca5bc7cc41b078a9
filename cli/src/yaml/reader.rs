//! The parser's events → [`Yaml`], bounded in depth and size.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::hints::problem;
use super::tabs::{Spaced, Stop, is_behind_a_tab};
use super::{Key, NotYaml, Place, Style, Value, Yaml};

/// Envoy reads nothing deeper: protobuf's JSON reader stops there (observed on 1.36 and 1.40).
const DEEPEST: usize = 100;

/// About as many bytes as a document may take, what aliases stand for included.
const HEAVIEST: usize = 128 * 1024 * 1024;

/// About as many bytes as a value takes beside its text.
const NODE: usize = 64;

/// Reads one document; `plain` is the style of words without quotes.
pub(super) fn read(text: &str, plain: Style) -> Result<Yaml, NotYaml> {
    let mut spaced = Spaced::of(text);
    loop {
        match once(spaced.text(), plain) {
            Err(stop) if spaced.mends(&stop) => {}
            outcome => return outcome.map_err(|stop| stop.wrong),
        }
    }
}

fn once(text: &str, plain: Style) -> Result<Yaml, Stop> {
    let lines: Vec<&str> = if text.contains('\t') { text.lines().collect() } else { Vec::new() };
    let mut reader = Reader {
        plain,
        documents: Vec::new(),
        open: Vec::new(),
        anchors: BTreeMap::new(),
        weight: 0,
    };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Stop {
            wrong: NotYaml { place: place(error.marker()), problem: problem(error.info()) },
            info: error.info().to_owned(),
            index: error.marker().index(),
        })?;
        let place = place(&span.start);
        if matches!(event, Event::MappingStart(..)) && is_behind_a_tab(&lines, place) {
            return wrong(place, "Envoy takes no key behind a tab: write spaces")
                .map_err(Stop::from);
        }
        reader.take(event, place)?;
    }
    only(reader.documents).map_err(Stop::from)
}

/// The document; of several, a list of them where all are objects of Kubernetes.
fn only(documents: Vec<Yaml>) -> Result<Yaml, NotYaml> {
    // A stream that was put together has empty ones: what a template left of a file.
    let count = documents.len();
    let mut said: Vec<Yaml> = documents.into_iter().filter(|one| !is_empty(one)).collect();
    match (said.pop(), said.as_slice()) {
        (None, _) => wrong(Place::START, "there is nothing in it"),
        (Some(document), []) if count == 1 || is_object(&document) => Ok(document),
        (Some(last), before) if before.iter().chain([&last]).all(is_object) => {
            said.push(last);
            Ok(Yaml { place: Place::START, value: Value::List(said) })
        }
        (Some(last), before) => wrong(
            before.get(1).unwrap_or(&last).place,
            "a second document begins here, and Envoy reads the first one alone. Several in one file are read where each is an object of Kubernetes, with apiVersion and kind",
        ),
    }
}

fn is_empty(document: &Yaml) -> bool {
    matches!(&document.value, Value::Scalar { text, style: Style::Plain } if ["", "~", "null"].contains(&text.as_str()))
}

/// Tells whether this is an object of Kubernetes.
fn is_object(document: &Yaml) -> bool {
    ["apiVersion", "kind"].iter().all(|key| document.get(key).and_then(Yaml::word).is_some())
}

fn wrong<T>(place: Place, problem: &str) -> Result<T, NotYaml> {
    Err(NotYaml { place, problem: problem.to_owned() })
}

fn place(marker: &Marker) -> Place {
    Place { line: marker.line().max(1), column: marker.col().saturating_add(1) }
}

struct Reader {
    plain: Style,
    documents: Vec<Yaml>,
    open: Vec<Open>,
    anchors: BTreeMap<usize, Anchored>,
    weight: usize,
}

/// A collection that is not closed yet.
struct Open {
    yaml: Yaml,
    anchor: usize,
    key: Option<Key>,
}

/// What an alias stands for.
struct Anchored {
    yaml: Yaml,
    weight: usize,
    height: usize,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, place: Place) -> Result<(), NotYaml> {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let style = if style == ScalarStyle::Plain { self.plain } else { Style::Quoted };
                let value = Value::Scalar { text: text.into_owned(), style };
                self.add(Yaml { place, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.begin(place, Value::List(Vec::new()), anchor),
            Event::MappingStart(anchor, _) => self.begin(place, Value::Map(Vec::new()), anchor),
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(Open { yaml, anchor, .. }) => self.add(yaml, anchor),
                None => Ok(()),
            },
            Event::Alias(anchor) => self.repeat(place, anchor),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, place: Place, value: Value, anchor: usize) -> Result<(), NotYaml> {
        self.bear(place, NODE)?;
        self.open.push(Open { yaml: Yaml { place, value }, anchor, key: None });
        match self.open.len() > DEEPEST {
            true => wrong(place, "this is deeper than 100 levels, which Envoy does not read"),
            false => Ok(()),
        }
    }

    fn repeat(&mut self, place: Place, anchor: usize) -> Result<(), NotYaml> {
        let Some(anchored) = self.anchors.get(&anchor) else {
            return wrong(place, "this alias stands inside of what it stands for");
        };
        if self.open.len().saturating_add(anchored.height) > DEEPEST {
            return wrong(
                place,
                "this alias makes it deeper than 100 levels, which Envoy does not read",
            );
        }
        let weight = anchored.weight;
        self.bear(place, weight)?;
        match self.anchors.get(&anchor).map(|anchored| anchored.yaml.clone()) {
            Some(yaml) => self.attach(yaml),
            None => Ok(()),
        }
    }

    fn bear(&mut self, place: Place, weight: usize) -> Result<(), NotYaml> {
        self.weight = self.weight.saturating_add(weight);
        match self.weight > HEAVIEST {
            true => wrong(place, "this is too large for a config, aliases written out"),
            false => Ok(()),
        }
    }

    fn add(&mut self, yaml: Yaml, anchor: usize) -> Result<(), NotYaml> {
        if let Value::Scalar { text, .. } = &yaml.value {
            self.bear(yaml.place, NODE.saturating_add(text.len()))?;
        }
        if anchor != 0 {
            let (weight, height) = (weight(&yaml), height(&yaml));
            self.bear(yaml.place, weight)?;
            self.anchors.insert(anchor, Anchored { yaml: yaml.clone(), weight, height });
        }
        self.attach(yaml)
    }

    fn attach(&mut self, yaml: Yaml) -> Result<(), NotYaml> {
        let Some(open) = self.open.last_mut() else {
            self.documents.push(yaml);
            return Ok(());
        };
        match (&mut open.yaml.value, open.key.take()) {
            (Value::List(items), _) => items.push(yaml),
            (Value::Map(entries), Some(key)) => entries.push((key, yaml)),
            (Value::Map(_), None) => match yaml.value {
                Value::Scalar { text, .. } => open.key = Some(Key { place: yaml.place, text }),
                _ => return wrong(yaml.place, "a key is a word"),
            },
            (Value::Scalar { .. }, _) => {}
        }
        Ok(())
    }
}

fn weight(yaml: &Yaml) -> usize {
    let inner: usize = match &yaml.value {
        Value::Scalar { text, .. } => text.len(),
        Value::List(items) => items.iter().map(weight).fold(0, usize::saturating_add),
        Value::Map(entries) => entries
            .iter()
            .map(|(key, value)| weight(value).saturating_add(NODE).saturating_add(key.text.len()))
            .fold(0, usize::saturating_add),
    };
    inner.saturating_add(NODE)
}

fn height(yaml: &Yaml) -> usize {
    let inner = match &yaml.value {
        Value::Scalar { .. } => return 0,
        Value::List(items) => items.iter().map(height).max(),
        Value::Map(entries) => entries.iter().map(|(_, value)| height(value)).max(),
    };
    inner.unwrap_or(0).saturating_add(1)
}

#[cfg(test)]
mod tests {
    use crate::yaml::{Place, Yaml};

    fn problem(text: &str) -> String {
        Yaml::parse(text).err().map(|error| error.problem).unwrap_or_default()
    }

    #[test]
    fn aliases_do_not_explode() {
        let level = |level: usize| {
            let before = format!("*a{}, ", level - 1).repeat(8);
            format!("a{level}: &a{level} [{before}]\n")
        };
        let text = format!("a0: &a0 [x, x, x, x]\n{}", (1..12).map(level).collect::<String>());
        assert!(problem(&text).contains("too large"));
        let long = format!("a: &a \"{}\"\nb: [{}]", "x".repeat(1_000_000), "*a,".repeat(100_000));
        assert!(problem(&long).contains("too large"));
    }

    #[test]
    fn depth_is_bounded_with_and_without_aliases() {
        let nested = |levels: usize| "- ".repeat(levels) + "x";
        assert_eq!(problem(&nested(100)), "");
        assert!(problem(&nested(101)).contains("deeper"));
        assert!(problem(&nested(1_000_000)).contains("deeper"));
        assert!(!problem(&"[".repeat(1_000_000)).is_empty());
        let chain = (1..200).map(|level| format!("- &a{level} [*a{}]\n", level - 1));
        let chain =
            format!("- &a0 {}\n{}", "[".repeat(90) + &"]".repeat(90), chain.collect::<String>());
        assert!(problem(&chain).contains("deeper"));
        assert!(!problem("&a [*a]").is_empty());
    }

    #[test]
    fn a_second_document_is_none_that_envoy_reads() {
        let error = Yaml::parse("a: 1\n---\nb: 2\n").err();
        assert_eq!(error.map(|error| error.place), Some(Place { line: 3, column: 1 }));
        assert_eq!(problem(""), "there is nothing in it");
    }

    #[test]
    fn objects_of_kubernetes_may_be_several() {
        let object = |name| format!("apiVersion: v1\nkind: {name}\n");
        let (a, b) = (object("A"), object("B"));
        let stream = format!("---\n# made by a template\n---\n{a}---\n{b}---\n");
        let read = Yaml::parse(&stream).ok();
        let kinds = read.iter().flat_map(Yaml::items).filter_map(|one| one.get("kind")?.word());
        assert_eq!(kinds.collect::<Vec<_>>(), ["A", "B"]);
        let alone = Yaml::parse(&format!("---\n---\n{a}")).ok();
        assert_eq!(
            alone.and_then(|one| Some(one.get("kind")?.word()?.to_owned())),
            Some("A".into())
        );
        assert!(problem(&format!("{a}---\nb: 2\n")).contains("a second document"));
        assert!(problem("---\n---\nb: 2\n").contains("a second document"));
    }
}
