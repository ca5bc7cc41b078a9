//! What is wrong with a body, in the shape that FastAPI's clients know: `type`, `loc`, `msg`, `ctx`, with
//! the words of pydantic 2. Not its `input`: what was sent is not repeated.

use serde::{Serialize, Serializer};

/// One mistake, as JSON has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mistake {
    #[serde(rename = "ctx", skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
    /// Its first step is the body.
    #[serde(rename = "loc")]
    place: Vec<Part>,
    #[serde(rename = "msg")]
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// A step to a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Part {
    Member(String),
    Item(usize),
}

/// What the message speaks of, under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Context(pub(super) &'static str, pub(super) Held);

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum Held {
    Text(String),
    Number(i64),
}

impl Serialize for Context {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.0, &self.1)])
    }
}

impl Mistake {
    pub(super) fn new(
        kind: &'static str,
        place: Vec<Part>,
        message: impl Into<String>,
        context: Option<Context>,
    ) -> Self {
        Self { kind, place, message: message.into(), context }
    }

    /// There is no body at all.
    pub(crate) fn no_body() -> Self {
        Self::new("missing", body(), "Field required", None)
    }

    pub(super) fn not_json(why: &str) -> Self {
        let context = Context("error", Held::Text(why.to_owned()));
        Self::new("json_invalid", body(), "JSON decode error", Some(context))
    }

    /// Where it stands, for a sentence: `messages.0.content`.
    pub(crate) fn place(&self) -> String {
        let parts = self.place.iter().map(|part| match part {
            Part::Member(name) => name.clone(),
            Part::Item(index) => index.to_string(),
        });
        let within = usize::from(self.place.len() > 1);
        parts.skip(within).collect::<Vec<_>>().join(".")
    }

    /// What is wrong there.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }
}

/// The place of the body itself.
pub(super) fn body() -> Vec<Part> {
    vec![Part::Member("body".to_owned())]
}
