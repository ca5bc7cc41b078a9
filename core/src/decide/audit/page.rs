//! Which page asked, and which may.

use super::words::Sentence;
use crate::decide::visit::Visit;
use crate::request::{Caller, SentOrigin, Site};

/// `origins`: whose pages may use the visitor's cookie.
#[cold]
pub(super) fn origins(said: &mut Sentence, visit: &Visit<'_>) {
    said.say(&["it is for the module's own pages"]);
    let origins: Vec<String> = visit.rule.origins.iter().map(ToString::to_string).collect();
    any_of(said, " or ", &origins);
    asking(said, &visit.caller);
}

/// `embed.ancestors`: whose pages may refresh the session.
#[cold]
pub(super) fn ancestors(said: &mut Sentence, visit: &Visit<'_>) {
    let Some(embed) = &visit.module.embed else { return };
    let own = embed.ancestors.own.then(|| visit.target.origin().to_string());
    let others = embed.ancestors.others.iter().map(ToString::to_string);
    any_of(said, "Origin must be ", &own.into_iter().chain(others).collect::<Vec<_>>());
    asking(said, &visit.caller);
}

#[cold]
fn any_of(said: &mut Sentence, before: &str, all: &[String]) {
    if !all.is_empty() {
        said.say(&[before]);
        said.any_of(all.len(), &mut |said, at| {
            said.say(&[all.get(at).map_or("", String::as_str)]);
        });
    }
}

#[cold]
fn asking(said: &mut Sentence, caller: &Caller) {
    match &caller.origin {
        SentOrigin::Absent => said.say(&["; there is no Origin"]),
        SentOrigin::Known(origin) => said.say(&["; Origin is ", &origin.to_string()]),
        SentOrigin::Opaque => said.say(&["; Origin is null, repeated or unreadable"]),
    }
    said.say(&[match caller.site {
        None => ", and no Sec-Fetch-Site",
        Some(Site::Own) => ", and Sec-Fetch-Site same-origin",
        Some(Site::Hand) => ", and Sec-Fetch-Site none",
        Some(Site::Sibling) => ", and Sec-Fetch-Site same-site",
        Some(Site::Foreign) => ", and Sec-Fetch-Site cross-site",
    }]);
}
