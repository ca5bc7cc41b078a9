//! Steps: what backends do to a path, one by one. docs/backends.md names a backend for each.

use super::letters::{folded, ignored, shortened};
use super::marks::Marks;

/// A change that a backend makes; `None` where it changes nothing.
pub(super) type Step = fn(&[u8]) -> Option<Vec<u8>>;

/// Done once, or twice where a proxy before the backend does it too.
pub(super) const DECODINGS: [(Marks, Step); 3] = [
    (Marks::PERCENT, decoded),
    (Marks::PERCENT_2, decoded_within),
    (Marks::PERCENT_U, decoded_words),
];

/// Done as often as it changes anything.
pub(super) const STEPS: [(Marks, Step); 11] = [
    (Marks::BACKSLASH, slashed),
    (Marks::END, cut),
    (Marks::SEMICOLON, without_parameters),
    (Marks::SEMICOLON, before_parameters),
    (Marks::SLASHES, without_authority),
    (Marks::SLASHES, merged),
    (Marks::DOT, without_dots),
    (Marks::LOOSE_END, without_loose_ends),
    (Marks::BEYOND_ASCII, folded),
    (Marks::BEYOND_ASCII, ignored),
    (Marks::OVERLONG, shortened),
];

/// Percent-decoded once; an invalid escape stays as it is (RFC 3986 §2.1 has no word for it).
pub(crate) fn decoded(path: &[u8]) -> Option<Vec<u8>> {
    unescaped(path, |_| None)
}

/// Percent-decoded once, but for escaped slashes: routers that match first and decode each segment then (Go's
/// ServeMux, aiohttp, Fastify), and the dot segments of the URL standard, which may be escaped.
pub(super) fn decoded_within(path: &[u8]) -> Option<Vec<u8>> {
    unescaped(path, |escape| match escape {
        [b'%', b'2', b'f' | b'F', ..] => Some((Letter::AsItStands, 3)),
        _ => None,
    })
}

/// Percent-decoded once, `%u0061` included: four digits of UTF-16, which no standard has (IIS, and Jetty before
/// version 10).
pub(super) fn decoded_words(path: &[u8]) -> Option<Vec<u8>> {
    unescaped(path, |escape| Some((Letter::Of(word(escape)?), 6)))
}

/// The letter of an escape such as `%u0061`.
fn word(escape: &[u8]) -> Option<char> {
    let [b'%', b'u' | b'U', digits @ ..] = escape else { return None };
    let number = digits.get(..4)?.iter().try_fold(0_u32, |number, digit| {
        let digit = char::from(*digit).to_digit(16)?;
        number.checked_mul(16)?.checked_add(digit)
    })?;
    char::from_u32(number)
}

/// An escape that a decoding reads in a way of its own.
enum Letter {
    AsItStands,
    Of(char),
}

/// Decodes every escape, those first that `other` knows, with their lengths; `None` where nothing changes.
fn unescaped(path: &[u8], other: impl Fn(&[u8]) -> Option<(Letter, usize)>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(path.len());
    let (mut rest, mut changed) = (path, false);
    while let Some(at) = rest.iter().position(|byte| *byte == b'%') {
        let (before, escape) = rest.split_at_checked(at)?;
        put(&mut out, before);
        let length = match (other(escape), hex(escape)) {
            (Some((Letter::Of(letter), length)), _) => {
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                changed = true;
                length
            }
            (Some((Letter::AsItStands, length)), _) => {
                put(&mut out, escape.get(..length)?);
                length
            }
            (None, Some(byte)) => {
                out.push(byte);
                changed = true;
                3
            }
            (None, None) => {
                out.push(b'%');
                1
            }
        };
        rest = escape.get(length..)?;
    }
    out.extend_from_slice(rest);
    changed.then_some(out)
}

/// Appends a piece. In a module each copy is a call out of it, which costs as much as some dozens of bytes; a path of
/// escapes has thousands of pieces.
pub(super) fn put(out: &mut Vec<u8>, piece: &[u8]) {
    match piece.len() {
        0..=32 => piece.iter().for_each(|byte| out.push(*byte)),
        _ => out.extend_from_slice(piece),
    }
}

/// The byte of an escape (RFC 3986 §2.1).
fn hex(escape: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = escape else { return None };
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte & 0x0f),
        b'a'..=b'f' | b'A'..=b'F' => Some((byte & 0x0f).wrapping_add(9)),
        _ => None,
    };
    Some(digit(*high)? << 4 | digit(*low)?)
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
    path.contains(&b';').then(|| {
        each_segment(path, |segment| segment.split(|byte| *byte == b';').next().unwrap_or_default())
    })
}

/// Cut at the first `;` (Fastify before version 5, which takes what follows for a query).
fn before_parameters(path: &[u8]) -> Option<Vec<u8>> {
    let end = path.iter().position(|byte| *byte == b';')?;
    path.get(..end).map(<[u8]>::to_vec)
}

/// Each segment without dots and spaces at its end, unless it has nothing else: Windows opens the file `admin` for
/// `admin. .`.
fn without_loose_ends(path: &[u8]) -> Option<Vec<u8>> {
    let out = each_segment(path, |segment| {
        let name = segment.iter().rposition(|byte| !matches!(byte, b'.' | b' '));
        name.and_then(|last| segment.get(..=last)).unwrap_or(segment)
    });
    (out != path).then_some(out)
}

fn each_segment(path: &[u8], change: impl Fn(&[u8]) -> &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    for (at, segment) in path.split(|byte| *byte == b'/').enumerate() {
        if at > 0 {
            out.push(b'/');
        }
        put(&mut out, change(segment));
    }
    out
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
