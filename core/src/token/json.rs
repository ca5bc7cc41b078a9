//! The JSON inside tokens, read once and strictly: no member twice, types as RFC 7519 wants them.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Audience, Claim, Claims, Scalar};
use crate::UnixTime;

/// The fault of a JSON text in a token, in words of ours alone: a log may tell it before any signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Bytes that are not UTF-8.
    NoText,
    /// No JSON object, or something behind one.
    NoObject,
    /// A member stands twice.
    Twice,
    /// This member is not of this type.
    Type(&'static str, &'static str),
}

/// The fault that the next value would have; serde's own errors repeat what stands there.
type Next = Cell<Fault>;

/// Reads the claims, keeping the registered ones and those in `wanted`.
pub(super) fn claims(json: &[u8], wanted: &[String]) -> Result<Claims, Fault> {
    let next = Next::new(Fault::NoObject);
    whole(json, ClaimsOf { wanted, next: &next }, &next).ok_or(next.get())
}

/// What the header says (RFC 7515 §4.1).
#[derive(Default)]
pub(super) struct Header<'h> {
    pub(super) algorithm: Option<Cow<'h, str>>,
    pub(super) kid: Option<String>,
    pub(super) kind: Option<Cow<'h, str>>,
    pub(super) critical: bool,
}

/// Reads the header.
pub(super) fn header(json: &[u8]) -> Result<Header<'_>, Fault> {
    let next = Next::new(Fault::NoObject);
    whole(json, HeaderOf { next: &next }, &next).ok_or(next.get())
}

/// One JSON text and nothing behind it, all of it UTF-8 (RFC 7519 §7.2), which serde_json would not ask of
/// what is ignored. It bounds the depth of what is read, and skips what is ignored without recursion.
fn whole<'de, S: DeserializeSeed<'de>>(json: &'de [u8], seed: S, next: &Next) -> Option<S::Value> {
    if std::str::from_utf8(json).is_err() {
        next.set(Fault::NoText);
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = seed.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

/// Names that were seen in one object.
struct Members<'de, 'n> {
    next: &'n Next,
    /// The first of them, as many as honest tokens have: a list is faster than a set.
    few: Vec<Cow<'de, str>>,
    /// The others, which may be thousands.
    many: BTreeSet<Cow<'de, str>>,
}

/// How many names are looked through one by one.
const FEW: usize = 16;

impl<'de, 'n> Members<'de, 'n> {
    fn of(next: &'n Next) -> Self {
        Self { next, few: Vec::new(), many: BTreeSet::new() }
    }

    fn next<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<Option<Cow<'de, str>>, A::Error> {
        self.next.set(Fault::NoObject);
        let Some(name) = map.next_key_seed(Word)? else { return Ok(None) };
        let known = self.few.contains(&name);
        let is_new = match self.few.len() < FEW {
            _ if known => false,
            true => {
                self.few.push(name.clone());
                true
            }
            false => self.many.insert(name.clone()),
        };
        match is_new {
            true => Ok(Some(name)),
            false => {
                self.next.set(Fault::Twice);
                Err(A::Error::custom("a member stands twice"))
            }
        }
    }
}

/// A string, borrowed where nothing in it is escaped.
struct Word;

impl<'de> DeserializeSeed<'de> for Word {
    type Value = Cow<'de, str>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Word {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(text.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.to_owned().into())
    }
}

struct HeaderOf<'n> {
    next: &'n Next,
}

impl<'de> DeserializeSeed<'de> for HeaderOf<'_> {
    type Value = Header<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Header<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for HeaderOf<'_> {
    type Value = Header<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header<'de>, A::Error> {
        let (mut header, mut members) = (Header::default(), Members::of(self.next));
        while let Some(name) = members.next(&mut map)? {
            let wants = |name| self.next.set(Fault::Type(name, STRING));
            match name.as_ref() {
                "alg" => {
                    wants("alg");
                    header.algorithm = Some(map.next_value_seed(Word)?);
                }
                "kid" => {
                    wants("kid");
                    header.kid = Some(map.next_value()?);
                }
                "typ" => {
                    wants("typ");
                    header.kind = Some(map.next_value_seed(Word)?);
                }
                name => {
                    header.critical |= name == "crit";
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(header)
    }
}

const STRING: &str = "a string";
const DATE: &str = "a number of seconds since 1970";

const AUDIENCE: Fault = Fault::Type("aud", "a string, or an array of strings");

/// The claims that are of a type (RFC 7519 §4.1).
const TYPES: [(&str, &str); 5] =
    [("iss", STRING), ("sub", STRING), ("exp", DATE), ("nbf", DATE), ("iat", DATE)];

struct ClaimsOf<'w> {
    wanted: &'w [String],
    next: &'w Next,
}

