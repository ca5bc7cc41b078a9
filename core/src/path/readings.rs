//! What a backend could make of a path (docs/rules.md, rule 4).
//!
//! Backends differ: some decode twice, some merge slashes, some cut `;jsessionid=…`. A request is
//! judged on all of these readings at once (and each of them in both cases of its letters, see
//! [`super::Case`]): where they would meet different requirements it is refused, so that no
//! disagreement between gate and app can be used.

use std::borrow::Cow;

use percent_encoding::percent_decode;

/// The longest path that is looked at, in bytes, the query not counted.
pub(crate) const MAX_PATH: usize = 8192;

/// More readings than this are never honest, and each costs a walk over the routes.
const MAX_READINGS: usize = 64;

/// Nor are so many bytes of them: what is walked over is bounded, too, where paths are long.
const MAX_BYTES: usize = 4 * MAX_PATH;

/// How often a backend, and a proxy before it, may decode.
const DECODED: usize = 2;

/// Why a path has no readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It holds what no path may.
    Invalid,
    /// It is longer than [`MAX_PATH`].
    TooLong,
    /// It can be read in more ways than anybody needs.
    Ambiguous,
}

/// Every reading of `path`, itself first.
pub(crate) fn readings(path: &[u8]) -> Result<Vec<Cow<'_, [u8]>>, Unreadable> {
    if path.len() > MAX_PATH {
        return Err(Unreadable::TooLong);
    }
    let forbidden = |byte: &u8| *byte <= b' ' || *byte == b'#' || *byte == 0x7f;
    if path.first() != Some(&b'/') || path.iter().any(forbidden) {
        return Err(Unreadable::Invalid);
    }
    let mut found = vec![Cow::Borrowed(path)];
    if is_plain(path) {
        return Ok(found);
    }
    close(&mut found)?;
    for _ in 0..DECODED {
        extend(&mut found, decoded)?;
        extend(&mut found, decoded_within)?;
        close(&mut found)?;
    }
    // NUL ends a path in C, and `$` in a Python pattern stands before a final newline as well: Starlette
    // serves /admin%0A as /admin.
    match found.iter().any(|reading| reading.iter().any(u8::is_ascii_control)) {
        true => Err(Unreadable::Invalid),
        false => Ok(found),
    }
}

/// Whether every backend reads it alike: the usual case, and the cheap one.
fn is_plain(path: &[u8]) -> bool {
    let special = |byte: &u8| b"%\\;".contains(byte);
    !path.iter().any(special) && !path.windows(2).any(|pair| pair == b"//" || pair == b"/.")
}

/// What a backend does to a path; `None` where it changes nothing.
type Way = fn(&[u8]) -> Option<Vec<u8>>;

/// What it may do beside decoding.
const STEPS: [Way; 8] = [
    slashed,
    cut,
    without_parameters,
    before_parameters,
    without_authority,
    merged,
    without_dots,
    in_ascii,
];

/// Adds what the steps make of every reading, in whatever order a backend takes them.
fn close(found: &mut Vec<Cow<'_, [u8]>>) -> Result<(), Unreadable> {
    loop {
        let known = found.len();
        for step in STEPS {
            extend(found, step)?;
        }
        if found.len() == known {
            return Ok(());
        }
    }
}

/// Adds what `step` makes of every reading so far.
fn extend(found: &mut Vec<Cow<'_, [u8]>>, step: Way) -> Result<(), Unreadable> {
    let new: Vec<Vec<u8>> = found.iter().filter_map(|reading| step(reading)).collect();
    for reading in new {
        if found.iter().any(|known| **known == *reading) {
            continue;
        }
        let bytes: usize = found.iter().map(|known| known.len()).sum();
        if found.len() >= MAX_READINGS || bytes.saturating_add(reading.len()) > MAX_BYTES {
            return Err(Unreadable::Ambiguous);
        }
        found.push(Cow::Owned(reading));
    }
    Ok(())
}

