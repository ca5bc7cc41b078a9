//! The parameters of a query (WHATWG URL, application/x-www-form-urlencoded), as bytes.

use crate::path::decoded;

/// Every value of a parameter, as it stands. Its name may be percent-encoded: the app would decode it.
pub(crate) fn parameter_values<'q>(query: &'q [u8], name: &str) -> impl Iterator<Item = &'q [u8]> {
    pairs(query).filter(move |(known, _)| is(known, name)).map(|(_, value)| value)
}

/// The query without a parameter; `None` where it did not hold any. What is left is not touched.
pub(crate) fn without_parameter(query: &[u8], name: &str) -> Option<Vec<u8>> {
    let kept: Vec<&[u8]> =
        query.split(|byte| *byte == b'&').filter(|pair| !is(key(pair), name)).collect();
    let whole = query.split(|byte| *byte == b'&').count();
    (kept.len() < whole).then(|| kept.join(&b'&'))
}

fn pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    query.split(|byte| *byte == b'&').map(|pair| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    })
}

fn key(pair: &[u8]) -> &[u8] {
    pair.split(|byte| *byte == b'=').next().unwrap_or_default()
}

fn is(given: &[u8], name: &str) -> bool {
    given == name.as_bytes() || decoded(given).is_some_and(|given| given == name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{parameter_values, without_parameter};

    fn without(query: &str) -> Option<String> {
        without_parameter(query.as_bytes(), "token")
            .map(|query| String::from_utf8_lossy(&query).into_owned())
    }

    #[test]
    fn a_parameter_is_cut_wherever_it_stands() {
        for (query, left) in [
            ("token=x", ""),
            ("token", ""),
            ("a=1&token=x", "a=1"),
            ("token=x&a=1", "a=1"),
            ("a=1&token=x&b=%26&token=y", "a=1&b=%26"),
            ("%74oken=x&a", "a"),
            ("a=&&token=x", "a=&"),
        ] {
            assert_eq!(without(query).as_deref(), Some(left), "{query}");
        }
        for other in ["", "a=token", "tokens=x", "Token=x", "a=1&b=2", "%2574oken=x"] {
            assert_eq!(without(other), None, "{other}");
        }
    }

    #[test]
    fn values_are_what_stands_behind_the_first_equals_sign() {
        let values: Vec<_> = parameter_values(b"a=1&token=x=y&to%6ben=", "token").collect();
        assert_eq!(values, [b"x=y".as_slice(), b""]);
    }
}
