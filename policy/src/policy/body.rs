//! `body`: what a route takes as a request's body.

use regex_lite::{Regex, RegexBuilder};
use vigile_core::body::{Field, Fields, Kind, Pattern, folded};
use vigile_core::policy::{Body, JSON};

use crate::document::{Node, Section, Tree, quoted, texts};

/// The default bound. Django's and Spring's are 2.5 MB and 2 MB for forms; JSON of a chat is far less.
const USUAL: u32 = 64 * 1024;

/// What is held stands in Envoy's buffer, whose limit is 1 MiB unless the listener says otherwise
/// (`per_connection_buffer_limit_bytes`); above that Envoy answers 413 itself.
const MOST_HELD: u32 = 1024 * 1024;

/// Two GiB are one upload.
const MOST: u32 = 2 * 1024 * MOST_HELD;

/// How large a compiled pattern gets, in bytes: a policy is loaded once for every worker.
const PATTERN_SIZE: usize = 64 * 1024;

/// The most that a pattern may cost, in bytes of it times characters of text: each character may go through all
/// of the pattern, a quarter of a nanosecond a byte (V8), so that this is 35 ms of a worker.
const PATTERN_COST: usize = 128 * 1024 * 1024;

const LIKE: &str = "{ json: { message: { type: string, max_length: 10000 } } }";

/// Reads the section.
pub(super) fn read(node: &Node<'_>) -> Option<Body> {
    let section = node.section(LIKE)?;
    let max_bytes = section.or("max_bytes", USUAL, |node| node.whole_number(1, MOST));
    let longest = max_bytes.unwrap_or(USUAL);
    let fields = section.or("json", Fields::default(), |node| fields(node, longest));
    let media_types = match section.has("json") {
        true => section.or("media_types", vec![JSON.to_owned()], media_types),
        false => section.required("media_types", media_types),
    };
    let cuts = section.or("chunked", false, |node| node.word(&[("refuse", false), ("cut", true)]));
    let body =
        Body { media_types: media_types?, max_bytes: max_bytes?, cuts: cuts?, json: fields? };
    sound(&section, &body).map(|()| body)
}

fn sound(section: &Section<'_>, body: &Body) -> Option<()> {
    let node = section.node();
    let streams = body.media_types.iter().any(|kind| !Body::is_json(kind));
    match body.holds() {
        true if body.max_bytes > MOST_HELD => node.wrong(format!(
            "JSON is held in memory: max_bytes is {MOST_HELD} at most where media_types lists JSON"
        )),
        false if section.has("json") => {
            node.wrong("json looks into JSON, and media_types lists none: add application/json")
        }
        _ if section.has("chunked") && !streams => node.wrong(
            "chunked is for what is not held, and every media type here is JSON: leave it out",
        ),
        _ => Some(()),
    }
}

fn media_types(node: &Node<'_>) -> Option<Vec<String>> {
    let token = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    node.each("[application/json]", |node| {
        let given = node.string()?;
        match given.split_once('/') {
            Some((kind, subtype)) if token(kind) && token(subtype) => {
                Some(given.to_ascii_lowercase())
            }
            _ => node.wrong(format!(
                "{} is no media type: it is written type/subtype, without parameters (RFC 6838 §4.2)",
                quoted(given)
            )),
        }
    })
}

/// The fields by their paths: `message`, `options.steps`, `messages[].content`.
fn fields(node: &Node<'_>, longest: u32) -> Option<Fields> {
    let read = node.each_entry("{ message: { type: string } }", |path, node| {
        // Of many texts each may be short, and all of them are as long as the body.
        let one = !path.contains("[]");
        field(node, longest, one).map(|field| (path, *node, field))
    })?;
    let mut fields = Fields::default();
    let mut sound = Some(());
    // Parents come before their children: the entries are sorted.
    for (path, node, field) in read {
        if let Err(problem) = fields.insert(path, field) {
            sound = node.wrong(problem);
        }
    }
    sound.map(|()| fields)
}

/// `longest` is the body's bound, and `one` whether it holds this field but once.
fn field(node: &Node<'_>, longest: u32, one: bool) -> Option<Field> {
    let section = node.section("{ type: string }")?;
    let kind = section.required("type", |node| node.word(&Kind::WORDS));
    let optional = section.optional("optional", Node::only_true).map(|said| said.is_some());
    let min_length = section.optional("min_length", |node| node.whole_number(0, MOST_HELD));
    let max_length = section.optional("max_length", |node| node.whole_number(0, MOST_HELD));
    let (min, max) = (section.optional("min", number), section.optional("max", number));
    let max_chars = max_length.flatten().filter(|_| one).map_or(longest, |most| most.min(longest));
    let pattern = section.optional("pattern", |node| pattern(node, max_chars));
    let forbid = section.or("forbid", Vec::new(), texts);
    let field = Field {
        kind: kind?,
        optional: optional?,
        min_length: min_length?,
        max_length: max_length?,
        min: min?,
        max: max?,
        pattern: pattern?,
        forbid: forbid?.iter().map(|text| folded(text)).collect(),
    };
    let suits = suits(&section, field.kind);
    let empty = |problem: &str| section.node().wrong(problem);
    let orderly = match (field.min_length.zip(field.max_length), field.min.zip(field.max)) {
        (Some((least, most)), _) if least > most => empty("min_length is more than max_length"),
        (_, Some((least, most))) if least > most => empty("min is more than max"),
        _ => Some(()),
    };
    suits?;
    orderly.map(|()| field)
}

/// Each key belongs to some types.
fn suits(section: &Section<'_>, kind: Kind) -> Option<()> {
    let of: [(&'static str, &[Kind]); 6] = [
        ("min_length", &[Kind::String, Kind::Array]),
        ("max_length", &[Kind::String, Kind::Array]),
        ("min", &[Kind::Integer, Kind::Number]),
        ("max", &[Kind::Integer, Kind::Number]),
        ("pattern", &[Kind::String]),
        ("forbid", &[Kind::String]),
    ];
    let foreign = of.into_iter().filter(|(key, kinds)| section.has(key) && !kinds.contains(&kind));
    let said: Vec<Option<()>> = foreign
        .map(|(key, _)| section.take(key)?.wrong(format!("a field of type {kind} has no {key}")))
        .collect();
    said.is_empty().then_some(())
}

/// 2⁵³, up to which a double holds every whole number.
#[allow(clippy::cast_possible_truncation, reason = "the range is checked first")]
fn number(node: &Node<'_>) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match node.tree() {
        Tree::Number(number) if number.fract() == 0.0 && number.abs() <= EXACT => {
            Some(*number as i64)
        }
        Tree::Number(_) => node.wrong("expected a whole number up to 2^53"),
        _ => node.expected("a whole number"),
    }
}

/// A regular expression for texts of so many characters at most.
fn pattern(node: &Node<'_>, longest: u32) -> Option<Pattern> {
    let given = node.string()?;
    let built = |size: usize| RegexBuilder::new(given).size_limit(size).build();
    let affordable = PATTERN_COST.checked_div(usize::try_from(longest).ok()?)?;
    match (built(PATTERN_SIZE.min(affordable)), built(PATTERN_SIZE)) {
        (Ok(regex), _) => Some(Regex::into(regex)),
        (Err(_), Ok(_)) => node.wrong(format!(
            "this pattern costs too much in texts of up to {longest} characters, each of which may go through all of it: bound them by max_length or max_bytes, or write it shorter (counted repetitions make it long)"
        )),
        (_, Err(problem)) => node.wrong(format!("this pattern cannot be used: {problem}")),
    }
}
