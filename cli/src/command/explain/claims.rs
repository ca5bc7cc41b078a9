//! Shows the claims of a token, one on each line.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use vigile_policy::UnixTime;

/// Characters of a value that are shown.
const LONGEST: usize = 160;

/// The members of a token's header or claims; of a text that is no JSON object, itself.
pub(super) fn lines(json: &str, now: UnixTime) -> Vec<String> {
    let Ok(members) = serde_json::from_str::<BTreeMap<String, Value>>(json) else {
        return vec![format!("{} (this is not one JSON object)", printable(json))];
    };
    let width = members.keys().map(|name| name.chars().count()).max().unwrap_or(0).min(24);
    let line = |(name, value): (&String, &Value)| {
        let (name, shown) = (printable(name), printable(&value.to_string()));
        format!("{name:<width$} {shown}{}", moment(&name, value, now).unwrap_or_default())
    };
    members.iter().map(line).collect()
}

/// The date of a registered claim that is one (RFC 7519 §4.1), and how far it is from the time of the request.
fn moment(name: &str, value: &Value, now: UnixTime) -> Option<String> {
    if !matches!(name, "exp" | "nbf" | "iat" | "auth_time") {
        return None;
    }
    let Some(seconds) = value.as_f64() else { return Some(" (this is no number)".to_owned()) };
    #[allow(clippy::cast_possible_truncation, reason = "`as` saturates")]
    let time = UnixTime(seconds as i64);
    let away = time.since(now);
    let span = humantime::format_duration(Duration::from_secs(away.unsigned_abs())).to_string();
    // To the day is near enough where it is years.
    let span = span.split(' ').take(2).collect::<Vec<_>>().join(" ");
    let away = match away {
        0 => "now".to_owned(),
        1.. => format!("in {span}"),
        _ => format!("{span} ago"),
    };
    Some(format!(" ({time}, {away})"))
}

/// On one line, cut, and without what would turn a terminal's text around.
fn printable(text: &str) -> String {
    let turns = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut shown: String = text
        .chars()
        .take(LONGEST)
        .map(|c| if turns(c) { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use vigile_policy::UnixTime;

    use super::lines;

    fn at(json: &str) -> Vec<String> {
        lines(json, UnixTime(1_000_000_000))
    }

    #[test]
    fn dates_are_written_out() {
        assert_eq!(
            at(r#"{"exp":1000000600,"iat":999999940.5,"nbf":"1","sub":"a"}"#),
            [
                "exp 1000000600 (2001-09-09T01:56:40Z, in 10m)",
                "iat 999999940.5 (2001-09-09T01:45:40Z, 1m ago)",
                "nbf \"1\" (this is no number)",
                "sub \"a\"",
            ]
        );
        assert_eq!(at(r#"{"exp":1e300}"#).len(), 1);
    }

    #[test]
    fn nothing_turns_a_terminal_around() {
        let shown = at("{\"a\":\"\u{202e}x\u{85}\"}").concat();
        assert_eq!(shown, "a \"\u{fffd}x\u{fffd}\"");
        assert!(at(&format!("{{\"a\":\"{}\"}}", "x".repeat(1000)))[0].ends_with('…'));
        assert_eq!(at("[1]"), ["[1] (this is not one JSON object)"]);
    }
}
