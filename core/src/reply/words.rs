//! The sentence of a refusal, with what it names filled in.

use std::borrow::Cow;

use crate::decide::{Detail, Failure};
use crate::policy::{Credentials, HeaderPlace, Module};
use crate::reason::Language;

pub(super) fn message(
    failure: &Failure,
    module: Option<&Module>,
    language: Language,
) -> Cow<'static, str> {
    let alone = module.filter(|module| module.platform.is_none() && module.embed.is_none());
    let message = failure.reason.message(language, alone.is_some());
    let fill = |place: &str, text: &str| Cow::Owned(message.replace(place, text));
    match &failure.detail {
        Detail::Address(address) => fill("{address}", &address.to_string()),
        Detail::Header(name) => fill("{header}", name),
        Detail::KeyHeader(place) => fill("{key_header}", &header(place, "YOUR_SERVICE_KEY")),
        Detail::Body(mistakes) => match mistakes.first() {
            Some(first) => message
                .replace("{field}", &first.place())
                .replace("{problem}", first.message())
                .into(),
            None => message.into(),
        },
        _ if message.contains("{token_place}") => {
            let place = alone.map(|module| token_place(&module.credentials, language));
            fill("{token_place}", &place.unwrap_or_default())
        }
        _ => message.into(),
    }
}

fn header(place: &HeaderPlace, value: &str) -> String {
    match place.is_bearer() {
        true => format!("Authorization: Bearer {value}"),
        false => format!("{}: {value}", place.name),
    }
}

/// A sentence that shows where a token belongs.
fn token_place(places: &Credentials, language: Language) -> String {
    let is_french = language == Language::French;
    match (&places.header, &places.query) {
        (Some(place), _) => {
            let header = header(place, "YOUR_ACCESS_TOKEN");
            format!("{} '{header}'", if is_french { "Envoyez" } else { "Set" })
        }
        (None, Some(name)) => {
            let address = format!("'{name}=YOUR_ACCESS_TOKEN'");
            match is_french {
                true => format!("Ajoutez {address} à l'adresse"),
                false => format!("Add {address} to the address"),
            }
        }
        (None, None) if is_french => "Connectez-vous".to_owned(),
        (None, None) => "Sign in".to_owned(),
    }
}
