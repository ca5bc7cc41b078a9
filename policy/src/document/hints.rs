//! What a message may repeat of a policy, and what it suggests.

use std::borrow::Cow;

/// A text this long may be a secret that was put in the wrong place: no message repeats it. Every key
/// and every secret that Vigile accepts has as many characters at least.
const MAY_BE_A_SECRET: usize = 32;

/// `; did you mean "issuer"?` where one is near, else `; known: a, b`.
pub(crate) fn did_you_mean(given: &str, known: &[&str]) -> String {
    match nearest(given, known) {
        Some(word) => format!("; did you mean {}?", quoted(word)),
        None => listed(known),
    }
}

/// `; known: a, b`.
pub(super) fn listed(known: &[&str]) -> String {
    if known.is_empty() {
        return String::new();
    }
    let known: Vec<Cow<'_, str>> = known.iter().map(|key| shown_key(key)).collect();
    format!("; known: {}", known.join(", "))
}

/// The known word that `given` is a slip of.
pub(super) fn nearest<'k>(given: &str, known: &[&'k str]) -> Option<&'k str> {
    let folded = given.to_ascii_lowercase();
    let distance = |word: &str| strsim::osa_distance(&folded, &word.to_ascii_lowercase());
    let (distance, word) = known.iter().map(|word| (distance(word), *word)).min()?;
    (distance <= 2.min(word.len() / 2)).then_some(word)
}

/// What an author wrote, in quotes, unless it may be a secret.
pub fn quoted(given: &str) -> String {
    match given.chars().count() {
        length if length < MAY_BE_A_SECRET => format!("{given:?}"),
        length => format!("(a text of {length} characters)"),
    }
}

/// A key as a path shows it. `{secret:hunter2}` is a key to YAML, for want of a space: what stands behind
/// the colon is cut, and what may be a secret itself is not shown. Long names of headers and addresses of claims
/// (`https://iahome.fr/plan`) stay.
pub(super) fn shown_key(key: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_lowercase() || c == '-';
    let key = match key.split_once(':') {
        Some((_, rest)) if rest.starts_with("//") => return Cow::Borrowed(key),
        Some((before, _)) => before,
        None => key,
    };
    match key.char_indices().nth(MAY_BE_A_SECRET.saturating_sub(1)) {
        Some(_) if !key.chars().all(plain) => Cow::Borrowed("…"),
        _ => Cow::Borrowed(key),
    }
}

/// The name of a variable, unless somebody wrote the secret itself in its place: variables that long
/// have capitals and words.
pub fn shown_variable(name: &str) -> Cow<'_, str> {
    let capital = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    match name.len() < MAY_BE_A_SECRET || (name.contains('_') && name.chars().all(capital)) {
        true => Cow::Borrowed(name),
        false => Cow::Owned(quoted(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::{quoted, shown_key, shown_variable};

    const SECRET: &str = "9f86d081884c7d659a2feaa0c55ad015";

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        assert_eq!(quoted("enforced"), "\"enforced\"");
        assert_eq!(quoted(SECRET), "(a text of 32 characters)");
        assert_eq!(shown_key("secret:hunter2"), "secret");
        assert_eq!(shown_key(SECRET), "…");
        assert_eq!(shown_variable(&format!("A{SECRET}")), "(a text of 33 characters)");
    }

    #[test]
    fn names_are_shown_in_full() {
        for name in
            ["x-user-id", "access-control-allow-credentials", "https://iahome.fr/claims/plan-2"]
        {
            assert_eq!(shown_key(name), name);
        }
        assert_eq!(
            shown_variable("STABLE_DIFFUSION_JWT_SECRET_BASE64_NEXT"),
            "STABLE_DIFFUSION_JWT_SECRET_BASE64_NEXT"
        );
    }
}
