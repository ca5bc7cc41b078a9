//! Bodies for `/chat` of policies/body: what is let through is what serde_json reads, and as the rule wants it.

use std::sync::LazyLock;

use serde_json::Value;
use vigile_policy::{Reason, Request, Rest, State, UnixTime, drive};

use super::invariants::{Headers, held};
use crate::case::Recipe;
use crate::keys::{RING, now};
use crate::policies;

static STATE: LazyLock<State> = LazyLock::new(|| policies::load("body").state(&RING.environment()));

static TOKEN: LazyLock<String> =
    LazyLock::new(|| RING.mint(&Recipe { expires: Some("20h".into()), ..Recipe::default() }));

/// Sends it, as a caller who may.
pub fn check(body: &[u8]) -> Result<Reason, String> {
    let token = format!("Bearer {}", *TOKEN);
    let headers = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "assistant.example.org"),
        (":path", "/chat"),
        ("authorization", &token),
        ("content-type", "application/json"),
    ];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()));
    let headers: &Headers = &headers;
    let request = Request { headers, peer: None, end_of_stream: false };
    let rest = Rest { body, permits: true };
    let mut memory = STATE.memory([1, 2]);
    let reason = drive(&STATE, &request, rest, &mut memory, UnixTime(now())).record.reason();
    let fits = match reason {
        Reason::AllowedToken => is_one(body),
        reason => reason == Reason::BodyInvalid,
    };
    held(fits, || format!("{reason}: {}", body.escape_ascii()))?;
    Ok(reason)
}

/// The rule of `/chat` in policies/body, by a tree.
pub fn is_one(body: &[u8]) -> bool {
    let Ok(Value::Object(members)) = serde_json::from_slice::<Value>(body) else { return false };
    let message = members.get("message").and_then(Value::as_str).is_some_and(|text| {
        // `ſ` is an `s` in another case.
        let lower = text.to_uppercase().to_lowercase();
        (1..=10_000).contains(&text.chars().count())
            && !["<script", "javascript:", "data:"].iter().any(|held| lower.contains(held))
    });
    let user = match members.get("user_id") {
        None | Some(Value::Null) => true,
        Some(Value::String(user)) => {
            !user.is_empty()
                && user.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        }
        Some(_) => false,
    };
    message && user
}