/// Percent-decoded once; an invalid escape stays as it is (RFC 3986 §2.1 has no word for it).
pub(crate) fn decoded(path: &[u8]) -> Option<Vec<u8>> {
    path.contains(&b'%').then(|| percent_decode(path).collect())
}

/// The same, but for escaped slashes: routers that match first and decode each segment then (Go's ServeMux,
/// aiohttp, Fastify), and the dot segments of the URL standard, which may be escaped.
pub(crate) fn decoded_within(path: &[u8]) -> Option<Vec<u8>> {
    let escaped = |three: &[u8]| three.eq_ignore_ascii_case(b"%2f");
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.windows(3).position(escaped) {
        let (before, behind) = rest.split_at_checked(at)?;
        let (slash, behind) = behind.split_at_checked(3)?;
        out.extend(percent_decode(before));
        out.extend(slash);
        rest = behind;
    }
    out.extend(percent_decode(rest));
    (out != path).then_some(out)
}

/// Backslashes as slashes.
fn slashed(path: &[u8]) -> Option<Vec<u8>> {
    let turn = |byte: &u8| if *byte == b'\\' { b'/' } else { *byte };
    path.contains(&b'\\').then(|| path.iter().map(turn).collect())
}

/// Cut at a `?` or `#` that decoding brought to light.
fn cut(path: &[u8]) -> Option<Vec<u8>> {
    let end = path.iter().position(|byte| b"?#".contains(byte))?;
    path.get(..end).map(<[u8]>::to_vec)
}

/// Each segment without its `;parameters` (RFC 3986 §3.3, the habit of Java servers).
fn without_parameters(path: &[u8]) -> Option<Vec<u8>> {
    let bare = |segment: &[u8]| segment.split(|byte| *byte == b';').next().map(<[u8]>::to_vec);
    path.contains(&b';').then(|| {
        let segments: Vec<Vec<u8>> = path.split(|byte| *byte == b'/').filter_map(bare).collect();
        segments.join(&b'/')
    })
}

/// Cut at the first `;` (Fastify before version 5, which takes what follows for a query).
fn before_parameters(path: &[u8]) -> Option<Vec<u8>> {
    let end = path.iter().position(|byte| *byte == b';')?;
    path.get(..end).map(<[u8]>::to_vec)
}

/// The two letters beyond ASCII that another case brings into it: `K` (U+212A) and `ſ` (U+017F).
fn in_ascii(path: &[u8]) -> Option<Vec<u8>> {
    if path.is_ascii() {
        return None;
    }
    let text = std::str::from_utf8(path).ok()?;
    let letters = text.replace('\u{212a}', "k").replace('\u{17f}', "s");
    (letters != text).then(|| letters.into_bytes())
}

/// `//host/path` without what looks like a host (RFC 3986 §4.2): what `new URL(request.url, base)` and
/// its like make of it.
fn without_authority(path: &[u8]) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(b"//")?;
    let name = rest.iter().position(|byte| *byte != b'/').unwrap_or(rest.len());
    let host = rest.get(name..)?;
    let end = host.iter().position(|byte| *byte == b'/');
    Some(end.and_then(|end| host.get(end..)).unwrap_or(b"/").to_vec())
}

/// Runs of slashes as one.
fn merged(path: &[u8]) -> Option<Vec<u8>> {
    path.windows(2).any(|pair| pair == b"//").then(|| {
        let mut out = path.to_vec();
        out.dedup_by(|one, other| *one == b'/' && *other == b'/');
        out
    })
}

