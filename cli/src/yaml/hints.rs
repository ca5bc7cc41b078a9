//! Hints on what to change, where the parser's own message gives none.

use super::tabs;

/// The parser's message, with what is to be done where it does not say so itself.
pub(super) fn problem(info: &str) -> String {
    match HINTS.iter().find(|(words, _)| info.contains(words)) {
        Some((_, hint)) => format!("{info}: {hint}"),
        None => info.to_owned(),
    }
}

/// Parts of the parser's messages, and what usually helps.
const HINTS: [(&str, &str); 11] = [
    (tabs::ALONE, "write a space, and no tab alone"),
    ("tab", "indent with spaces"),
    ("unknown anchor", "put quotes around a text that begins with *, such as \"*.example.org\""),
    ("scanning an anchor or alias", "put quotes around a text that begins with * or &"),
    ("unexpected character", "put quotes around the text"),
    (
        "mapping values are not allowed",
        "put quotes around a text with a colon and a space in it, or a space behind the colon of the line above",
    ),
    ("illegal placement of ':'", "a bracket above is not closed"),
    ("did not find expected '-'", "this line is not indented like those above it"),
    ("parsing a flow", "a bracket is not closed, or a comma is missing"),
    ("did not find expected key", "this line is not indented like those above it, or has no colon"),
    ("quoted scalar, found unexpected", "a quote is not closed"),
];
