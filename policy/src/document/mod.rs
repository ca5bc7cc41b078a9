//! From bytes to a tree, and from a tree to typed values with every mistake at once.
//!
//! serde's derive stops at the first mistake and forgets where it stood. An operator who has twelve
//! of them wants to hear of twelve, so a policy is first a [`Tree`] and then read by hand.

mod json;
mod protobuf;
mod reader;
mod redact;
mod tree;
mod variable;
mod words;

pub(crate) use reader::{Node, Reading, Section, did_you_mean, quoted};
pub(crate) use redact::digest;
pub use tree::Tree;
pub use variable::Variable;
pub(crate) use variable::{Found, variable};
pub(crate) use words::{
    bytes, duration, header_name, header_value, is_header_value, name, origin, shown, text, texts,
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
        Err(problem) if document.trim_ascii_start().starts_with(b"{") => {
            Err(invalid(format!("this is not JSON: {problem}")))
        }
        Err(_) => protobuf::parse(document).ok_or_else(|| {
            invalid("this is neither a google.protobuf.Struct nor a JSON object".into())
        }),
    }
}
