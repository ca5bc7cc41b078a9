//! The policy's digest: which policy is loaded, without a word of its secrets.

use ct_codecs::{Encoder, Hex};

use super::Tree;

/// Keys under which a string may be a secret; what a `forward` says in full may be one too.
const SECRET: [&str; 4] = ["secret", "key", "k", "forward"];

/// Maps whose keys are the author's own words, which say nothing of what stands under them.
const OWN: [&str; 4] = ["claims", "json", "headers", "require_headers"];

/// What stands under a secret's key and is none itself.
const NAMES: [&str; 3] = ["env", "claim", "prefix"];

/// The first 16 hex digits of the SHA-256 over the redacted policy in one canonical form, the same
/// whether it came as JSON, as a Struct or as YAML.
pub(crate) fn digest(tree: &Tree) -> String {
    let hash = hmac_sha256::Hash::hash(canonical(tree, false, false).to_json().as_bytes());
    Hex::encode_to_string(hash.get(..8).unwrap_or_default()).unwrap_or_default()
}

/// Keys sorted, as a Struct's are, and every text under a secret's key the same; `own` in a map of [`OWN`].
fn canonical(tree: &Tree, secret: bool, own: bool) -> Tree {
    match tree {
        Tree::Text(_) if secret => Tree::Text("(redacted)".to_owned()),
        Tree::List(items) => {
            Tree::List(items.iter().map(|item| canonical(item, secret, false)).collect())
        }
        Tree::Map(pairs) => {
            let pairs = Tree::sorted(pairs).into_iter().map(|(key, item)| {
                let secret = secret || (!own && SECRET.contains(&key));
                let secret = secret && !NAMES.contains(&key);
                (key.to_owned(), canonical(item, secret, !own && OWN.contains(&key)))
            });
            Tree::Map(pairs.collect())
        }
        tree => tree.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::digest;
    use crate::document::parse;

    fn of(json: &str) -> String {
        digest(&parse(json.as_bytes()).unwrap_or(super::Tree::Null))
    }

    #[test]
    fn two_spellings_of_one_policy_have_one_digest() {
        assert_eq!(of(r#"{"a": 1, "b": [true]}"#), of(r#"{ "b": [true], "a": 1.0 }"#));
        assert_ne!(of(r#"{"a": 1}"#), of(r#"{"a": 2}"#));
    }

    #[test]
    fn a_secret_does_not_change_it() {
        assert_eq!(of(r#"{"secret": "one"}"#), of(r#"{"secret": "another"}"#));
        assert_ne!(of(r#"{"secret": {"env": "ONE"}}"#), of(r#"{"secret": {"env": "TWO"}}"#));
        assert_eq!(of(r#"{"jwk": {"k": "one"}}"#), of(r#"{"jwk": {"k": "another"}}"#));
    }

    #[test]
    fn a_claim_that_is_called_a_key_does() {
        assert_ne!(of(r#"{"claims": {"key": "admin"}}"#), of(r#"{"claims": {"key": "user"}}"#));
        assert_ne!(of(r#"{"headers": {"k": "a"}}"#), of(r#"{"headers": {"k": "b"}}"#));
        assert_ne!(
            of(r#"{"json": {"key": {"type": "string"}}}"#),
            of(r#"{"json": {"key": {"type": "integer"}}}"#)
        );
    }
}
