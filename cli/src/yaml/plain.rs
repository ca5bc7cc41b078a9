//! What a plain word is: Envoy's `ValueUtil::loadFromYaml` over yaml-cpp, or JSON.

use vigile_policy::Tree;

use super::Style;

/// The value of a word.
pub(super) fn meaning(text: &str, style: Style) -> Tree {
    match style {
        Style::Quoted => Tree::Text(text.to_owned()),
        Style::Plain => plain(text),
        Style::Json => json(text),
    }
}

fn json(text: &str) -> Tree {
    match text {
        "null" => Tree::Null,
        "true" => Tree::Flag(true),
        "false" => Tree::Flag(false),
        _ => text.parse().map_or_else(|_| Tree::Text(text.to_owned()), Tree::Number),
    }
}

/// Null, a boolean, a whole number of 32 bits, or a string: fractions and larger numbers stay strings.
fn plain(text: &str) -> Tree {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Tree::Null,
        _ => match boolean(text) {
            Some(flag) => Tree::Flag(flag),
            None => number(text),
        },
    }
}

/// yaml-cpp's words for true and false, all lower, all upper, or capitalised.
fn boolean(text: &str) -> Option<bool> {
    let lower = text.to_ascii_lowercase();
    let capital = text.chars().take(1).all(char::is_uppercase)
        && text.chars().skip(1).all(char::is_lowercase);
    if text != lower && text != text.to_ascii_uppercase() && !capital {
        return None;
    }
    match lower.as_str() {
        "y" | "yes" | "true" | "on" => Some(true),
        "n" | "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// Numbers beyond 32 bits become strings again, in decimal.
fn number(text: &str) -> Tree {
    match whole(text) {
        Some(whole) => i32::try_from(whole)
            .map_or_else(|_| Tree::Text(whole.to_string()), |whole| Tree::Number(whole.into())),
        None => Tree::Text(text.to_owned()),
    }
}

/// Decimal, `0x` for hexadecimal, a leading 0 for octal: what a C++ stream reads without a base set.
fn whole(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (base, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hexadecimal) => (16, hexadecimal),
        None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    if !digits.starts_with(|c: char| c.is_digit(base)) {
        return None;
    }
    let sign = if text.starts_with('-') { "-" } else { "" };
    i64::from_str_radix(&format!("{sign}{digits}"), base).ok()
}

#[cfg(test)]
mod tests {
    use super::{Style, Tree, meaning};

    #[test]
    fn plain_words_are_what_envoy_makes_of_them() {
        for (text, is) in [
            ("yes", Tree::Flag(true)),
            ("OFF", Tree::Flag(false)),
            ("oN", Tree::Text("oN".into())),
            ("12", Tree::Number(12.0)),
            ("-1", Tree::Number(-1.0)),
            ("0x1F", Tree::Number(31.0)),
            ("-010", Tree::Number(-8.0)),
            ("08", Tree::Text("08".into())),
            ("0o17", Tree::Text("0o17".into())),
            ("--1", Tree::Text("--1".into())),
            ("3000000000", Tree::Text("3000000000".into())),
            ("0xFFFFFFFF", Tree::Text("4294967295".into())),
            ("99999999999999999999", Tree::Text("99999999999999999999".into())),
            ("1.5", Tree::Text("1.5".into())),
            ("30s", Tree::Text("30s".into())),
            ("~", Tree::Null),
        ] {
            assert_eq!(meaning(text, Style::Plain), is, "{text}");
            assert_eq!(meaning(text, Style::Quoted), Tree::Text(text.into()));
        }
    }

    #[test]
    fn json_has_its_own_words() {
        assert_eq!(meaning("1.5e3", Style::Json), Tree::Number(1500.0));
        assert_eq!(meaning("3000000000", Style::Json), Tree::Number(3e9));
        assert_eq!(meaning("true", Style::Json), Tree::Flag(true));
        assert_eq!(meaning("null", Style::Json), Tree::Null);
    }
}
