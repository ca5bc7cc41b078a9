//! What is wrong with a body, in the shape that FastAPI's clients know: `type`, `loc`, `msg`, `ctx`, with
//! the words of pydantic 2. Not its `input`: what was sent is not repeated.

use serde_json::{Value, json};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    kind: &'static str,
    place: Vec<Part>,
    message: String,
    context: Option<(&'static str, Value)>,
}

/// A step to a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Member(String),
    Item(usize),
}

impl Mistake {
    pub(super) fn new(
        kind: &'static str,
        place: Vec<Part>,
        message: impl Into<String>,
        context: Option<(&'static str, Value)>,
    ) -> Self {
        Self { kind, place, message: message.into(), context }
    }

    /// There is no body at all.
    pub(crate) fn no_body() -> Self {
        Self::new("missing", Vec::new(), "Field required", None)
    }

    pub(super) fn not_json(why: &str) -> Self {
        Self::new("json_invalid", Vec::new(), "JSON decode error", Some(("error", why.into())))
    }

    /// As JSON has it.
    pub(crate) fn json(&self) -> Value {
        let place = self.place.iter().map(|part| match part {
            Part::Member(name) => Value::from(name.as_str()),
            Part::Item(index) => Value::from(*index),
        });
        let place: Vec<Value> = std::iter::once(Value::from("body")).chain(place).collect();
        let mut all = json!({ "type": self.kind, "loc": place, "msg": self.message });
        if let (Some((name, value)), Some(all)) = (&self.context, all.as_object_mut()) {
            all.insert("ctx".to_owned(), json!({ *name: value }));
        }
        all
    }

    /// Where it stands, for a sentence: `messages.0.content`.
    pub(crate) fn place(&self) -> String {
        let parts = self.place.iter().map(|part| match part {
            Part::Member(name) => name.clone(),
            Part::Item(index) => index.to_string(),
        });
        match self.place.is_empty() {
            true => "body".to_owned(),
            false => parts.collect::<Vec<_>>().join("."),
        }
    }

    /// What is wrong there.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}
