//! `require_headers`: a reason that an admin must give, for the audit line.

use crate::Reason;
use crate::decide::failure::{Detail, Failure, Proven};
use crate::decide::visit::Visit;
use crate::policy::{LONGEST_TEXT, Need, RequiredHeader};
use crate::request::Request;

pub(super) fn is_asked(visit: &Visit<'_>, _: &Need, _: &Proven) -> bool {
    !visit.rule.require_headers.is_empty()
}

pub(super) fn check(visit: &Visit<'_>, _: &Need, _: &Proven) -> Result<(), Failure> {
    match visit.rule.require_headers.iter().find(|header| !holds(header, &visit.request)) {
        None => Ok(()),
        Some(header) => {
            Err(Failure::new(Reason::HeaderRequired, Detail::Header(header.name.clone())))
        }
    }
}

/// Once, readable, not too long, and long enough of what a reader can see.
fn holds(header: &RequiredHeader, request: &Request<'_>) -> bool {
    let text = request.value(&header.name).and_then(|value| std::str::from_utf8(value).ok());
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    text.is_some_and(|text| {
        let text = text.trim();
        count(text.chars().count()) <= LONGEST_TEXT && count(visible(text)) >= header.min_length
    })
}

/// The number of characters with ink, and of the spaces between words.
fn visible(text: &str) -> usize {
    let word = |word: &str| word.chars().filter(|letter| !is_blank(*letter)).count();
    let words: Vec<usize> =
        text.split(char::is_whitespace).map(word).filter(|ink| *ink > 0).collect();
    words.iter().sum::<usize>().saturating_add(words.len().saturating_sub(1))
}

/// Tells that a character shows nothing: Default_Ignorable_Code_Point of Unicode (DerivedCoreProperties.txt), controls,
/// and the blank Braille pattern.
fn is_blank(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}
