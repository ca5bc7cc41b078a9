//! A JSON text against the fields: read once, without a tree, and strictly everywhere, since what a backend
//! makes of it must be what was looked at. A member that stands twice, a name in another case (Go's
//! `encoding/json` takes it for the same), text that is no UTF-8 and nesting beyond 127 are mistakes.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::mistake::{self, Context, Held, Mistake, Part};
use super::{Field, Fields, Kind, folded};

/// How many mistakes are told.
const MOST: usize = 20;

const TWICE: &str = "a member stands twice";

/// Everything that is wrong with a body, as far as it is told; nothing where it is as it should be.
pub(crate) fn mistakes(body: &[u8], fields: &Fields) -> Vec<Mistake> {
    if body.is_empty() {
        return if fields.is_required() { vec![Mistake::no_body()] } else { Vec::new() };
    }
    let found = Found(RefCell::default());
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let seed = Value { fields: Some(fields), at: &Trail::Body, found: &found };
    match seed.deserialize(&mut deserializer).and_then(|()| deserializer.end()) {
        Ok(()) => found.0.into_inner(),
        Err(error) => vec![Mistake::not_json(match error.classify() {
            Category::Data => TWICE,
            Category::Eof => "the text ends too early",
            Category::Syntax | Category::Io => "this is not JSON, or nested too deeply",
        })],
    }
}

struct Found(RefCell<Vec<Mistake>>);

/// The way to a value, written out only where something is wrong with it.
enum Trail<'t> {
    Body,
    Member(&'t Trail<'t>, &'t str),
    Item(&'t Trail<'t>, usize),
}

impl Trail<'_> {
    fn parts(&self) -> Vec<Part> {
        let (parent, part) = match self {
            Self::Body => return mistake::body(),
            Self::Member(parent, name) => (parent, Part::Member((*name).to_owned())),
            Self::Item(parent, index) => (parent, Part::Item(*index)),
        };
        let mut parts = parent.parts();
        parts.push(part);
        parts
    }
}

impl Found {
    fn add(&self, at: &Trail<'_>, kind: &'static str, message: impl Into<String>) {
        self.with(at, kind, message, None);
    }

    fn with(
        &self,
        at: &Trail<'_>,
        kind: &'static str,
        message: impl Into<String>,
        context: Option<Context>,
    ) {
        let mut all = self.0.borrow_mut();
        if all.len() < MOST {
            all.push(Mistake::new(kind, at.parts(), message, context));
        }
    }
}

/// A value at its place.
struct Value<'s> {
    fields: Option<&'s Fields>,
    at: &'s Trail<'s>,
    found: &'s Found,
}

/// A number as it stands.
#[derive(Clone, Copy)]
enum Number {
    Whole(i128),
    Other(f64),
}

