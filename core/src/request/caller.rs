//! What a browser says of a request: Fetch Metadata, Origin, Accept, Accept-Language.
//!
//! These bind browsers and nobody else: they protect a visitor from other sites, and are never
//! authentication.

use super::{Request, Single, Target};
use crate::origin::Origin;
use crate::reason::Language;

/// Who seems to be asking.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) destination: Destination,
    pub(crate) site: Option<Site>,
    pub(crate) origin: SentOrigin,
    /// The browser goes to a page, in a tab or in a frame.
    pub(crate) navigates: bool,
    pub(crate) accepts_html: bool,
    pub(crate) websocket: bool,
}

/// `Sec-Fetch-Dest`, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// No browser, an old one, or a page over plain http.
    Unsaid,
    /// A tab of its own.
    Document,
    /// A frame.
    Frame,
    /// A navigation that the browser did not send itself: the page's service worker did, or the download manager. Nobody says
    /// whether a frame or a tab waits for it (docs/browsers.md).
    Reissued,
    /// A script, an image, a fetch, …
    Other,
}

/// `Sec-Fetch-Site`: how the page that asks is related to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Site {
    /// The same origin.
    Own,
    /// `none`: the visitor's own hand, and no page.
    Hand,
    /// `same-site`: another host of the same registrable domain.
    Sibling,
    /// `cross-site`.
    Foreign,
}

/// The `Origin` header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SentOrigin {
    Absent,
    Known(Origin),
    /// `null`, repeated or unreadable: nobody's.
    Opaque,
}

impl Caller {
    pub(crate) fn of(request: &Request<'_>) -> Self {
        let accepts_html = request.all("accept").any(|accept| holds_word(accept, b"text/html"));
        let navigates = match request.value("sec-fetch-mode") {
            Some(mode) => mode == b"navigate",
            None => accepts_html,
        };
        Self {
            destination: destination(request),
            site: site(request),
            origin: origin(request),
            navigates,
            accepts_html,
            websocket: request.all("upgrade").any(|upgrade| holds_word(upgrade, b"websocket")),
        }
    }

    /// The page that asks, by Origin or else by Referer.
    pub(crate) fn page(&self, request: &Request<'_>) -> Option<Origin> {
        match &self.origin {
            SentOrigin::Known(origin) => Some(origin.clone()),
            SentOrigin::Opaque => None,
            SentOrigin::Absent => Origin::of_address(request.value("referer")?),
        }
    }

    /// Whether `origin` is that of the target's own pages. Where TLS ended before Envoy and nobody said
    /// so, an https page may ask what looks like an http target; never the other way round.
    pub(crate) fn is_own(origin: &Origin, target: &Target<'_>) -> bool {
        let secure = target.secure || origin.is_secure();
        *origin == Origin::new(secure, target.host.clone()) && origin.is_secure() == secure
    }
}

fn destination(request: &Request<'_>) -> Destination {
    match request.single("sec-fetch-dest") {
        Single::Absent => Destination::Unsaid,
        Single::Value(b"document") => Destination::Document,
        Single::Value(b"iframe" | b"frame") => Destination::Frame,
        Single::Value(b"empty") if request.value("sec-fetch-mode") == Some(b"navigate") => {
            Destination::Reissued
        }
        Single::Value(_) | Single::Repeated => Destination::Other,
    }
}

fn site(request: &Request<'_>) -> Option<Site> {
    match request.single("sec-fetch-site") {
        Single::Absent => None,
        // Nobody types an address into a frame. WebKit said so of navigations without a referrer.
        Single::Value(b"none") if destination(request) == Destination::Frame => Some(Site::Foreign),
        Single::Value(b"same-origin") => Some(Site::Own),
        Single::Value(b"none") => Some(Site::Hand),
        Single::Value(b"same-site") => Some(Site::Sibling),
        Single::Value(_) | Single::Repeated => Some(Site::Foreign),
    }
}

fn origin(request: &Request<'_>) -> SentOrigin {
    match request.single("origin") {
        Single::Absent => SentOrigin::Absent,
        Single::Repeated => SentOrigin::Opaque,
        Single::Value(value) => Origin::parse(value).map_or(SentOrigin::Opaque, SentOrigin::Known),
    }
}

/// Whether a list of words, with or without parameters, holds one of them.
fn holds_word(list: &[u8], wanted: &[u8]) -> bool {
    list.split(|byte| *byte == b',').any(|item| {
        let word = item.split(|byte| *byte == b';').next().unwrap_or_default();
        word.trim_ascii().eq_ignore_ascii_case(wanted)
    })
}

/// French where Accept-Language (RFC 9110 §12.5.4) prefers it to English.
pub(crate) fn language(request: &Request<'_>) -> Language {
    let mut best = (0, Language::English);
    for item in request.all("accept-language").flat_map(|list| list.split(|byte| *byte == b',')) {
        let mut parts = item.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let tag = parts.next().unwrap_or_default();
        let language = match tag.split(|byte| *byte == b'-').next().unwrap_or_default() {
            primary if primary.eq_ignore_ascii_case(b"fr") => Language::French,
            primary if primary.eq_ignore_ascii_case(b"en") => Language::English,
            _ => continue,
        };
        let weight = parts.find_map(|part| part.strip_prefix(b"q=")).map_or(1000, thousandths);
        if weight > best.0 {
            best = (weight, language);
        }
    }
    best.1
}

/// A weight from 0 to 1 with three decimals at most (RFC 9110 §12.4.2), in thousandths.
fn thousandths(weight: &[u8]) -> u16 {
    let text = std::str::from_utf8(weight).unwrap_or_default();
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = decimals.chars().chain("000".chars()).take(3).collect();
    match whole {
        "1" => 1000,
        "0" | "" => digits.parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Language;
    use crate::Request;

    fn spoken(accept: &str) -> Language {
        let headers = [("accept-language".to_owned(), accept.as_bytes().to_vec())];
        super::language(&Request { headers: &headers, peer: None, end_of_stream: true })
    }

    #[test]
    fn french_is_spoken_to_whoever_prefers_it() {
        for french in
            ["fr", "fr-FR,en;q=0.5", "de,fr;q=0.8,en;q=0.7", "FR-ca", "en;q=0.1, fr;q=0.15"]
        {
            assert_eq!(spoken(french), Language::French, "{french}");
        }
        for english in
            ["", "en", "en,fr", "de", "fr;q=0", "fr;q=0.5,en", "fr;q=x,en;q=0.1", "frisian"]
        {
            assert_eq!(spoken(english), Language::English, "{english}");
        }
    }
}
