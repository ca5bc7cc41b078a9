//! Documents that may be policies.

use vigile_policy::{Draft, Host, Tree};

use super::invariants::{Held, held};
use crate::bad;
use crate::keys::RING;

/// Reads it as a host would, and judges it.
pub fn check(document: &[u8]) -> Held {
    if let Ok(draft) = Draft::read(document) {
        draft.variables();
        draft.mistakes(Host::ENVOY);
    }
    let variables = RING.environment();
    match bad::outcome(document, &variables) {
        Ok(summary) => match serde_json::from_slice::<Tree>(document) {
            // What holds as JSON is the same policy as a Struct.
            Ok(tree) => {
                let again = bad::outcome(&bad::as_struct(&tree), &variables);
                held(again.as_ref() == Ok(&summary), || format!("{summary}\n{again:#?}"))
            }
            Err(_) => Ok(()),
        },
        Err(mistakes) => held(!mistakes.is_empty(), || "refused without a word".into()),
    }
}
