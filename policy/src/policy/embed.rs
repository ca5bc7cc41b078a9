//! `embed`: a module that is meant for a frame (docs/platform.md).

use vigile_core::path::Pattern;
use vigile_core::policy::{Ancestor, Ancestors, Embed};

use crate::document::{Node, Word, origin_below, origin_of, words};

enum Source {
    Own,
    Other(Ancestor),
}

/// Reads the section.
pub(super) fn read(node: &Node<'_>) -> Option<Embed> {
    let section = node.section("{ ancestors: [self, \"https://iahome.fr\"] }")?;
    let ancestors = section.required("ancestors", |node| words(node, source));
    let only = section.or("only", false, Node::flag);
    let refresh = section.optional("refresh", refresh);
    let words = [("partitioned", true), ("untouched", false)];
    let app_cookies = section.optional("app_cookies", |node| node.word(&words));
    let (mut own, mut others) = (false, Vec::new());
    for ancestor in ancestors? {
        match ancestor {
            Source::Own => own = true,
            Source::Other(one) => others.push(one),
        }
    }
    Some(Embed {
        // An app sets its cookies for a tab of its own, and a frame of another site sends none of those.
        partitions_app_cookies: app_cookies?.unwrap_or(!others.is_empty()),
        ancestors: Ancestors { own, others },
        only: only?,
        refresh: refresh?,
    })
}

fn source(node: &Node<'_>, word: &Word) -> Option<Source> {
    match word.text.as_str() {
        "self" => Some(Source::Own),
        "'self'" => node.wrong("write self without quotes of its own"),
        text if text.contains("://*.") => {
            origin_below(node, word).map(Ancestor::Below).map(Source::Other)
        }
        _ => origin_of(node, word).map(Ancestor::At).map(Source::Other),
    }
}

fn refresh(node: &Node<'_>) -> Option<Pattern> {
    let path = node.string()?;
    if path.contains('*') {
        return node.wrong("the refresh path is one path: no * in it");
    }
    Pattern::parse(path).map_or_else(|problem| node.wrong(problem), Some)
}
