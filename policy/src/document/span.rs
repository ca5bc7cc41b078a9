//! Spans of time, as policies and the command line write them.

use std::time::Duration;

/// Reads a span of whole seconds: `30s`, `5m`, `24h`, `7days`, `1h 30m`.
///
/// ```
/// use std::time::Duration;
/// assert_eq!(vigile_policy::span("15m"), Ok(Duration::from_mins(15)));
/// assert!(vigile_policy::span("15M").is_err());
/// ```
///
/// # Errors
/// Names what is wrong with it, and what would be right.
pub fn span(text: &str) -> Result<Duration, &'static str> {
    if text.contains('M') {
        return Err("M stands for months: write m for minutes, or the span in days");
    }
    match humantime::parse_duration(text) {
        Ok(span) if span.subsec_nanos() != 0 => Err("expected whole seconds, such as \"30s\""),
        Ok(span) => Ok(span),
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err("this number has no unit: write \"30s\", \"5m\" or \"24h\"")
        }
        Err(_) => Err("expected a span of time such as \"30s\", \"5m\" or \"24h\""),
    }
}
