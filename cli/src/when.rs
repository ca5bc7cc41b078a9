//! Times as the command line takes them.

use vigile_policy::{quoted, span};

/// A time in RFC 3339, in seconds since 1970.
///
/// # Errors
/// Names what would be right, where that can be told.
pub(crate) fn time(text: &str) -> Result<i64, String> {
    text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_second).map_err(|_| no_time(text))
}

/// A time in RFC 3339, or a span from now (`10m`, `-5m`), in seconds since 1970.
///
/// # Errors
/// Names what would be right, where that can be told.
pub(crate) fn moment(text: &str, now: i64) -> Result<i64, String> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let is_seconds = length.len() > 8 && length.bytes().all(|byte| byte.is_ascii_digit());
    if is_seconds
        || length.contains(['-', ':'])
        || !length.starts_with(|c: char| c.is_ascii_digit())
    {
        return time(text).map_err(|problem| format!("{problem}, or a span such as 10m"));
    }
    let seconds = span(length).map_err(|problem| format!("{}: {problem}", quoted(text)))?;
    let seconds = i64::try_from(seconds.as_secs()).unwrap_or(i64::MAX);
    Ok(now.saturating_add(seconds.saturating_mul(sign)))
}

/// Seconds since 1970, as tokens have them, and a date alone are told what they stand for.
fn no_time(text: &str) -> String {
    let seconds = text.parse().ok().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    let date = format!("{text}T00:00:00Z").parse::<jiff::Timestamp>();
    match (seconds, date) {
        (Some(time), _) => format!("{text} seconds since 1970 are written {time}"),
        (None, Ok(time)) => {
            format!("{} is a day: write a time of it, such as {time}", quoted(text))
        }
        (None, Err(_)) => {
            format!("{} is no time: write it as 2026-01-01T00:00:00Z", quoted(text))
        }
    }
}
