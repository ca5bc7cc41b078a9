//! Marks: what stands in a path, found in one pass, so that only those steps are taken that could change it.

/// Kinds of things that stand in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks(u16);

impl Marks {
    const NONE: Self = Self(0);
    /// A control character of ASCII.
    pub(super) const CONTROL: Self = Self(1);
    /// `%`
    pub(super) const PERCENT: Self = Self(1 << 1);
    /// `%2`, with which an escaped slash begins.
    pub(super) const PERCENT_2: Self = Self(1 << 2);
    /// `%u`
    pub(super) const PERCENT_U: Self = Self(1 << 3);
    /// `\`
    pub(super) const BACKSLASH: Self = Self(1 << 4);
    /// `?` or `#`
    pub(super) const END: Self = Self(1 << 5);
    /// `;`
    pub(super) const SEMICOLON: Self = Self(1 << 6);
    /// `//`
    pub(super) const SLASHES: Self = Self(1 << 7);
    /// `/.`
    pub(super) const DOT: Self = Self(1 << 8);
    /// A dot or a space at a segment's end.
    pub(super) const LOOSE_END: Self = Self(1 << 9);
    /// A byte beyond ASCII.
    pub(super) const BEYOND_ASCII: Self = Self(1 << 10);
    /// A byte with which a letter of ASCII in too many bytes begins.
    pub(super) const OVERLONG: Self = Self(1 << 11);
    /// A capital letter.
    pub(super) const CAPITAL: Self = Self(1 << 12);

    /// Tells that any of the `wanted` is among these.
    pub(super) const fn hold(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The marks of a byte, whatever stands around it.
    const fn of(byte: u8) -> Self {
        match byte {
            0..=0x1f | 0x7f => Self::CONTROL,
            b'%' => Self::PERCENT,
            b'\\' => Self::BACKSLASH,
            b'?' | b'#' => Self::END,
            b';' => Self::SEMICOLON,
            b'A'..=b'Z' => Self::CAPITAL,
            0xc0 | 0xc1 | 0xe0 | 0xf0 => Self::BEYOND_ASCII.with(Self::OVERLONG),
            0x80.. => Self::BEYOND_ASCII,
            _ => Self::NONE,
        }
    }

    /// The marks of two bytes side by side.
    fn of_pair(before: u8, byte: u8) -> Self {
        match (before, byte) {
            (b'/', b'/') => Self::SLASHES,
            (b'/', b'.') => Self::DOT,
            (b'.' | b' ', b'/') => Self::LOOSE_END,
            (b'%', b'2') => Self::PERCENT_2,
            (b'%', b'u' | b'U') => Self::PERCENT_U,
            _ => Self::NONE,
        }
    }
}

/// The marks of each byte.
static OF_BYTES: [Marks; 256] = {
    let mut marks = [Marks::NONE; 256];
    let mut rest: &mut [Marks] = &mut marks;
    let mut byte = 0;
    while let [first, behind @ ..] = rest {
        *first = Marks::of(byte);
        byte = byte.wrapping_add(1);
        rest = behind;
    }
    marks
};

/// The marks of a path, and a hash that tells most paths apart.
pub(super) struct Scan {
    pub(super) marks: Marks,
    pub(super) hash: u64,
}

impl Scan {
    /// Reads the path once.
    pub(super) fn of(path: &[u8]) -> Self {
        let (mut marks, mut before) = (Marks::NONE, 0);
        for byte in path {
            let alone = OF_BYTES.get(usize::from(*byte)).copied().unwrap_or(Marks::NONE);
            marks = marks.with(alone);
            if matches!(before, b'/' | b'.' | b' ' | b'%') {
                marks = marks.with(Marks::of_pair(before, *byte));
            }
            before = *byte;
        }
        if matches!(before, b'.' | b' ') {
            marks = marks.with(Marks::LOOSE_END);
        }
        Self { marks, hash: hash(path) }
    }
}

/// FNV-1a over words of eight bytes. An attacker who finds paths of one hash gains a comparison.
fn hash(path: &[u8]) -> u64 {
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(PRIME).rotate_left(23);
    let (words, rest) = path.as_chunks::<8>();
    let length = u64::try_from(path.len()).unwrap_or(u64::MAX);
    let start = mix(0xcbf2_9ce4_8422_2325, length);
    let hash = words.iter().fold(start, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    rest.iter().fold(hash, |hash, byte| mix(hash, u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::{Marks, Scan};

    #[test]
    fn marks_are_found_wherever_they_stand() {
        for (path, mark) in [
            ("/a\u{1}", Marks::CONTROL),
            ("/%", Marks::PERCENT),
            ("/%2f", Marks::PERCENT_2),
            ("/%U0061", Marks::PERCENT_U),
            ("/a\\", Marks::BACKSLASH),
            ("/a#", Marks::END),
            ("/a;", Marks::SEMICOLON),
            ("/a//", Marks::SLASHES),
            ("/.", Marks::DOT),
            ("/a.", Marks::LOOSE_END),
            ("/a /b", Marks::LOOSE_END),
            ("/é", Marks::BEYOND_ASCII),
            ("/\u{800}", Marks::OVERLONG),
            ("/aB", Marks::CAPITAL),
        ] {
            assert!(Scan::of(path.as_bytes()).marks.hold(mark), "{path}");
            assert!(!Scan::of(b"/a/b.c/d").marks.hold(mark), "{path}");
        }
    }
}
