//! From bytes to a tree, and from a tree to typed values with every mistake at once.
//!
//! serde's derive stops at the first mistake and forgets where it stood. An operator who has twelve
//! of them wants to hear of twelve, so a policy is first a [`Tree`] and then read by hand.

mod algorithm;
mod hints;
mod idn;
mod json;
mod protobuf;
mod reader;
mod redact;
mod schema;
mod section;
mod span;
mod tree;
mod variable;
mod words;

pub use algorithm::algorithm;
pub(crate) use hints::did_you_mean;
pub use hints::{quoted, shown_variable};
pub use idn::ascii_host;
pub(crate) use reader::{Finished, Node, Reading, all};
pub(crate) use redact::digest;
pub use schema::Key as SchemaKey;
pub(crate) use section::Section;
pub use span::span;
pub use tree::Tree;
pub use variable::Variable;
pub(crate) use variable::{Found, from_base64, variable};
pub(crate) use words::{
    Word, bytes, duration, header_name, header_value, name, origin, origin_below, origin_of,
    origins, text, text_or_unset, texts, time, words,
};

/// A mistake in a policy, for the operator who wrote it.
///
/// `path` leads to the value (`modules[0].routes[2].token.issuer`), empty for the document itself.
/// `problem` says what is wrong and what would be right. Neither ever holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Invalid {
    /// Where it stands in the document.
    pub path: String,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "{}", self.problem),
            path => write!(f, "{path}: {}", self.problem),
        }
    }
}

/// Reads the document as the host delivers it.
///
/// Envoy hands a `google.protobuf.Struct` over as the binary message (observed on 1.36 to 1.40,
/// whatever its documentation says) and a `StringValue` as its text. A JSON text may begin with a
/// newline, which is also the first byte of a Struct: so JSON is tried first.
pub(crate) fn parse(document: &[u8]) -> Result<Tree, Invalid> {
    let invalid = |problem: String| Invalid { path: String::new(), problem };
    if document.is_empty() {
        return Err(invalid("there is no policy: the configuration is empty".into()));
    }
    match json::parse(document) {
        Ok(tree) => Ok(tree),
        Err(problem) if is_text(document) => Err(invalid(format!("this is not JSON: {problem}"))),
        Err(_) => protobuf::parse(document).ok_or_else(|| {
            invalid("this is neither a google.protobuf.Struct nor a JSON object".into())
        }),
    }
}

/// Whether this was meant as JSON. Its first byte does not tell: a Struct whose first field takes 123
/// bytes begins with a newline and a brace too. But every field of a Struct has the byte 0x12 in front
/// of its value, and no text has control characters beside its white space (RFC 8259 §2, §7).
fn is_text(document: &[u8]) -> bool {
    let control = |byte: &u8| byte.is_ascii_control() && !byte.is_ascii_whitespace();
    document.trim_ascii_start().starts_with(b"{") && !document.iter().any(control)
}

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::value::Kind;
    use prost_types::{Struct, Value};

    use super::{Tree, parse};

    #[test]
    fn a_struct_that_begins_like_json_is_a_struct() {
        let text = |length: usize| Value { kind: Some(Kind::StringValue("x".repeat(length))) };
        for length in 0..300 {
            let fields = [("key".to_owned(), text(length))].into();
            let bytes = Struct { fields }.encode_to_vec();
            let read = parse(&bytes).ok();
            assert_eq!(
                read.as_ref().and_then(|tree| tree.get("key")),
                Some(&Tree::Text("x".repeat(length)))
            );
        }
    }

    #[test]
    fn broken_json_is_called_json() {
        for broken in ["{", "\n{\"vigile\": 1", " \t{]", "{\"vigile\": 1}}"] {
            let problem = parse(broken.as_bytes()).err().map(|invalid| invalid.problem);
            assert!(
                problem.is_some_and(|problem| problem.starts_with("this is not JSON: ")),
                "{broken}"
            );
        }
    }
}
