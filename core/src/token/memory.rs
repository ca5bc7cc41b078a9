//! Tokens whose signature already held.
//!
//! Remembering them spares what a signature costs, in Envoy or in the module (docs/performance.md).
//! Two generations: the young one fills up, then becomes the old one and the old one is dropped. A hit
//! in the old one is learned again. So the bounds hold under any flood, every step costs the same, and
//! what is used stays.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::Arc;

use siphasher::sip::SipHasher13;

use super::{Claims, KeyId};

/// Verified tokens of one worker, bounded in count and bytes. It belongs to the policy it was made
/// for: a host makes a new one with each policy that it loads.
pub struct Memory {
    tokens: usize,
    bytes: usize,
    young: Generation,
    old: Generation,
}

/// A token whose signature held: hand it to [`Memory::learn`].
#[derive(Clone)]
pub struct Learned {
    pub(crate) token: Box<[u8]>,
    pub(crate) claims: Arc<Claims>,
    pub(crate) key: KeyId,
}

struct Generation {
    known: HashMap<Box<[u8]>, (Arc<Claims>, KeyId), Seed>,
    bytes: usize,
}

#[derive(Clone)]
struct Seed([u64; 2]);

impl BuildHasher for Seed {
    type Hasher = SipHasher13;
    fn build_hasher(&self) -> SipHasher13 {
        let Self([one, two]) = *self;
        SipHasher13::new_with_keys(one, two)
    }
}

/// What [`Memory::recall`] found.
pub(crate) struct Recalled {
    pub(crate) claims: Arc<Claims>,
    /// Set when it should be learned again, lest it be dropped with its generation.
    pub(crate) again: Option<Learned>,
}

impl Memory {
    /// Remembers at most `tokens` tokens and about `bytes` bytes. `seed` is random, so that nobody can
    /// choose tokens that collide.
    pub fn with_bounds(tokens: usize, bytes: usize, seed: [u64; 2]) -> Self {
        let empty = || Generation { known: HashMap::with_hasher(Seed(seed)), bytes: 0 };
        Self { tokens: tokens / 2, bytes: bytes / 2, young: empty(), old: empty() }
    }

    /// How many tokens are remembered.
    pub fn len(&self) -> usize {
        self.young.known.len().saturating_add(self.old.known.len())
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes the remembered tokens take.
    pub fn bytes(&self) -> usize {
        self.young.bytes.saturating_add(self.old.bytes)
    }

    /// Remembers a token, where there is room for any.
    pub fn learn(&mut self, learned: Learned) {
        let weight = learned.token.len().saturating_add(learned.claims.weight());
        if self.tokens == 0 || weight > self.bytes {
            return;
        }
        if self.young.known.len() >= self.tokens
            || self.young.bytes.saturating_add(weight) > self.bytes
        {
            let hasher = self.young.known.hasher().clone();
            let fresh = Generation { known: HashMap::with_hasher(hasher), bytes: 0 };
            self.old = std::mem::replace(&mut self.young, fresh);
        }
        if self.young.known.insert(learned.token, (learned.claims, learned.key)).is_none() {
            self.young.bytes = self.young.bytes.saturating_add(weight);
        }
    }

    /// The claims of a token that a key of this issuer and of this generation of keys verified.
    pub(crate) fn recall(&self, token: &[u8], issuer: usize, generation: u32) -> Option<Recalled> {
        let fits = |key: &KeyId| key.issuer == issuer && key.generation == generation;
        if let Some((claims, _)) = self.young.known.get(token).filter(|(_, key)| fits(key)) {
            return Some(Recalled { claims: claims.clone(), again: None });
        }
        let (claims, key) = self.old.known.get(token).filter(|(_, key)| fits(key))?;
        let again = Learned { token: token.into(), claims: claims.clone(), key: *key };
        Some(Recalled { claims: claims.clone(), again: Some(again) })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Claims, KeyId, Learned, Memory};

    fn learned(name: usize) -> Learned {
        let key = KeyId { generation: 1, issuer: 0, index: 0 };
        Learned {
            token: format!("{name:032}").into_bytes().into(),
            claims: Arc::new(Claims::default()),
            key,
        }
    }

    fn knows(memory: &Memory, name: usize) -> bool {
        memory.recall(&learned(name).token, 0, 1).is_some()
    }

    #[test]
    fn a_flood_stays_within_both_bounds() {
        for (tokens, bytes) in [(100, usize::MAX), (usize::MAX, 20_000)] {
            let mut memory = Memory::with_bounds(tokens, bytes, [1, 2]);
            for name in 0..10_000 {
                memory.learn(learned(name));
                assert!(memory.len() <= tokens && memory.bytes() <= bytes);
            }
            assert!(memory.len() >= 40 && knows(&memory, 9_999) && !knows(&memory, 0));
        }
    }

    #[test]
    fn what_is_used_outlives_a_flood() {
        let mut memory = Memory::with_bounds(100, usize::MAX, [1, 2]);
        memory.learn(learned(0));
        for name in 1..1_000 {
            memory.learn(learned(name));
            let again = memory.recall(&learned(0).token, 0, 1).and_then(|recalled| recalled.again);
            if let Some(again) = again {
                memory.learn(again);
            }
        }
        assert!(knows(&memory, 0));
    }

    #[test]
    fn another_issuer_and_another_set_of_keys_believe_nothing() {
        let mut memory = Memory::with_bounds(100, usize::MAX, [1, 2]);
        memory.learn(learned(0));
        assert!(knows(&memory, 0));
        assert!(memory.recall(&learned(0).token, 1, 1).is_none());
        assert!(memory.recall(&learned(0).token, 0, 2).is_none());
    }

    #[test]
    fn none_may_be_kept() {
        let mut memory = Memory::with_bounds(0, usize::MAX, [1, 2]);
        memory.learn(learned(0));
        assert!(memory.is_empty());
    }
}
