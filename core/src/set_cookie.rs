//! `Set-Cookie` of the app, as bytes: one cookie in each header (RFC 6265 §3).

use crate::decide::Edit;
use crate::policy::CookieName;

/// The header.
pub(crate) const NAME: &str = "set-cookie";

/// The edits on the app's own cookies, which a frame of another site is to keep (docs/decisions/0011). The
/// session's is not among them: with the platform's tokens the gate sets it, and nobody else.
pub(crate) fn edits(all: &[&[u8]], own: &CookieName, framed: bool) -> Vec<Edit<'static>> {
    let ours = |cookie: &[u8]| is_named(cookie, &own.plain) || is_named(cookie, &own.partitioned);
    if !all.iter().any(|cookie| framed || ours(cookie)) {
        return Vec::new();
    }
    let kept = all.iter().filter(|cookie| !ours(cookie)).map(|cookie| match framed {
        true => partitioned(cookie),
        false => cookie.to_vec(),
    });
    let added = kept.map(|cookie| Edit::Add(NAME.into(), cookie.into()));
    std::iter::once(Edit::Remove(NAME.into())).chain(added).collect()
}

/// Whether a browser would send this cookie back under the name. One without a name is sent as its
/// value alone, which may read `name=value` (RFC 6265bis §5.8.3).
fn is_named(cookie: &[u8], name: &str) -> bool {
    let pair = cookie.split(|byte| *byte == b';').next().unwrap_or_default();
    let begins = pair.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != b'=');
    let pair = begins.and_then(|begins| pair.get(begins..)).unwrap_or_default();
    let known = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
    known.trim_ascii() == name.as_bytes()
}

/// The cookie as it lives in a frame of another site (docs/browsers.md). Its other attributes stay, and
/// what `__Host-` and `__Secure-` demand still holds (RFC 6265bis §4.1.3).
fn partitioned(cookie: &[u8]) -> Vec<u8> {
    let mut parts = cookie.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let mut kept = vec![parts.next().unwrap_or_default()];
    kept.extend(parts.filter(|attribute| !attribute.is_empty() && !is_replaced(attribute)));
    kept.extend([b"SameSite=None".as_slice(), b"Secure", b"Partitioned"]);
    kept.join(b"; ".as_slice())
}

fn is_replaced(attribute: &[u8]) -> bool {
    let name = attribute.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii();
    ["samesite", "secure", "partitioned"]
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{is_named, partitioned};

    #[test]
    fn only_what_keeps_a_cookie_out_of_a_frame_changes() {
        for (cookie, framed) in [
            ("a=b", "a=b; SameSite=None; Secure; Partitioned"),
            (
                "a=b; Path=/; SameSite=Lax; HttpOnly; Max-Age=9",
                "a=b; Path=/; HttpOnly; Max-Age=9; SameSite=None; Secure; Partitioned",
            ),
            (
                "__Host-a=b;secure;PATH=/; samesite = strict;SameSite=None",
                "__Host-a=b; PATH=/; SameSite=None; Secure; Partitioned",
            ),
            (
                "a=\"b=c\"; Domain=x.org; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Priority=High;;",
                "a=\"b=c\"; Domain=x.org; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Priority=High; SameSite=None; Secure; Partitioned",
            ),
            ("a; Partitioned; Securely", "a; Securely; SameSite=None; Secure; Partitioned"),
            ("", "; SameSite=None; Secure; Partitioned"),
        ] {
            let changed = partitioned(cookie.as_bytes());
            assert_eq!(String::from_utf8_lossy(&changed), framed, "{cookie}");
            assert_eq!(partitioned(&changed), changed, "{cookie}, twice");
        }
        assert_eq!(
            partitioned(b"\xff=\xfe; Secure"),
            b"\xff=\xfe; SameSite=None; Secure; Partitioned"
        );
    }

    #[test]
    fn a_cookie_is_known_by_the_name_that_comes_back() {
        for named in [
            "gate=x",
            " gate = x; Path=/",
            "gate",
            "gate;a=b",
            "=gate=x",
            " = gate=x",
            "\tgate=",
            "=gate",
        ] {
            assert!(is_named(named.as_bytes(), "gate"), "{named}");
        }
        for other in ["Gate=x", "gate-p=x", "a=gate=x", "a=b; gate=x", "gat=e", ""] {
            assert!(!is_named(other.as_bytes(), "gate"), "{other}");
        }
    }
}