/// Dot segments removed (RFC 3986 §5.2.4); `..` at the root stays at the root.
fn without_dots(path: &[u8]) -> Option<Vec<u8>> {
    let dots = |segment: &[u8]| segment == b"." || segment == b"..";
    if !path.split(|byte| *byte == b'/').any(dots) {
        return None;
    }
    let mut kept: Vec<&[u8]> = Vec::new();
    for segment in path.split(|byte| *byte == b'/').skip(1) {
        match segment {
            b"." => {}
            b".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let mut out = vec![b'/'];
    out.extend(kept.join(&b'/'));
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{MAX_PATH, Unreadable, readings};

    fn reads(path: &str, wanted: &str) -> bool {
        readings(path.as_bytes())
            .is_ok_and(|all| all.iter().any(|reading| **reading == *wanted.as_bytes()))
    }

    #[test]
    fn an_ordinary_path_has_one_reading() {
        for path in ["/", "/assets/index-B3.js", "/gradio_api/file=a.b", "/a/b/"] {
            assert_eq!(readings(path.as_bytes()).map(|all| all.len()), Ok(1), "{path}");
        }
    }

    #[test]
    fn every_known_trick_is_read() {
        for path in [
            "/%61dmin",
            "/%2561dmin",
            "//admin",
            "/./admin",
            "/x/../admin",
            "/x/%2e%2e/admin",
            "/x%2f..%2fadmin",
            "/x%252f..%252fadmin",
            "\\admin",
            "/x/..\\admin",
            "/x/..%5cadmin",
            "/admin;a=b",
            "/x/..;a=b/admin",
            "/x/%2e%2e%3ba/admin",
            "/admin%3fx",
            "/admin%23x",
            "/%2e/admin",
            "/x/.//../admin",
            "/x//../..//admin",
            "//x/admin",
            "///x//admin",
            "/\\x/admin",
            "/%2fx/admin",
            "/a%2fb/%2e%2e/admin",
            "/admin;/x",
        ] {
            let path = path.strip_prefix('\\').map_or(path.to_owned(), |rest| format!("/\\{rest}"));
            assert!(reads(&path, "/admin"), "{path}");
        }
    }

    #[test]
    fn a_segment_is_decoded_by_itself() {
        assert!(reads("/%75sers/a%2fb", "/users/a%2fb") && reads("/%75sers/a%2fb", "/users/a/b"));
        assert!(reads("/wor%E2%84%AAer%C5%BF", "/workers") && !reads("/worker%C5", "/workers"));
    }

    #[test]
    fn the_order_of_the_steps_is_the_backends() {
        // Dot segments first, then slashes; the other way round it is /admin.
        assert!(reads("/x//..//admin", "/x/admin") && reads("/x//..//admin", "/admin"));
        assert!(reads("/a%3bb;c", "/a;b") && reads("/a%3bb;c", "/a"));
    }

    #[test]
    fn an_invalid_escape_stays_literal() {
        assert!(reads("/%zz%6", "/%zz%6") && reads("/%%61", "/%a") && !reads("/%6", "/`"));
    }

    #[test]
    fn what_no_path_may_hold_is_refused() {
        for path in [
            "/\0", "/%00", "/%2500", "/a#b", "/a b", "a", "", "/\x7f", "/a\n", "/a%0a", "/a%250A",
            "/%7f",
        ] {
            assert_eq!(readings(path.as_bytes()), Err(Unreadable::Invalid), "{path:?}");
        }
        let long = [b"/".as_slice(), &[b'a'; MAX_PATH]].concat();
        assert_eq!(readings(&long), Err(Unreadable::TooLong));
    }

    #[test]
    fn work_is_bounded() {
        let worst = "/%2525a\\;b//../c".repeat(400);
        assert!(readings(worst.as_bytes()).map_or(true, |all| all.len() <= 64));
        let long = format!("/{}%255c/b//%253b\\%2e%3f/", "a".repeat(8000));
        assert_eq!(readings(long.as_bytes()), Err(Unreadable::Ambiguous));
        let honest = format!("/{}%20%C3%A9/b%2fc", "a".repeat(8000));
        assert!(readings(honest.as_bytes()).is_ok());
    }
}
