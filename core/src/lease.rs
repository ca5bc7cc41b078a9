//! Places among the requests that a caller has under way: leases in bytes that workers share.
//!
//! A host keeps one value of bytes per [bucket](Lease::bucket), which it swaps only where nobody else has in
//! the meantime. Buckets are few and fixed, since what a host shares can be emptied but not taken away:
//! callers come and go, and the memory stays as large as what is under way. A lease names its holder, the
//! worker as it was at its start, and ends by itself soon after that holder stopped renewing it: what a
//! worker held that broke down is free again, and nobody else's is touched.

use hmac_sha256::Hash;

use crate::UnixTime;
use crate::decide::Proven;
use crate::policy::{Concurrency, Module};

/// How many buckets there are.
const BUCKETS: u8 = 128;

/// How long a lease lives that is not renewed, in seconds.
pub const LEASE_SECONDS: u32 = 10;

/// How often a holder renews what it holds, in seconds: twice missed is not lost yet.
pub const RENEWAL_SECONDS: u32 = 3;

/// A place to take on behalf of a caller, one of `limit`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    caller: [u8; CALLER],
    limit: u16,
}

const CALLER: usize = 16;
const ENTRY: usize = CALLER + 8 + 8;

/// One lease in a bucket.
#[derive(Clone, Copy)]
struct Entry {
    caller: [u8; CALLER],
    holder: u64,
    until: u64,
}

impl Lease {
    /// The lease of a caller on a route. By name, so that an update of the policy changes nothing while
    /// requests are under way; a token without a subject is one caller with all of its kind.
    pub(crate) fn of(module: &Module, bound: &Concurrency, proven: &Proven) -> Self {
        let (kind, issuer, subject) = match (&proven.token, &proven.api_key) {
            (Some(token), _) => (
                "token",
                token.issuer.name.as_str(),
                token.claims.subject.as_deref().unwrap_or_default(),
            ),
            (None, Some(key)) => ("api_key", key.name.as_str(), ""),
            (None, None) => ("nobody", "", ""),
        };
        let mut hash = Hash::new();
        for part in [&module.name, &bound.route, kind, issuer, subject] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let caller = digest.first_chunk().copied().unwrap_or_default();
        Self { caller, limit: bound.limit }
    }

    /// The names of all buckets: a host makes them before the first lease is taken.
    pub fn buckets() -> impl Iterator<Item = String> {
        (0..BUCKETS).map(named)
    }

    /// The name of the bucket that holds this lease.
    pub fn bucket(&self) -> String {
        named(self.caller.first().copied().unwrap_or_default() % BUCKETS)
    }

    /// The bucket with this lease taken by `holder`; `None` where the caller has as many as the limit.
    pub fn take(&self, bucket: &[u8], holder: u64, now: UnixTime) -> Option<Vec<u8>> {
        let mut live = alive(bucket, now);
        let held = live.iter().filter(|entry| entry.caller == self.caller).count();
        (held < usize::from(self.limit)).then(|| {
            live.push(Entry { caller: self.caller, holder, until: end(now) });
            written(&live)
        })
    }

    /// The bucket without one lease of this caller that `holder` took.
    pub fn give_back(&self, bucket: &[u8], holder: u64) -> Vec<u8> {
        let mut all: Vec<Entry> = entries(bucket).collect();
        let own = |entry: &Entry| entry.caller == self.caller && entry.holder == holder;
        if let Some(at) = all.iter().position(own) {
            all.remove(at);
        }
        written(&all)
    }
}

/// The bucket with every lease of `holder` renewed, those too that it was late for.
pub fn renewed(bucket: &[u8], holder: u64, now: UnixTime) -> Vec<u8> {
    let renewed = entries(bucket).map(|entry| match entry.holder == holder {
        true => Entry { until: end(now), ..entry },
        false => entry,
    });
    written(&renewed.filter(|entry| is_alive(entry, now)).collect::<Vec<_>>())
}

fn named(bucket: u8) -> String {
    format!("vigile.leases.{bucket}")
}

fn seconds(now: UnixTime) -> u64 {
    u64::try_from(now.0).unwrap_or_default()
}

fn end(now: UnixTime) -> u64 {
    seconds(now).saturating_add(LEASE_SECONDS.into())
}

