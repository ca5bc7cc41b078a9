//! A signature as a host is asked that can verify it: keys and signatures as X.509 has them.
//!
//! Envoy's `verify_signature` (BoringSSL) verified RS256 25 times faster than the module does
//! (docs/decisions/0015). JOSE and X.509 differ for ECDSA alone: r and s one behind the other (RFC 7518 §3.4),
//! or as a SEQUENCE in DER (RFC 3279 §2.2.3).

use std::borrow::Cow;

use super::Family;

/// Did this key make this signature over this message?
#[derive(Clone, Debug)]
pub struct Asked<'q> {
    /// What kind of key it is: RSA, P-256 or P-384.
    pub family: Family,
    /// `sha256`, `sha384` or `sha512`.
    pub hash: &'static str,
    /// SubjectPublicKeyInfo in DER.
    pub public_key: &'q [u8],
    /// What was signed.
    pub message: &'q [u8],
    /// PKCS #1 v1.5, or ECDSA in DER.
    pub signature: Cow<'q, [u8]>,
}

#[derive(Clone, Copy)]
pub(super) enum Curve {
    P256,
    P384,
}

/// SPKI up to the point: SEQUENCE, the algorithm's identifiers, BIT STRING (RFC 5480 §2).
const P256: &[u8] = &[
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const P384: &[u8] = &[
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b,
    0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00,
];

impl Curve {
    pub(super) fn family(self) -> Family {
        match self {
            Self::P256 => Family::P256,
            Self::P384 => Family::P384,
        }
    }

    /// The key with this uncompressed point.
    pub(super) fn spki(self, point: &[u8]) -> Vec<u8> {
        let head = match self {
            Self::P256 => P256,
            Self::P384 => P384,
        };
        [head, point].concat()
    }

    fn bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

/// `r‖s` as DER; `None` where it has not their length, and so is no signature.
pub(super) fn ecdsa_signature(signature: &[u8], curve: Curve) -> Option<Vec<u8>> {
    let (r, s) = signature.split_at_checked(curve.bytes())?;
    let numbers = (s.len() == curve.bytes()).then(|| [integer(r), integer(s)].concat())?;
    Some([&[0x30, u8::try_from(numbers.len()).ok()?][..], &numbers].concat())
}

/// An INTEGER: as few bytes as hold it, and one more where the first would make it negative.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let digits = number.get(zeros..).unwrap_or_default();
    let signed = digits.first().is_none_or(|first| first & 0x80 != 0);
    let value = [if signed { &[0][..] } else { &[] }, digits].concat();
    // 49 bytes at most.
    [&[0x02, u8::try_from(value.len()).unwrap_or_default()][..], &value].concat()
}

#[cfg(test)]
mod tests {
    use super::{Curve, ecdsa_signature};

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        let signature = |r: &[u8], s: &[u8]| {
            let padded = |number: &[u8]| [vec![0; 32 - number.len()], number.to_vec()].concat();
            ecdsa_signature(&[padded(r), padded(s)].concat(), Curve::P256).unwrap()
        };
        assert_eq!(signature(&[1], &[0x7f]), [0x30, 6, 2, 1, 1, 2, 1, 0x7f]);
        assert_eq!(signature(&[0x80], &[1, 0]), [0x30, 8, 2, 2, 0, 0x80, 2, 2, 1, 0]);
        assert_eq!(signature(&[], &[1]), [0x30, 6, 2, 1, 0, 2, 1, 1]);
        let longest = ecdsa_signature(&[0xff; 96], Curve::P384).unwrap();
        assert_eq!((longest.len(), longest[1]), (104, 102));
    }

    #[test]
    fn another_length_is_no_signature() {
        for length in [0, 1, 63, 65, 96, 128] {
            assert_eq!(ecdsa_signature(&vec![1; length], Curve::P256), None, "{length}");
        }
    }
}
