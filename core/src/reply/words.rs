//! The sentence of a refusal, with what it names filled in.

use std::borrow::Cow;

use crate::decide::{Detail, Failure};
use crate::reason::Language;

pub(super) fn message(failure: &Failure, language: Language) -> Cow<'static, str> {
    let message = failure.reason.message(language);
    match &failure.detail {
        Detail::Address(address) => message.replace("{address}", &address.to_string()).into(),
        Detail::Header(name) => message.replace("{header}", name).into(),
        Detail::KeyHeader(place) if place.is_bearer() => {
            message.replace("{key_header}", "Authorization: Bearer YOUR_SERVICE_KEY").into()
        }
        Detail::KeyHeader(place) => {
            message.replace("{key_header}", &format!("{}: YOUR_SERVICE_KEY", place.name)).into()
        }
        Detail::Body(mistakes) => match mistakes.first() {
            Some(first) => message
                .replace("{field}", &first.place())
                .replace("{problem}", first.message())
                .into(),
            None => message.into(),
        },
        Detail::Allow(_) | Detail::None => message.into(),
    }
}
