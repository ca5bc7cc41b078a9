//! Claims that the issuer signed, whatever they are.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::value::RawValue;
use vigile_policy::{Reason, Request, Rest, State, UnixTime, drive};
use vigile_tests::keys::{RING, now};
use vigile_tests::policies;

static STATE: LazyLock<State> =
    LazyLock::new(|| policies::load("stable-diffusion").state(&RING.environment()));

/// The JSON of a token's claims. Whoever is let in by them would be by another reader.
pub fn claims(data: &[u8]) {
    agree(data, holds);
}

fn agree(data: &[u8], holds: impl Fn(&[u8], i64) -> bool) {
    let token = RING.signed(r#"{"alg":"HS256","typ":"JWT"}"#.as_bytes(), data);
    let headers = [
        (":method", "GET".to_owned()),
        (":scheme", "https".to_owned()),
        (":authority", "stablediffusion.regispailler.fr".to_owned()),
        (":path", "/".to_owned()),
        ("authorization", format!("Bearer {token}")),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.into_bytes()));
    let request = Request { headers: &headers, peer: None, end_of_stream: true };
    let time = now();
    let mut memory = STATE.memory([1, 2]);
    let decision = drive(&STATE, &request, Rest::NONE, &mut memory, UnixTime(time));
    if decision.record.reason() == Reason::AllowedToken {
        assert!(holds(data, time), "let in by {}", String::from_utf8_lossy(data));
        let members = members(data).expect("an object");
        let subject: Option<String> =
            members.get("sub").and_then(|sub| serde_json::from_str(sub.get()).ok());
        let told = decision.record.subject();
        let same = match (&told, &subject) {
            (Some(told), Some(subject)) => is_told(told, subject),
            (told, subject) => told.is_none() && subject.is_none(),
        };
        assert!(same, "another subject: {told:?} in place of {subject:?}");
    }
}

/// Whether a subject is told: 256 characters of it at most, and a mark in place of what would begin another line.
fn is_told(told: &str, subject: &str) -> bool {
    let length = subject.chars().count().min(256);
    let is_like = |(told, own): (char, char)| told == own || told == char::REPLACEMENT_CHARACTER;
    told.chars().count() == length && told.chars().zip(subject.chars()).all(is_like)
}

/// The rule of the policy's one route, as another reader has it. What the rule does not name may be any JSON:
/// numbers beyond a double and lone surrogates, too, which a tree cannot hold.
fn holds(claims: &[u8], now: i64) -> bool {
    let Some(claims) = members(claims) else { return false };
    let number =
        |name: &str| claims.get(name).and_then(|claim| serde_json::from_str(claim.get()).ok());
    let text =
        |name: &str| -> Option<String> { serde_json::from_str(claims.get(name)?.get()).ok() };
    let time = now as f64;
    number("exp").is_some_and(|exp: f64| exp > time)
        && (!claims.contains_key("nbf") || number("nbf").is_some_and(|from| from <= time))
        && text("moduleName").as_deref() == Some("stablediffusion")
        && !claims.contains_key("aud")
}

/// Of a member that stands twice the last one is kept.
fn members(claims: &[u8]) -> Option<BTreeMap<String, &RawValue>> {
    serde_json::from_str(std::str::from_utf8(claims).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::agree;

    #[test]
    #[should_panic(expected = "let in by")]
    fn a_reader_that_disagrees_is_told() {
        agree(br#"{"moduleName":"stablediffusion","exp":99999999999}"#, |_, _| false);
    }
}
