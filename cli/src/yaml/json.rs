//! JSON is YAML to the reader, but for what this file takes care of.

use std::borrow::Cow;

use vigile_policy::Tree;

use super::{NotYaml, Place};

/// Refuses what YAML would take and JSON does not.
pub(super) fn check(text: &str) -> Result<(), NotYaml> {
    let Err(error) = serde_json::from_str::<Tree>(text) else { return Ok(()) };
    let said = error.to_string();
    let problem = said.split(" at line ").next().unwrap_or_default();
    Err(NotYaml {
        place: Place { line: error.line().max(1), column: error.column().max(1) },
        problem: format!("this is not JSON: {problem}"),
    })
}

/// Pairs of `\ud83d\ude00` (RFC 8259 §7) as YAML's `\U0001f600`: what follows on the line is then two
/// columns too far to the left.
pub(super) fn without_surrogates(text: &str) -> Cow<'_, str> {
    if !text.contains("\\ud") && !text.contains("\\uD") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let (written, length) = match pair(escape) {
            Some(letter) => (format!("\\U{:08x}", u32::from(letter)), 12),
            // Any other escape is two characters at least: `\\` must not begin another one.
            None => (escape.chars().take(2).collect(), 2),
        };
        out.push_str(&written);
        rest = escape.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The letter of two escapes.
fn pair(escape: &str) -> Option<char> {
    let unit = |at: usize| {
        let digits = escape.get(at..at.checked_add(6)?)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    char::decode_utf16([unit(0)?, unit(6)?]).next()?.ok().filter(|letter| *letter > '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::{check, without_surrogates};
    use crate::yaml::Yaml;

    #[test]
    fn surrogates_become_letters() {
        assert_eq!(
            without_surrogates(r"a \ud83d\ude00 \\ud83d\ude00"),
            r"a \U0001f600 \\ud83d\ude00"
        );
        let json = "{\n\t\"a\": \"\\uD83D\\uDE00\\u00e9\\/\"\n}";
        let read = Yaml::parse_json(json)
            .map(|yaml| yaml.get("a").and_then(Yaml::word).map(str::to_owned));
        assert!(matches!(read, Ok(Some(text)) if text == "😀é/"));
    }

    #[test]
    fn what_only_yaml_takes_is_refused() {
        for text in ["a: 1", "{'a': 1}", "{\"a\": 1,}", "{\"a\": 1} # x", ""] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
