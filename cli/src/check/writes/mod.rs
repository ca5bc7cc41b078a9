//! Headers that the config writes into requests, by routes and by filters, before Vigile or behind it.

mod filters;
mod script;
mod service;

use regex::RegexBuilder;

use crate::config::{Filter, Manager, Node, Typed, is_field};

pub(super) use script::{Answer, answers, sources};
pub(super) use service::services;

/// A header of a request that something writes or takes away.
#[derive(Clone, Debug)]
pub(super) struct Write<'y> {
    /// The place that says so.
    pub(super) node: Node<'y>,
    /// The header.
    pub(super) name: Name<'y>,
    /// The fate of the header.
    pub(super) act: Act,
}

/// The headers that are meant.
#[derive(Clone, Debug)]
pub(super) enum Name<'y> {
    /// One, in lower case.
    Of(String),
    /// Those that a `StringMatcher` takes.
    Matching(Node<'y>),
    /// Whatever a script makes of it.
    Any,
}

/// The fate of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    /// Taken away.
    Taken,
    /// Written out by the config, where the request has none.
    FixedIfAbsent,
    /// Written out by the config.
    Fixed,
    /// Made of the request, or by code.
    Made,
}

impl Name<'_> {
    /// Tells whether this header is meant. A matcher that cannot be read may take any.
    pub(super) fn is(&self, header: &str) -> bool {
        match self {
            Self::Of(name) => folded(name) == folded(header),
            Self::Matching(matcher) => matches(matcher, header).unwrap_or(true),
            Self::Any => true,
        }
    }
}

/// Letters and digits of a name, as apps may compare it: `X_User_Id` is `x-user-id` to WSGI and CGI.
pub(super) fn folded(name: &str) -> String {
    // A pseudo-header is no other one.
    let kept = |c: &char| c.is_ascii_alphanumeric() || *c == ':';
    name.chars().filter(kept).map(|c| c.to_ascii_lowercase()).collect()
}

/// Tells whether a `StringMatcher` takes a text.
pub(super) fn matches(matcher: &Node<'_>, text: &str) -> Option<bool> {
    let ignores_case = matcher.switched_on("ignore_case").is_some();
    let fold = |text: &str| if ignores_case { text.to_ascii_lowercase() } else { text.to_owned() };
    let (text, word) = (fold(text), |name| matcher.word(name).map(fold));
    if let Some(exact) = word("exact") {
        return Some(text == exact);
    }
    if let Some(prefix) = word("prefix") {
        return Some(text.starts_with(&prefix));
    }
    if let Some(suffix) = word("suffix") {
        return Some(text.ends_with(&suffix));
    }
    if let Some(part) = word("contains") {
        return Some(text.contains(&part));
    }
    let regex = matcher.at(&["safe_regex", "regex"])?;
    whole(regex.text()?, &text)
}

/// Tells whether an expression takes all of a text; `None` where it cannot be read.
pub(super) fn whole(expression: &str, text: &str) -> Option<bool> {
    let regex = RegexBuilder::new(&format!("^(?:{expression})$")).build().ok()?;
    Some(regex.is_match(text))
}

/// Headers that routes, and what is around them, write: Envoy does that behind all filters.
pub(super) fn by_routes<'y>(manager: &Manager<'y>) -> Vec<Write<'y>> {
    let mut found = Vec::new();
    for config in &manager.route_configs {
        config.walk(&mut |node| {
            found.extend(node.list("request_headers_to_add").iter().filter_map(filters::option));
            let taken = node.list("request_headers_to_remove").into_iter();
            found.extend(taken.filter_map(|node| filters::said(&node, Act::Taken)));
            // What stands there is a filter's.
            !is_field(node.key(), "typed_per_filter_config")
        });
    }
    found
}

/// The filters that are meant, seen from Vigile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Before,
    Behind,
}

/// The messages of the filters on one side of Vigile: in the chain, in the chains of upgrades, and what
/// routes say to them.
pub(super) fn messages<'y>(manager: &Manager<'y>, side: Side) -> Vec<Typed<'y>> {
    let upgrades = manager.upgrades.iter().map(|(_, filters)| filters);
    let chains = std::iter::once(&manager.filters).chain(upgrades);
    let filters = chains.flat_map(|chain| of_side(chain, side));
    let others = filters.filter(|filter| !filter.is_vigile() && manager.meets(filter));
    let filters: Vec<&Filter<'y>> = others.collect();
    let mut found: Vec<Typed<'y>> =
        filters.iter().flat_map(|filter| filter.messages.iter().cloned()).collect();
    let names: Vec<&str> = filters.iter().map(|filter| filter.name).collect();
    for config in &manager.route_configs {
        config.walk(&mut |node| {
            let own = node.field("typed_per_filter_config");
            for (name, config) in own.iter().flat_map(Node::entries) {
                if names.contains(&name) {
                    config.walk(&mut |node| {
                        found.extend(node.typed());
                        true
                    });
                }
            }
            true
        });
    }
    found
}

fn of_side<'m, 'y>(chain: &'m [Filter<'y>], side: Side) -> &'m [Filter<'y>] {
    let vigile = chain.iter().position(Filter::is_vigile);
    let parts = vigile.and_then(|at| Some((chain.get(..at)?, chain.get(at.checked_add(1)?..)?)));
    match (parts, side) {
        (None, _) => &[],
        (Some((before, _)), Side::Before) => before,
        (Some((_, behind)), Side::Behind) => behind,
    }
}

/// Headers that messages of filters write.
pub(super) fn by_messages<'y>(messages: &[Typed<'y>]) -> Vec<Write<'y>> {
    messages.iter().flat_map(filters::of_message).collect()
}
