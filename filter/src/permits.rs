//! Leases in the data that Envoy's workers share: `concurrency` of a route, across all of them.
//!
//! The store belongs to the `vm_id` and lives as long as Envoy's process; its keys can be emptied but not
//! taken away, so there is a fixed number of them. A store with a `cas` of 0 is unconditional: the keys
//! are made at load, on Envoy's main thread first, before a worker can take anything.

use std::cell::RefCell;
use std::collections::BTreeMap;

use vigile_abi as abi;
use vigile_policy::{Lease, UnixTime, renewed};

/// How often a swap is tried before it counts as failed. Workers are few, and each is at it for moments.
const TRIES: usize = 1000;

/// The leases that this worker holds, by bucket.
pub(crate) struct Permits {
    /// This VM, and no other one before or after it.
    holder: u64,
    held: RefCell<BTreeMap<String, usize>>,
}

impl Permits {
    pub(crate) fn new(holder: u64) -> Self {
        for bucket in Lease::buckets() {
            if matches!(abi::shared(&bucket), Ok(None)) && abi::set_shared(&bucket, &[], 0).is_err()
            {
                log::error!("Envoy refused shared data");
            }
        }
        Self { holder, held: RefCell::default() }
    }

    /// Takes a lease, where the caller has one left.
    pub(crate) fn take(&self, lease: &Lease, now: UnixTime) -> bool {
        let bucket = lease.bucket();
        let taken = swap(&bucket, |shared| lease.take(shared, self.holder, now));
        if taken {
            let mut held = self.held.borrow_mut();
            let count = held.entry(bucket).or_default();
            *count = count.saturating_add(1);
        }
        taken
    }

    pub(crate) fn give_back(&self, lease: &Lease) {
        let bucket = lease.bucket();
        if !swap(&bucket, |shared| Some(lease.give_back(shared, self.holder))) {
            log::error!("a lease was not given back, and ends by itself");
        }
        let mut held = self.held.borrow_mut();
        let left = held.get(&bucket).map_or(0, |count| count.saturating_sub(1));
        match left {
            0 => held.remove(&bucket),
            left => held.insert(bucket, left),
        };
    }

    /// Renews all that is held.
    pub(crate) fn renew(&self, now: UnixTime) {
        for bucket in self.held.borrow().keys() {
            swap(bucket, |shared| Some(renewed(shared, self.holder, now)));
        }
    }
}

/// Changes a bucket, unless `change` gives nothing. What another worker wrote in the meantime is looked at
/// anew.
fn swap(bucket: &str, change: impl Fn(&[u8]) -> Option<Vec<u8>>) -> bool {
    for _ in 0..TRIES {
        let Ok(Some((shared, version))) = abi::shared(bucket) else { return false };
        let Some(new) = change(&shared) else { return false };
        if abi::set_shared(bucket, &new, version).is_ok() {
            return true;
        }
    }
    false
}
