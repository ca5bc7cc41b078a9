//! Vigile's audit lines, as they come.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

/// Says every decision of Envoy's log, for as long as it is waited for.
pub(super) async fn follow(log: &Path, say: &impl Fn(&str)) {
    let mut seen = 0;
    let mut rest = String::new();
    loop {
        rest.push_str(&from(log, &mut seen));
        while let Some((line, after)) = rest.split_once('\n') {
            if let Some(told) = told(line) {
                say(&told);
            }
            rest = after.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// What was written since.
fn from(log: &Path, seen: &mut u64) -> String {
    let mut new = Vec::new();
    let read = std::fs::File::open(log).and_then(|mut file| {
        file.seek(SeekFrom::Start(*seen))?;
        file.read_to_end(&mut new)
    });
    let length = read.ok().and_then(|length| u64::try_from(length).ok()).unwrap_or_default();
    *seen = seen.saturating_add(length);
    String::from_utf8_lossy(&new).into_owned()
}

/// `{"timestamp": …, "reason": "token.expired", …}` behind Envoy's own prefix, in a line for people.
fn told(line: &str) -> Option<String> {
    let (_, object) = line.split_once('{')?;
    let event: Value = serde_json::from_str(&format!("{{{}", object.trim_end())).ok()?;
    let word = |name: &str| event.get(name).and_then(Value::as_str);
    let time = word("timestamp")?.get(11..19)?;
    let whom = word("user").map(|user| format!(", {user}")).unwrap_or_default();
    Some(format!("    {time}  {} {}: {}{whom}", word("method")?, word("path")?, word("reason")?))
}

#[cfg(test)]
mod tests {
    use super::told;

    #[test]
    fn a_decision_is_a_line() {
        let line = r#"[2026-01-01 10:00:00][7][warning][wasm] wasm log vigile: {"timestamp":"2026-01-01T10:00:00Z","reason":"token.expired","method":"GET","path":"/"}"#;
        assert_eq!(told(line).as_deref(), Some("    10:00:00  GET /: token.expired"));
        assert_eq!(told("[2026-01-01 10:00:00] starting {all}"), None);
    }
}
