//! The JSON inside tokens, read once and strictly: no member twice, types as RFC 7519 wants them.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::{Audience, Claim, Claims, Scalar};
use crate::UnixTime;

/// Reads the claims, keeping the registered ones and those in `wanted`.
pub(super) fn claims(json: &[u8], wanted: &[String]) -> Option<Claims> {
    whole(json, ClaimsOf { wanted })
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
pub(super) fn header(json: &[u8]) -> Option<Header<'_>> {
    whole(json, HeaderOf)
}

/// One JSON text and nothing behind it, all of it UTF-8 (RFC 7519 §7.2), which serde_json would not ask of
/// what is ignored. It bounds the depth of what is read, and skips what is ignored without recursion.
fn whole<'de, S: DeserializeSeed<'de>>(json: &'de [u8], seed: S) -> Option<S::Value> {
    std::str::from_utf8(json).ok()?;
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = seed.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    Some(value)
}

/// Names that were seen in one object.
#[derive(Default)]
struct Members<'de> {
    /// The first of them, as many as honest tokens have: a list is faster than a set.
    few: Vec<Cow<'de, str>>,
    /// The others, which may be thousands.
    many: BTreeSet<Cow<'de, str>>,
}

/// How many names are looked through one by one.
const FEW: usize = 16;

impl<'de> Members<'de> {
    fn next<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<Option<Cow<'de, str>>, A::Error> {
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
            false => Err(A::Error::custom("a member stands twice")),
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

struct HeaderOf;

impl<'de> DeserializeSeed<'de> for HeaderOf {
    type Value = Header<'de>;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Header<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for HeaderOf {
    type Value = Header<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a header object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header<'de>, A::Error> {
        let (mut header, mut members) = (Header::default(), Members::default());
        while let Some(name) = members.next(&mut map)? {
            match name.as_ref() {
                "alg" => header.algorithm = Some(map.next_value_seed(Word)?),
                "kid" => header.kid = Some(map.next_value()?),
                "typ" => header.kind = Some(map.next_value_seed(Word)?),
                name => {
                    header.critical |= name == "crit";
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(header)
    }
}

struct ClaimsOf<'w> {
    wanted: &'w [String],
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
        let (mut claims, mut members) = (Claims::default(), Members::default());
        while let Some(name) = members.next(&mut map)? {
            match name.as_ref() {
                "iss" => claims.issuer = Some(map.next_value()?),
                "sub" => claims.subject = Some(map.next_value()?),
                "aud" => claims.audience = Some(Audience(words(map.next_value_seed(ClaimOf)?)?)),
                "exp" => claims.expires = Some(map.next_value_seed(NumericDate)?),
                "nbf" => claims.not_before = Some(map.next_value_seed(NumericDate)?),
                "iat" => claims.issued = Some(map.next_value_seed(NumericDate)?),
                other if self.wanted.iter().any(|wanted| wanted == other) => {
                    let claim = map.next_value_seed(ClaimOf)?;
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
struct ClaimOf;

impl<'de> DeserializeSeed<'de> for ClaimOf {
    type Value = Claim;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Claim, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ClaimOf {
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

    fn visit_f64<E>(self, _: f64) -> Result<Claim, E> {
        Ok(Claim::One(Scalar::Fraction))
    }

    fn visit_str<E>(self, text: &str) -> Result<Claim, E> {
        Ok(Claim::One(Scalar::Text(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Claim, E> {
        Ok(Claim::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Claim, A::Error> {
        let mut all = Some(Vec::new());
        while let Some(item) = items.next_element_seed(ClaimOf)? {
            match (&mut all, item) {
                (Some(all), Claim::One(scalar)) => all.push(scalar),
                _ => all = None,
            }
        }
        Ok(all.map_or(Claim::Other, Claim::Many))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Claim, A::Error> {
        let mut members = Members::default();
        while members.next(&mut map)?.is_some() {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(Claim::Other)
    }
}
