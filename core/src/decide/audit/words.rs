//! A sentence that is written piece by piece. Little of it is generic and nothing is kept between: what is rarely run
//! would stand in the module many times.

use crate::token::{Claim, Scalar};

/// Items of a list that are named.
const MOST: usize = 6;

/// Characters of a text that are shown.
const LONGEST: usize = 64;

/// A text of a claim that is this long may be a secret: every key and secret that Vigile takes is.
const MAY_BE_A_SECRET: usize = 32;

/// A sentence for the operator.
pub(super) struct Sentence(String);

impl Sentence {
    /// An empty sentence, with room for most of what is said.
    pub(super) fn new() -> Self {
        Self(String::with_capacity(192))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The sentence, where anything was said.
    pub(super) fn finish(self) -> Option<String> {
        (!self.0.is_empty()).then_some(self.0)
    }

    #[cold]
    #[inline(never)]
    pub(super) fn say(&mut self, parts: &[&str]) {
        for part in parts {
            self.0.push_str(part);
        }
    }

    #[cold]
    pub(super) fn number(&mut self, number: u64) {
        self.0.push_str(&number.to_string());
    }

    /// A text in quotes, cut where it is long; what could begin another line is escaped.
    #[cold]
    pub(super) fn quoted(&mut self, text: &str) {
        let cut = text.char_indices().nth(LONGEST).and_then(|(end, _)| text.get(..end));
        let shown = format!("{:?}", cut.unwrap_or(text));
        self.0.push_str(&shown);
        if cut.is_some() {
            self.0.push('…');
        }
    }

    /// Adds a text in quotes, unless it is so long that it may be a secret.
    #[cold]
    pub(super) fn guarded(&mut self, text: &str) {
        match text.chars().count() {
            length if length < MAY_BE_A_SECRET => self.quoted(text),
            length => {
                self.say(&["(a text of "]);
                self.number(length as u64);
                self.say(&[" characters)"]);
            }
        }
    }

    /// `a`, `a or b`, `a, b or c`: each written by `write`; of a long list the first items.
    #[cold]
    pub(super) fn any_of(&mut self, count: usize, write: &mut dyn FnMut(&mut Self, usize)) {
        let last = count.saturating_sub(1);
        for at in 0..count.min(MOST) {
            match at {
                0 => {}
                _ if at == last => self.say(&[" or "]),
                _ => self.say(&[", "]),
            }
            write(self, at);
        }
        if count > MOST {
            self.say(&[" or one of "]);
            self.number(count.saturating_sub(MOST) as u64);
            self.say(&[" more"]);
        }
    }

    /// Adds a list of texts.
    #[cold]
    pub(super) fn any_of_texts(&mut self, texts: &[&str]) {
        self.any_of(texts.len(), &mut |said, at| {
            said.say(texts.get(at..).and_then(|rest| rest.get(..1)).unwrap_or_default());
        });
    }

    /// Adds a list of texts in quotes.
    #[cold]
    pub(super) fn any_of_quoted(&mut self, texts: &[String]) {
        self.any_of(texts.len(), &mut |said, at| {
            if let Some(text) = texts.get(at) {
                said.quoted(text);
            }
        });
    }

    /// A claim of a verified token.
    #[cold]
    pub(super) fn claim(&mut self, claim: Option<&Claim>) {
        match claim {
            Some(Claim::One(one)) => self.scalar(one),
            Some(Claim::Many(all)) => {
                let mut before = "[";
                for one in all.iter().take(MOST) {
                    self.say(&[before]);
                    self.scalar(one);
                    before = ", ";
                }
                self.say(&[
                    if all.is_empty() { "[" } else { "" },
                    if all.len() > MOST { ", …]" } else { "]" },
                ]);
            }
            Some(Claim::Null) => self.say(&["null"]),
            Some(Claim::Other) => self.say(&["an object"]),
            None => self.say(&["nothing"]),
        }
    }

    #[cold]
    fn scalar(&mut self, scalar: &Scalar) {
        match scalar {
            Scalar::Text(text) => self.guarded(text),
            Scalar::Whole(number) => self.0.push_str(&number.to_string()),
            Scalar::Fraction => self.say(&["a fraction"]),
            Scalar::Flag(flag) => self.say(&[if *flag { "true" } else { "false" }]),
        }
    }
}
