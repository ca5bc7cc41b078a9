//! `api_keys`: long secrets that admit whoever sends them.

use vigile_core::policy::{ApiKey, HeaderPlace};

use super::credentials::header_place;
use crate::document::{Node, Word, bytes, name, time, words};

/// The shortest key that is accepted: what `vigile key` and 001_d9637b39f961e8b1.txt make is longer.
const SHORTEST: usize = 32;

/// Reads one API key.
pub(super) fn read(node: &Node<'_>) -> Option<ApiKey> {
    let section = node.section("{ name: …, key: { env: NAME } }")?;
    let name = section.required("name", name);
    let roles = section.or("roles", Vec::new(), |node| words(node, role));
    let place = section.or("header", HeaderPlace::bearer(), header_place);
    let not_before = section.optional("not_before", time);
    let not_after = section.optional("not_after", time);
    let digest = match (section.take("key"), section.take("sha256")) {
        (Some(key), None) => secret(&key),
        (None, Some(hex)) => sha256(&hex).map(Some),
        (None, None) => section.lacks(&["key", "sha256"], "key or sha256 is required"),
        (Some(_), Some(_)) => node.wrong("key and sha256 say the same thing: keep one"),
    };
    let (not_before, not_after) = (not_before?, not_after?);
    if not_before.zip(not_after).is_some_and(|(begins, ends)| begins >= ends) {
        return node.wrong("not_after is not later than not_before: this key is never valid");
    }
    let (name, roles, place) = (name?, roles?, place?);
    Some(ApiKey { name, roles, place, digest: digest?, not_before, not_after })
}

/// A word that stands in a list with commas, for the app, and in one with spaces, in the log.
fn role(node: &Node<'_>, word: &Word) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b',';
    match word.text.bytes().all(fits) {
        true => Some(word.text.clone()),
        false => node.wrong(format!(
            "{} cannot be a role: printable ASCII without spaces and commas is",
            word.shown()
        )),
    }
}

fn secret(node: &Node<'_>) -> Option<Option<[u8; 32]>> {
    match bytes(node)? {
        None => Some(None),
        Some(key) if key.len() < SHORTEST => node.wrong(format!(
            "this key is too short: {SHORTEST} characters at least. `vigile key` makes one"
        )),
        Some(key) if !key.iter().all(|byte| byte.is_ascii_graphic() && *byte != b',') => node
            .wrong(
                "a key has printable ASCII characters alone, and no comma: it travels in a header",
            ),
        Some(key) => Some(Some(hmac_sha256::Hash::hash(&key))),
    }
}

fn sha256(node: &Node<'_>) -> Option<[u8; 32]> {
    use ct_codecs::{Decoder, Hex};
    let mut digest = [0; 32];
    let hex = crate::document::text(node)?;
    match Hex::decode(&mut digest, &hex, None).map(<[u8]>::len) {
        Ok(32) => Some(digest),
        _ => node
            .wrong("expected the SHA-256 of the key: 64 hex digits, as `vigile key` prints them"),
    }
}
