//! Cookies (RFC 6265 §4.2), as bytes. HTTP/1 repeats the header, HTTP/2 sends crumbs that Envoy joins.

use super::Request;

/// Every value of a cookie.
pub(crate) fn cookie_values<'r>(
    request: &Request<'r>,
    name: &str,
) -> impl Iterator<Item = &'r [u8]> {
    request.all("cookie").flat_map(crumbs).filter_map(move |crumb| value(crumb, name))
}

/// The cookies without those whose names are `taken`; `None` where none of them was there. Otherwise the new header's
/// value, empty where nothing is left.
pub(crate) fn without_cookies(
    request: &Request<'_>,
    taken: impl Fn(&str) -> bool,
) -> Option<Vec<u8>> {
    // A name that is no text is none of a policy's.
    let is_taken = |crumb: &[u8]| std::str::from_utf8(name(crumb)).is_ok_and(&taken);
    if !request.all("cookie").flat_map(crumbs).any(is_taken) {
        return None;
    }
    let kept: Vec<&[u8]> =
        request.all("cookie").flat_map(crumbs).filter(|crumb| !is_taken(crumb)).collect();
    Some(kept.join(b"; ".as_slice()))
}

fn crumbs(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    header.split(|byte| *byte == b';').map(<[u8]>::trim_ascii).filter(|crumb| !crumb.is_empty())
}

fn name(crumb: &[u8]) -> &[u8] {
    crumb.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii()
}

/// The value of a crumb of this name; quotes around it are not part of it.
fn value<'c>(crumb: &'c [u8], wanted: &str) -> Option<&'c [u8]> {
    if name(crumb) != wanted.as_bytes() {
        return None;
    }
    let value = crumb.splitn(2, |byte| *byte == b'=').nth(1).unwrap_or_default().trim_ascii();
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    Some(unquoted.unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::{cookie_values, without_cookies};
    use crate::Request;

    fn request(cookies: &[&str]) -> Vec<(String, Vec<u8>)> {
        cookies.iter().map(|cookie| ("cookie".to_owned(), cookie.as_bytes().to_vec())).collect()
    }

    #[test]
    fn cookies_are_found_in_every_header() {
        let headers = request(&["a=1; gate=x", "gate=\"y\"; gate"]);
        let request = Request { headers: &headers, peer: None, end_of_stream: true };
        let values = |name| cookie_values(&request, name).collect::<Vec<_>>();
        assert_eq!(values("gate"), [b"x".as_slice(), b"y", b""]);
        assert_eq!(values("GATE"), Vec::<&[u8]>::new());
    }

    #[test]
    fn what_is_left_is_what_the_app_had_set() {
        let headers = request(&["a=1; gate=x;b=\"2\"", "gate-p=y; c"]);
        let request = Request { headers: &headers, peer: None, end_of_stream: true };
        assert_eq!(
            without_cookies(&request, |name| ["gate", "gate-p"].contains(&name)).as_deref(),
            Some(b"a=1; b=\"2\"; c".as_slice())
        );
        assert_eq!(without_cookies(&request, |name| name == "none"), None);
    }
}
