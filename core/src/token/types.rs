//! Types of tokens: `typ` in the header (RFC 7515 §4.1.9).
//!
//! A provider signs more than access tokens with one key: logout tokens, security events, proofs of possession. Each says
//! so in its `typ`, and who takes one for another lets it in (RFC 8725 §3.11).

/// The types of tokens that an issuer's section accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Types {
    /// No type, or one that says no more than that this is a token: `JWT`, `JOSE` (RFC 7515 §4.1.9), `at+jwt` (RFC 9068 §2.1).
    #[default]
    Usual,
    /// One of these, in small letters and without `application/`; a token without a type is not accepted.
    Of(Vec<String>),
}

const USUAL: [&str; 3] = ["jwt", "jose", "at+jwt"];

const APPLICATION: &str = "application/";

impl Types {
    /// Reads a type as it is compared: in small letters, without the `application/` that may be left out.
    pub fn parse(text: &str) -> String {
        let small = text.to_ascii_lowercase();
        small.strip_prefix(APPLICATION).map(str::to_owned).unwrap_or(small)
    }

    /// The types by name.
    pub(crate) fn names(&self) -> Vec<&str> {
        match self {
            Self::Usual => USUAL.to_vec(),
            Self::Of(own) => own.iter().map(String::as_str).collect(),
        }
    }

    pub(crate) fn take(&self, given: Option<&str>) -> bool {
        match (self, given) {
            (Self::Usual, None) => true,
            (Self::Of(_), None) => false,
            (Self::Usual, Some(given)) => USUAL.iter().any(|known| is(given, known)),
            (Self::Of(known), Some(given)) => known.iter().any(|known| is(given, known)),
        }
    }
}

/// Compares without writing the type down: most tokens say `JWT`.
fn is(given: &str, known: &str) -> bool {
    let start = given.get(..APPLICATION.len());
    let media = start.filter(|start| start.eq_ignore_ascii_case(APPLICATION));
    let bare = media.and_then(|start| given.get(start.len()..)).unwrap_or(given);
    bare.eq_ignore_ascii_case(known)
}
