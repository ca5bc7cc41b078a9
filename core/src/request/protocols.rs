//! The subprotocols that a websocket's handshake offers (RFC 6455 §4.1), as bytes: one list, in however
//! many headers. A page can set no other header on a websocket, so a token may stand among them.

use std::collections::BTreeSet;

use super::Request;

/// Where the offer stands.
pub(crate) const OFFERED: &str = "sec-websocket-protocol";

/// Every token: what stands behind `word` in the list, and every repetition of that. Letter case counts,
/// as it does for browsers.
pub(crate) fn protocol_tokens<'r>(request: &Request<'r>, word: &str) -> Vec<&'r [u8]> {
    let behind = behind(request, word);
    offered(request).filter(|offer| behind.contains(offer)).collect()
}

/// Whether the client offers `word`, and so accepts it as the answer.
pub(crate) fn offers(request: &Request<'_>, word: &str) -> bool {
    offered(request).any(|offer| offer == word.as_bytes())
}

/// Tells that something on offer is like this.
pub(crate) fn offers_like(request: &Request<'_>, like: fn(&[u8]) -> bool) -> bool {
    offered(request).any(like)
}

/// The list without `word` and what stands behind it; `None` where it is not offered. Otherwise the
/// new header's value, empty where nothing is left.
pub(crate) fn without_protocol(request: &Request<'_>, word: &str) -> Option<Vec<u8>> {
    if !offers(request, word) {
        return None;
    }
    let behind = behind(request, word);
    let kept =
        offered(request).filter(|offer| *offer != word.as_bytes() && !behind.contains(offer));
    Some(kept.collect::<Vec<_>>().join(b", ".as_slice()))
}

/// A set: a list of sixty kilobytes holds thousands of pairs, and each item is looked for among them.
fn behind<'r>(request: &Request<'r>, word: &str) -> BTreeSet<&'r [u8]> {
    let pairs = offered(request).zip(offered(request).skip(1));
    let mut behind = BTreeSet::new();
    pairs.filter(|(first, _)| *first == word.as_bytes()).for_each(|(_, next)| {
        behind.insert(next);
    });
    behind
}

/// The items of the list; empty ones are none (RFC 9110 §5.6.1.2).
fn offered<'r>(request: &Request<'r>) -> impl Iterator<Item = &'r [u8]> {
    let items = request.all(OFFERED).flat_map(|list| list.split(|byte| *byte == b','));
    items.map(<[u8]>::trim_ascii).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{protocol_tokens, without_protocol};
    use crate::Request;

    fn split(offers: &[&str]) -> (Vec<String>, Option<String>) {
        let headers: Vec<(String, Vec<u8>)> = offers
            .iter()
            .map(|offer| ("sec-websocket-protocol".to_owned(), offer.as_bytes().to_vec()))
            .collect();
        let request = Request { headers: &headers, peer: None, end_of_stream: true };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let tokens = protocol_tokens(&request, "vigile").into_iter().map(text).collect();
        (tokens, without_protocol(&request, "vigile").map(|left| text(&left)))
    }

    #[test]
    fn the_token_stands_behind_the_word() {
        for (offers, token, left) in [
            (&["vigile, t"] as &[_], &["t"] as &[_], ""),
            (&["vigile,t,chat"], &["t"], "chat"),
            (&["chat,\tvigile , t", "soap"], &["t"], "chat, soap"),
            (&["vigile", "t"], &["t"], ""),
            (&[",, vigile,,t,"], &["t"], ""),
            (&["chat, vigile"], &[], "chat"),
            (&["vigile"], &[], ""),
        ] {
            let token: Vec<String> = token.iter().map(ToString::to_string).collect();
            assert_eq!(split(offers), (token, Some(left.to_owned())), "{offers:?}");
        }
    }

    #[test]
    fn whatever_is_repeated_is_seen_and_taken_away() {
        for (offers, tokens, left) in [
            ("vigile, t, vigile, t", &["t", "t"] as &[_], ""),
            ("vigile, t, vigile, u", &["t", "u"], ""),
            ("t, vigile, t, chat", &["t", "t"], "chat"),
            ("vigile, vigile, t", &["vigile", "vigile", "t"], ""),
        ] {
            let tokens: Vec<String> = tokens.iter().map(ToString::to_string).collect();
            assert_eq!(split(&[offers]), (tokens, Some(left.to_owned())), "{offers}");
        }
    }

    /// Quadratic, this took 18 seconds: a client could hold a worker with long lists.
    #[test]
    fn as_many_pairs_as_a_header_holds_cost_little() {
        let pairs: Vec<String> = (0..30_000).map(|pair| format!("vigile, {pair}")).collect();
        let (tokens, left) = split(&[&pairs.join(", ")]);
        assert_eq!((tokens.len(), left.as_deref()), (30_000, Some("")));
    }

    #[test]
    fn other_lists_are_the_apps() {
        for other in ["", ",", "chat", "Vigile, t", "vigiles, t", "t", "chat vigile, t"] {
            assert_eq!(split(&[other]), (Vec::new(), None), "{other}");
        }
    }
}