/// Neither over, nor of a clock that has been set back since by more than a lease lives.
fn is_alive(entry: &Entry, now: UnixTime) -> bool {
    (seconds(now)..=end(now).saturating_add(LEASE_SECONDS.into())).contains(&entry.until)
}

fn alive(bucket: &[u8], now: UnixTime) -> Vec<Entry> {
    entries(bucket).filter(|entry| is_alive(entry, now)).collect()
}

fn entries(bucket: &[u8]) -> impl Iterator<Item = Entry> {
    bucket.chunks_exact(ENTRY).filter_map(|entry| {
        let (caller, rest) = entry.split_first_chunk::<CALLER>()?;
        let (holder, rest) = rest.split_first_chunk::<8>()?;
        let until = rest.first_chunk::<8>()?;
        Some(Entry {
            caller: *caller,
            holder: u64::from_be_bytes(*holder),
            until: u64::from_be_bytes(*until),
        })
    })
}

fn written(entries: &[Entry]) -> Vec<u8> {
    let parts = entries.iter().map(|entry| {
        [&entry.caller[..], &entry.holder.to_be_bytes(), &entry.until.to_be_bytes()].concat()
    });
    parts.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::{ENTRY, LEASE_SECONDS, Lease, renewed};
    use crate::UnixTime;

    const NOW: UnixTime = UnixTime(1_000);
    const LATER: UnixTime = UnixTime(1_000 + LEASE_SECONDS as i64 + 1);

    fn lease(caller: u8, limit: u16) -> Lease {
        Lease { caller: [caller; 16], limit }
    }

    #[test]
    fn a_caller_has_as_many_as_the_limit_and_others_have_theirs() {
        let two = lease(1, 2);
        let bucket = two.take(&[], 7, NOW).unwrap();
        let bucket = two.take(&bucket, 8, NOW).unwrap();
        assert_eq!(two.take(&bucket, 7, NOW), None);
        let bucket = lease(2, 1).take(&bucket, 7, NOW).unwrap();
        assert_eq!(bucket.len(), 3 * ENTRY);
        let bucket = two.give_back(&bucket, 8);
        assert!(two.take(&bucket, 7, NOW).is_some());
        assert_eq!(lease(2, 1).take(&bucket, 7, NOW), None);
    }

    #[test]
    fn only_a_holder_gives_back_and_only_what_it_took() {
        let one = lease(1, 1);
        let bucket = one.take(&[], 7, NOW).unwrap();
        assert_eq!(one.give_back(&bucket, 8), bucket);
        assert_eq!(lease(2, 1).give_back(&bucket, 7), bucket);
        assert!(one.give_back(&bucket, 7).is_empty());
        assert!(one.give_back(&[], 7).is_empty());
    }

    #[test]
    fn what_nobody_renews_ends_and_what_is_renewed_does_not() {
        let one = lease(1, 1);
        let bucket = one.take(&[], 7, NOW).unwrap();
        assert!(one.take(&bucket, 8, LATER).is_some());
        let kept = renewed(&bucket, 7, UnixTime(1_005));
        assert_eq!(one.take(&kept, 8, LATER), None);
        assert!(one.take(&renewed(&bucket, 8, UnixTime(1_005)), 8, LATER).is_some());
        assert!(renewed(&bucket, 8, LATER).is_empty());
        assert_eq!(one.take(&renewed(&bucket, 7, LATER), 8, LATER), None);
    }

    /// A second back is nothing; after hours a lease would live for hours.
    #[test]
    fn a_clock_that_is_set_back_sticks_no_lease() {
        let bucket = lease(1, 1).take(&[], 7, NOW).unwrap();
        assert_eq!(lease(1, 1).take(&bucket, 8, UnixTime(NOW.0 - 1)), None);
        assert!(lease(1, 1).take(&bucket, 8, UnixTime(NOW.0 - 500)).is_some());
    }

    #[test]
    fn bytes_that_are_no_leases_are_none() {
        for bucket in [&[0xff; ENTRY - 1][..], &[0; ENTRY], &[0xff; ENTRY * 2 + 5]] {
            assert_eq!(lease(1, 1).take(bucket, 7, NOW).unwrap().len(), ENTRY);
        }
    }

    #[test]
    fn every_lease_has_one_of_the_buckets() {
        let all: Vec<String> = Lease::buckets().collect();
        assert!((0..=255).all(|caller| all.contains(&lease(caller, 1).bucket())));
    }
}
