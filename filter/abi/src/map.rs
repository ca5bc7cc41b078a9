//! The forms in which headers and paths of properties cross the border.

/// Headers by name.
pub type Pairs = Vec<(String, Vec<u8>)>;

/// The path of a property, as `["source", "address"]`.
pub type Path<'p> = &'p [&'p str];

/// The parts of a path, with a NUL between them.
pub(crate) fn joined(path: Path<'_>) -> Vec<u8> {
    path.join("\0").into_bytes()
}

/// Headers as a host reads them: their number, the lengths of each name and value, then name and value, each with
/// a NUL behind it. `None` where a length does not fit into 32 bits.
pub(crate) fn written<'p>(pairs: &[(&'p str, &'p [u8])]) -> Option<Vec<u8>> {
    let room = pairs.iter().map(|(name, value)| name.len().saturating_add(value.len()));
    let room = room.fold(4_usize, |sum, pair| sum.saturating_add(pair).saturating_add(10));
    let mut bytes = Vec::with_capacity(room);
    let mut length = |length: usize| {
        bytes.extend_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
        Some(())
    };
    length(pairs.len())?;
    for (name, value) in pairs {
        length(name.len())?;
        length(value.len())?;
    }
    for (name, value) in pairs {
        for text in [name.as_bytes(), value] {
            bytes.extend_from_slice(text);
            bytes.push(0);
        }
    }
    Some(bytes)
}

/// Headers as a host writes them; `None` where the bytes are none, or where a name is no text.
pub(crate) fn read(bytes: &[u8]) -> Option<Pairs> {
    if bytes.is_empty() {
        return Some(Pairs::new());
    }
    let (count, rest) = number(bytes)?;
    let (mut lengths, mut texts) = rest.split_at_checked(count.checked_mul(8)?)?;
    let mut pairs = Pairs::with_capacity(count);
    for _ in 0..count {
        let (name, value);
        (name, lengths) = number(lengths)?;
        (value, lengths) = number(lengths)?;
        let (name, rest) = text(texts, name)?;
        let (value, rest) = text(rest, value)?;
        texts = rest;
        pairs.push((std::str::from_utf8(name).ok()?.to_owned(), value.to_owned()));
    }
    Some(pairs)
}

/// A number of 32 bits, and what stands behind it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u32::from_le_bytes(*number)).ok()?, rest))
}

/// A text of this length, and what stands behind its NUL.
fn text(bytes: &[u8], length: usize) -> Option<(&[u8], &[u8])> {
    let (text, rest) = bytes.split_at_checked(length)?;
    Some((text, rest.split_first()?.1))
}

#[cfg(test)]
mod tests {
    use super::{joined, read, written};

    #[test]
    fn what_is_written_is_read() {
        let pairs = [(":path", &b"/"[..]), ("a", b""), ("b", &[0xff, 0, b'x']), ("a", b"again")];
        let bytes = written(&pairs).unwrap();
        let back = read(&bytes).unwrap();
        let back: Vec<(&str, &[u8])> = back.iter().map(|(n, v)| (n.as_str(), &v[..])).collect();
        assert_eq!(back, pairs);
        assert_eq!(written(&[]), Some(vec![0; 4]));
        assert_eq!(read(&[0; 4]), Some(Vec::new()));
        assert_eq!(read(&[]), Some(Vec::new()));
    }

    /// The bytes of the ABI itself (proxy-wasm/spec, v0.2.1, "Serialization").
    #[test]
    fn the_form_is_the_abis() {
        let bytes = b"\x01\0\0\0\x03\0\0\0\x02\0\0\0key\0va\0";
        assert_eq!(written(&[("key", b"va")]).as_deref(), Some(&bytes[..]));
        assert_eq!(joined(&["source", "address"]), b"source\0address");
    }

    #[test]
    fn what_is_cut_or_lies_of_its_length_is_refused() {
        let bytes = written(&[("name", b"value"), ("b", b"")]).unwrap();
        for end in 1..bytes.len() {
            assert_eq!(read(&bytes[..end]), None, "cut at {end}");
        }
        for at in 0..20 {
            let mut lies = bytes.clone();
            lies[at] = 0xff;
            assert_eq!(read(&lies), None, "0xff at {at}");
        }
        assert_eq!(read(&[0xff; 12]), None);
        let mut no_text = bytes;
        let at = no_text.iter().position(|byte| *byte == b'n').unwrap();
        no_text[at] = 0xff;
        assert_eq!(read(&no_text), None);
    }
}
