//! Letters beyond ASCII that a backend takes for letters of ASCII, and bytes that are no letters at all.

use super::steps::put;

/// Letters that another case, or a comparison that ignores case, makes ASCII of, by their UTF-8.
///
/// From Unicode 16's UnicodeData.txt, SpecialCasing.txt and CaseFolding.txt: every character beyond ASCII that is wholly
/// ASCII in its upper or lower case, simple or full, or when folded. `letters_are_all_that_unicode_has` looks for
/// more in the standard library's tables. Of languages: Go's `strings.EqualFold` and JavaScript's `/iu` know K and ſ; Python's
/// `re.I` these and İ, ı (docs of `re.IGNORECASE`); Java's `equalsIgnoreCase`, `Character.toLowerCase` and Spring's
/// `PathPattern` the same four; Ruby's `/i`, and whoever uses full case folding (`str.casefold`, `toUpperCase`) the rest.
const LETTERS: [(&str, &str); 13] = [
    ("\u{df}", "ss"),
    ("\u{130}", "i"),
    ("\u{131}", "i"),
    ("\u{17f}", "s"),
    ("\u{1e9e}", "ss"),
    ("\u{212a}", "k"),
    ("\u{fb00}", "ff"),
    ("\u{fb01}", "fi"),
    ("\u{fb02}", "fl"),
    ("\u{fb03}", "ffi"),
    ("\u{fb04}", "ffl"),
    ("\u{fb05}", "st"),
    ("\u{fb06}", "st"),
];

/// Letters that fold into ASCII, folded.
pub(super) fn folded(path: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    let mut changed = false;
    while let Some((first, behind)) = rest.split_first() {
        match letter(rest) {
            Some((plain, behind)) => {
                out.extend(plain.bytes());
                rest = behind;
                changed = true;
            }
            None => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    changed.then_some(out)
}

/// The letter that a text begins with, folded, and what stands behind it.
fn letter(text: &[u8]) -> Option<(&'static str, &[u8])> {
    // The first two bytes of all of them: to compare with each takes long where a path is full of other letters.
    let may_be = matches!(
        text,
        [0xc3, 0x9f, ..]
            | [0xc4, 0xb0 | 0xb1, ..]
            | [0xc5, 0xbf, ..]
            | [0xe1, 0xba, ..]
            | [0xe2, 0x84, ..]
            | [0xef, 0xac, ..]
    );
    let found = LETTERS
        .iter()
        .filter(|_| may_be)
        .find(|(letter, _)| text.starts_with(letter.as_bytes()))?;
    Some((found.1, text.get(found.0.len()..)?))
}

/// Bytes that are no UTF-8 left out, as Python's `errors="ignore"` does (Bottle decodes paths so), and Ruby's
/// `scrub("")`.
pub(super) fn ignored(path: &[u8]) -> Option<Vec<u8>> {
    std::str::from_utf8(path).is_err().then(|| {
        let mut out = Vec::with_capacity(path.len());
        for chunk in path.utf8_chunks() {
            put(&mut out, chunk.valid().as_bytes());
        }
        out
    })
}

/// ASCII that is written in more bytes than it needs, which RFC 3629 §3 forbids and lenient decoders read:
/// GlassFish 4 took `%c0%ae` for a dot (CVE-2017-1000028).
pub(super) fn shortened(path: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    let mut changed = false;
    while let Some((first, behind)) = rest.split_first() {
        match overlong(rest) {
            Some((letter, behind)) => {
                out.push(letter);
                rest = behind;
                changed = true;
            }
            None => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    changed.then_some(out)
}

/// A byte of ASCII in two, three or four, and what stands behind it.
fn overlong(text: &[u8]) -> Option<(u8, &[u8])> {
    let is_tail = |byte: &u8| matches!(byte, 0x80..=0xbf);
    let ([high @ (0xc0 | 0xc1), last, behind @ ..]
    | [0xe0, high @ (0x80 | 0x81), last, behind @ ..]
    | [0xf0, 0x80, high @ (0x80 | 0x81), last, behind @ ..]) = text
    else {
        return None;
    };
    is_tail(last).then(|| ((high & 1) << 6 | (last & 0x3f), behind))
}

#[cfg(test)]
mod tests {
    use super::{LETTERS, folded, ignored, shortened};

    #[test]
    fn letters_are_all_that_unicode_has() {
        let listed = |letter: char| LETTERS.iter().any(|(known, _)| known.starts_with(letter));
        for letter in '\u{80}'..=char::MAX {
            let upper: String = letter.to_uppercase().collect();
            let lower: String = letter.to_lowercase().collect();
            let again: String = upper.to_lowercase();
            let plain = [&upper, &lower, &again].into_iter().any(|text| text.is_ascii());
            assert!(!plain || listed(letter), "{letter:?}: {upper} {lower}");
        }
    }

    #[test]
    fn a_listed_letter_is_its_plain_one_in_another_case() {
        for (letter, plain) in LETTERS {
            let folded = letter.to_lowercase().to_uppercase().to_lowercase();
            // İ is `i` and a dot above it in full, and `i` alone where a letter stays one (UnicodeData.txt).
            assert_eq!(folded.replace('\u{307}', ""), plain, "{letter}");
        }
    }

    #[test]
    fn the_rest_of_a_path_is_not_touched() {
        assert_eq!(folded("/é/ı/\u{212a}".as_bytes()).as_deref(), Some("/é/i/k".as_bytes()));
        assert_eq!(folded(b"/\xffi\xc4\xb1\xc4").as_deref(), Some(b"/\xffii\xc4".as_slice()));
        assert_eq!(ignored(b"/a\xff\xe2\x82b\xc3\xa9").as_deref(), Some("/abé".as_bytes()));
        assert_eq!(shortened(b"/\xc0\xafa\xc1\xa1\xc1").as_deref(), Some(b"//aa\xc1".as_slice()));
        assert_eq!(shortened(b"\xe0\x81\xa1\xf0\x80\x80\xae").as_deref(), Some(b"a.".as_slice()));
        for path in ["/", "/é", "/straße"] {
            assert_eq!((ignored(path.as_bytes()), shortened(path.as_bytes())), (None, None));
        }
        assert_eq!(
            (folded("/é\u{2c6}".as_bytes()), shortened(b"\xc2\xa1\xe0\xa0\x80")),
            (None, None)
        );
    }
}