impl<'s> Value<'s> {
    /// What is asked of this value, where it has the right type; else the mistake is noted.
    fn of(&self, kinds: &[Kind]) -> Option<&'s Field> {
        let fields = self.fields?;
        let wanted = match &fields.rule {
            Some(rule) if kinds.contains(&rule.kind) => return Some(rule),
            Some(rule) if kinds.is_empty() && rule.optional => return None,
            Some(rule) => rule.kind,
            None if !fields.members.is_empty() => Kind::Object,
            None if fields.items.is_some() => Kind::Array,
            None => return None,
        };
        if !kinds.contains(&wanted) {
            let (kind, message) = wanted_type(wanted);
            self.found.add(self.at, kind, message);
        }
        None
    }

    fn text(&self, text: &str) {
        let Some(rule) = self.of(&[Kind::String]) else { return };
        let length = text.chars().count();
        let kinds = ["string_too_short", "string_too_long"];
        if !self.bounds(rule, length, kinds, "String", "character") {
            return;
        }
        if let Some(pattern) = rule.pattern.as_ref().filter(|pattern| !pattern.0.is_match(text)) {
            let pattern = pattern.0.as_str();
            let message = format!("String should match pattern '{pattern}'");
            let context = Some(Context("pattern", Held::Text(pattern.to_owned())));
            self.found.with(self.at, "string_pattern_mismatch", message, context);
        }
        if !rule.forbid.is_empty() {
            let text = folded(text);
            if let Some(held) = rule.forbid.iter().find(|held| text.contains(held.as_str())) {
                let error = format!("must not hold {held:?}");
                let message = format!("Value error, {error}");
                self.found.with(
                    self.at,
                    "value_error",
                    message,
                    Some(Context("error", Held::Text(error))),
                );
            }
        }
    }

    /// Whether a length is within its bounds: `kinds` are what too little and too much are called.
    fn bounds(
        &self,
        rule: &Field,
        length: usize,
        kinds: [&'static str; 2],
        what: &str,
        unit: &str,
    ) -> bool {
        let size = |bound: u32| usize::try_from(bound).unwrap_or(usize::MAX);
        let say = |bound: u32, kind, side, name| {
            let s = if bound == 1 { "" } else { "s" };
            let message = format!("{what} should have at {side} {bound} {unit}{s}");
            self.found.with(
                self.at,
                kind,
                message,
                Some(Context(name, Held::Number(bound.into()))),
            );
            false
        };
        let [short, long] = kinds;
        match (rule.min_length, rule.max_length) {
            (Some(least), _) if length < size(least) => say(least, short, "least", "min_length"),
            (_, Some(most)) if length > size(most) => say(most, long, "most", "max_length"),
            _ => true,
        }
    }

    fn number(&self, number: Number) {
        let whole = match number {
            Number::Whole(_) => true,
            Number::Other(number) => number.fract() == 0.0 && number.abs() <= EXACT,
        };
        let kinds: &[Kind] = if whole { &[Kind::Integer, Kind::Number] } else { &[Kind::Number] };
        let Some(rule) = self.of(kinds) else { return };
        let say = |bound: i64, kind, than, name| {
            let message = format!("Input should be {than} than or equal to {bound}");
            self.found.with(self.at, kind, message, Some(Context(name, Held::Number(bound))));
        };
        if let Some(least) = rule.min.filter(|least| number.is_below(*least)) {
            say(least, "greater_than_equal", "greater", "ge");
        }
        if let Some(most) = rule.max.filter(|most| number.is_above(*most)) {
            say(most, "less_than_equal", "less", "le");
        }
    }

    /// What is asked of a member; one that only looks like one of those asked for is a mistake.
    fn member(&self, name: &str) -> Option<&'s Fields> {
        let fields = self.fields?;
        let known = fields.members.get(name);
        if known.is_none() && fields.folded.contains(&folded(name)) {
            let at = Trail::Member(self.at, name);
            self.found.add(&at, "extra_forbidden", "Extra inputs are not permitted");
        }
        known
    }

    fn missing(&self, seen: &BTreeSet<String>) {
        let members = self.fields.map(|fields| &fields.members).into_iter().flatten();
        for (name, _) in
            members.filter(|(name, fields)| !seen.contains(*name) && fields.is_required())
        {
            self.found.add(&Trail::Member(self.at, name), "missing", "Field required");
        }
    }
}

/// 2⁵³, up to which a double is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Number {
    #[allow(clippy::cast_precision_loss, reason = "the policy's bounds are exact in a double")]
    fn is_below(self, bound: i64) -> bool {
        match self {
            Self::Whole(number) => number < bound.into(),
            Self::Other(number) => number < bound as f64,
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "the policy's bounds are exact in a double")]
    fn is_above(self, bound: i64) -> bool {
        match self {
            Self::Whole(number) => number > bound.into(),
            Self::Other(number) => number > bound as f64,
        }
    }
}

fn wanted_type(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::String => ("string_type", "Input should be a valid string"),
        Kind::Integer => ("int_type", "Input should be a valid integer"),
        Kind::Number => ("float_type", "Input should be a valid number"),
        Kind::Boolean => ("bool_type", "Input should be a valid boolean"),
        Kind::Object => ("dict_type", "Input should be a valid dictionary"),
        Kind::Array => ("list_type", "Input should be a valid list"),
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.of(&[]);
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.of(&[Kind::Boolean]);
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.number(Number::Whole(number.into()));
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.number(Number::Whole(number.into()));
        Ok(())
    }

    fn visit_f64<E>(self, number: f64) -> Result<(), E> {
        self.number(Number::Other(number));
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.text(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let rule = self.of(&[Kind::Array]);
        let fields = self.fields.and_then(|fields| fields.items.as_deref());
        let mut length: usize = 0;
        loop {
            let at = Trail::Item(self.at, length);
            let item = Value { fields, at: &at, found: self.found };
            if items.next_element_seed(item)?.is_none() {
                break;
            }
            length = length.saturating_add(1);
        }
        if let Some(rule) = rule {
            self.bounds(rule, length, ["too_short", "too_long"], "List", "item");
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.of(&[Kind::Object]);
        let mut seen = BTreeSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !seen.insert(name.clone()) {
                return Err(A::Error::custom(TWICE));
            }
            let at = Trail::Member(self.at, &name);
            let fields = self.member(&name);
            map.next_value_seed(Value { fields, at: &at, found: self.found })?;
        }
        self.missing(&seen);
        Ok(())
    }
}
