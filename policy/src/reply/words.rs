//! The sentence of a refusal, with what it names filled in.

use crate::decide::{Detail, Failure};
use crate::reason::Language;

pub(super) fn message(failure: &Failure, language: Language) -> String {
    let message = failure.reason.message(language);
    match &failure.detail {
        Detail::Address(address) => message.replace("{address}", &address.to_string()),
        Detail::Header(name) => message.replace("{header}", name),
        Detail::KeyHeader(place) if place.is_bearer() => {
            message.replace("{key_header}", "Authorization: Bearer YOUR_SERVICE_KEY")
        }
        Detail::KeyHeader(place) => {
            message.replace("{key_header}", &format!("{}: YOUR_SERVICE_KEY", place.name))
        }
        Detail::Body(mistakes) => match mistakes.first() {
            Some(first) => {
                message.replace("{field}", &first.place()).replace("{problem}", first.message())
            }
            None => message.to_owned(),
        },
        Detail::Allow(_) | Detail::None => message.to_owned(),
    }
}
