//! Time as the core knows it: an argument, in whole seconds.

use std::fmt;
use std::time::{Duration, UNIX_EPOCH};

/// 9999-12-31T23:59:59Z, the last second that RFC 3339 can write.
const LAST: i64 = 253_402_300_799;

/// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted (RFC 7519 §2, NumericDate).
///
/// ```
/// use vigile_core::UnixTime;
/// assert_eq!(UnixTime(1_700_000_000).to_string(), "2023-11-14T22:13:20Z");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub i64);

impl UnixTime {
    /// Reads an RFC 3339 time in UTC, such as `2026-01-01T00:00:00Z`.
    pub fn parse(text: &str) -> Option<Self> {
        let time = humantime::parse_rfc3339(text).ok()?;
        let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
        i64::try_from(seconds).ok().map(Self)
    }

    /// Later by `span`; the end of time is never passed.
    #[must_use]
    pub fn later(self, span: Duration) -> Self {
        Self(self.0.saturating_add(whole_seconds(span)))
    }

    /// Seconds from `earlier` to `self`, negative when it is the later of the two.
    pub fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// A span in seconds, as far as they can be counted.
pub(crate) fn whole_seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = u64::try_from(self.0.clamp(0, LAST)).unwrap_or(0);
        match UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) {
            Some(time) => humantime::format_rfc3339_seconds(time).fmt(f),
            None => f.write_str("1970-01-01T00:00:00Z"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::UnixTime;

    #[test]
    fn is_written_at_both_edges_of_the_calendar() {
        assert_eq!(UnixTime(i64::MIN).to_string(), "1970-01-01T00:00:00Z");
        assert_eq!(UnixTime(i64::MAX).to_string(), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn is_read_in_utc_alone() {
        assert_eq!(UnixTime::parse("2026-01-01T00:00:00Z"), Some(UnixTime(1_767_225_600)));
        assert_eq!(UnixTime::parse("2026-01-01T00:00:00+02:00"), None);
        assert_eq!(UnixTime::parse("2026-13-01T00:00:00Z"), None);
    }
}
