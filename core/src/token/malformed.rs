//! Why a token cannot be read, in words of ours alone: nothing of what stands in it.

use std::fmt;

use super::json::Fault;

/// The fault of a token that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// So many parts between dots, and not three (RFC 7515 §7.1).
    Parts(usize),
    /// A part is not written in base64url (RFC 7515 §2).
    Encoding(Part, Encoding),
    /// The JSON of a part.
    Json(Part, Fault),
    /// The header has no `alg`.
    NoAlgorithm,
}

/// A part of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Header,
    Claims,
    Signature,
}

/// The fault of a part as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// There is nothing.
    Empty,
    /// `=` stands at its end.
    Padded,
    /// `+` or `/` stand in it: base64, and not base64url.
    Base64,
    /// Some other character stands in it.
    Foreign,
    /// Something was cut off or changed, by the length or by the bits behind the last byte.
    Cut,
}

impl Malformed {
    #[cold]
    pub(super) fn of_parts(text: &[u8]) -> Self {
        Self::Parts(text.split(|byte| *byte == b'.').count())
    }

    /// A fourth part leaves a dot in what stands between the first dot and the last.
    #[cold]
    pub(super) fn of_claims(text: &[u8], claims: &[u8]) -> Self {
        match claims.contains(&b'.') {
            true => Self::of_parts(text),
            false => Self::encoding(Part::Claims, claims),
        }
    }

    #[cold]
    pub(super) fn encoding(part: Part, text: &[u8]) -> Self {
        let is_known = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
        let foreign = |byte: &&u8| !is_known(byte);
        let encoding = match text.iter().find(foreign) {
            None if text.is_empty() => Encoding::Empty,
            None => Encoding::Cut,
            Some(b'=') => Encoding::Padded,
            Some(b'+' | b'/') => Encoding::Base64,
            Some(_) => Encoding::Foreign,
        };
        Self::Encoding(part, encoding)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (part, problem) = match self {
            Self::Parts(1) => {
                return f
                    .write_str("it has no dots, and a signed JWT has three parts between dots");
            }
            Self::Parts(5) => {
                return f.write_str("it has five parts, as an encrypted token (JWE) has, and a signed JWT has three");
            }
            Self::Parts(count) => {
                return write!(f, "it has {count} parts between dots, and a signed JWT has three");
            }
            Self::NoAlgorithm => return f.write_str("the header has no alg"),
            Self::Json(part, Fault::Type(name, wanted)) => {
                return write!(f, "{name} in {} is not {wanted}", part.name());
            }
            Self::Json(part, Fault::Twice) => {
                return write!(f, "a member stands twice in {}", part.name());
            }
            Self::Json(part, Fault::NoText) => (part, "not UTF-8"),
            Self::Json(part, Fault::NoObject) => (part, "not one JSON object"),
            Self::Encoding(part, encoding) => (part, encoding.problem()),
        };
        write!(f, "{} {} {problem}", part.name(), part.is())
    }
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Header => "the header",
            Self::Claims => "the claims",
            Self::Signature => "the signature",
        }
    }

    fn is(self) -> &'static str {
        if self == Self::Claims { "are" } else { "is" }
    }
}

impl Encoding {
    fn problem(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Padded => "padded with =, which a token never is (RFC 7515 §2)",
            Self::Base64 => "base64 with + or /, and a token is base64url",
            Self::Foreign => "not base64url: some other character stands in it",
            Self::Cut => "not whole: something was cut off or changed",
        }
    }
}