impl<'de> DeserializeSeed<'de> for ClaimsOf<'_> {
    type Value = Claims;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Claims, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ClaimsOf<'_> {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claims object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claims, A::Error> {
        let (mut claims, mut members) = (Claims::default(), Members::of(self.next));
        while let Some(name) = members.next(&mut map)? {
            if let Some(fault) = TYPES.iter().find(|(typed, _)| *typed == name) {
                self.next.set(Fault::Type(fault.0, fault.1));
            }
            match name.as_ref() {
                "iss" => claims.issuer = Some(map.next_value()?),
                "sub" => claims.subject = Some(map.next_value()?),
                "aud" => claims.audience = Some(map.next_value_seed(Words(self.next))?),
                "exp" => claims.expires = Some(map.next_value_seed(NumericDate)?),
                "nbf" => claims.not_before = Some(map.next_value_seed(NumericDate)?),
                "iat" => claims.issued = Some(map.next_value_seed(NumericDate)?),
                other if self.wanted.iter().any(|wanted| wanted == other) => {
                    let claim = map.next_value_seed(ClaimOf(self.next))?;
                    claims.others.push((name.into_owned(), claim));
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(claims)
    }
}

/// An audience.
struct Words<'n>(&'n Next);

impl<'de> DeserializeSeed<'de> for Words<'_> {
    type Value = Audience;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Audience, D::Error> {
        let claim = ClaimOf(self.0).deserialize(deserializer)?;
        self.0.set(AUDIENCE);
        words(claim).map(Audience)
    }
}

/// A string or an array of strings.
fn words<E: Error>(claim: Claim) -> Result<Vec<String>, E> {
    let all = match claim {
        Claim::One(scalar) => vec![scalar],
        Claim::Many(all) => all,
        Claim::Null | Claim::Other => {
            return Err(E::custom("neither a string nor an array of strings"));
        }
    };
    let word = |scalar| match scalar {
        Scalar::Text(text) => Ok(text),
        _ => Err(E::custom("not a string")),
    };
    all.into_iter().map(word).collect()
}

/// A JSON number of seconds, whole or not (RFC 7519 §2): the fraction is cut, which ends a token a
/// moment early rather than late. Negative ones are no date that a token is made at.
struct NumericDate;

impl<'de> DeserializeSeed<'de> for NumericDate {
    type Value = UnixTime;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<UnixTime, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for NumericDate {
    type Value = UnixTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds since 1970")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<UnixTime, E> {
        Ok(UnixTime(i64::try_from(seconds).unwrap_or(i64::MAX)))
    }

    #[allow(clippy::cast_possible_truncation, reason = "`as` saturates at the ends of i64")]
    fn visit_f64<E: Error>(self, seconds: f64) -> Result<UnixTime, E> {
        match seconds >= 0.0 {
            true => Ok(UnixTime(seconds as i64)),
            false => Err(E::custom("a negative date")),
        }
    }
}

/// Any claim.
struct ClaimOf<'n>(&'n Next);

impl<'de> DeserializeSeed<'de> for ClaimOf<'_> {
    type Value = Claim;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Claim, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ClaimOf<'_> {
    type Value = Claim;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a claim")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Claim, E> {
        Ok(Claim::One(Scalar::Flag(flag)))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Claim, E> {
        Ok(Claim::One(Scalar::Whole(number.into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Claim, E> {
        Ok(Claim::One(Scalar::Whole(number.into())))
    }

    /// `42.0` and `4.2e1` are 42 (RFC 8259 §6), as far as a double holds every whole number (2⁵³).
    #[allow(clippy::cast_possible_truncation, reason = "the range is looked at first")]
    fn visit_f64<E>(self, number: f64) -> Result<Claim, E> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        let whole = number.fract() == 0.0 && number.abs() < EXACT;
        Ok(Claim::One(if whole { Scalar::Whole(number as i128) } else { Scalar::Fraction }))
    }

    fn visit_str<E>(self, text: &str) -> Result<Claim, E> {
        Ok(Claim::One(Scalar::Text(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Claim, E> {
        Ok(Claim::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Claim, A::Error> {
        let mut all = Some(Vec::new());
        while let Some(item) = items.next_element_seed(ClaimOf(self.0))? {
            match (&mut all, item) {
                (Some(all), Claim::One(scalar)) => all.push(scalar),
                _ => all = None,
            }
        }
        Ok(all.map_or(Claim::Other, Claim::Many))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claim, A::Error> {
        let mut members = Members::of(self.0);
        while members.next(&mut map)?.is_some() {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(Claim::Other)
    }
}
