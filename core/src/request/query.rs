//! The parameters of a query (WHATWG URL, application/x-www-form-urlencoded), as bytes.

use percent_encoding::percent_decode;

use crate::path::decoded;

/// A parameter of Vigile's own: a token became a cookie on the way to this address. No app sees it.
pub(crate) const MARK: &str = "vigile-opened";

/// Every value of a parameter, as it stands. Its name may be percent-encoded: the app would decode it.
pub(crate) fn parameter_values<'q>(query: &'q [u8], name: &str) -> impl Iterator<Item = &'q [u8]> {
    pairs(query).filter(move |(known, _)| is(known, name)).map(|(_, value)| value)
}

/// The query without a parameter, where its value is `taken`; `None` where it did not hold any. What is left is not touched.
pub(crate) fn without_parameter(
    query: &[u8],
    name: &str,
    taken: impl Fn(&[u8]) -> bool,
) -> Option<Vec<u8>> {
    let is_taken = |pair: &&[u8]| is(key(pair), name) && taken(value(pair));
    let kept: Vec<&[u8]> =
        query.split(|byte| *byte == b'&').filter(|pair| !is_taken(pair)).collect();
    let whole = query.split(|byte| *byte == b'&').count();
    (kept.len() < whole).then(|| kept.join(&b'&'))
}

/// Parameters that frameworks take for the method, folded: Express's method-override may be set up to read any name.
const METHODS: [&str; 3] = ["xhttpmethodoverride", "xhttpmethod", "xmethodoverride"];

/// The methods that a backend could take from the query in place of the request's own (`_method=DELETE`: Express's
/// method-override, Symfony, Laravel, Spring's HiddenHttpMethodFilter), in capitals. Some parsers separate by `;` as well.
pub(crate) fn overriding_methods(query: &[u8]) -> impl Iterator<Item = String> {
    let pairs =
        query.split(|byte| matches!(byte, b'&' | b';')).filter(|pair| names_a_method(key(pair)));
    pairs.map(|pair| {
        let value: Vec<u8> = percent_decode(value(pair)).collect();
        String::from_utf8_lossy(&value).trim().to_ascii_uppercase()
    })
}

/// Reads a name as PHP does, too: `.method` and `[method` are `_method` there, and what follows a `[` is an index.
fn names_a_method(key: &[u8]) -> bool {
    let small = || percent_decode(key).map(|byte| byte.to_ascii_lowercase());
    let mut name = small();
    let begins = matches!(name.next(), Some(b'_' | b'.' | b'['));
    let plain = begins
        && b"method".iter().all(|letter| name.next() == Some(*letter))
        && matches!(name.next(), None | Some(b'[' | 0));
    let folded = || small().filter(u8::is_ascii_alphanumeric);
    plain || METHODS.iter().any(|known| folded().eq(known.bytes()))
}

fn pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    query.split(|byte| *byte == b'&').map(|pair| (key(pair), value(pair)))
}

fn key(pair: &[u8]) -> &[u8] {
    pair.split(|byte| *byte == b'=').next().unwrap_or_default()
}

fn value(pair: &[u8]) -> &[u8] {
    pair.splitn(2, |byte| *byte == b'=').nth(1).unwrap_or_default()
}

fn is(given: &[u8], name: &str) -> bool {
    given == name.as_bytes() || decoded(given).is_some_and(|given| given == name.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::{overriding_methods, parameter_values, without_parameter};

    fn without(query: &str) -> Option<String> {
        without_parameter(query.as_bytes(), "token", |_| true)
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

    #[test]
    fn methods_are_found_however_their_name_is_written() {
        for query in [
            "_method=delete",
            "a=1&_METHOD=DELETE",
            "%5fmethod=DELETE",
            "a;_method=DELETE",
            "_method[]=DELETE",
            "_method%5Bx%5D=DELETE",
            ".method=DELETE",
            "[method=DELETE",
            "_method=%44ELETE%20",
            "X-HTTP-Method-Override=DELETE",
            "x_http_method=DELETE",
        ] {
            let methods: Vec<String> = overriding_methods(query.as_bytes()).collect();
            assert_eq!(methods, ["DELETE"], "{query}");
        }
        for query in
            ["", "method=DELETE", "_methods=DELETE", "a_method=DELETE", "a=_method", "_met=x"]
        {
            assert_eq!(overriding_methods(query.as_bytes()).count(), 0, "{query}");
        }
    }
}
