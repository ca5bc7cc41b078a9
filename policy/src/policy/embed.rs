//! `embed`: a module that is meant for a frame (docs/platform.md).

use vigile_core::Origin;
use vigile_core::path::Pattern;
use vigile_core::policy::{Ancestors, Embed};

use crate::document::{Node, Word, origin_of, words};

enum Ancestor {
    Own,
    Other(Origin),
}

/// Reads the section.
pub(super) fn read(node: &Node<'_>) -> Option<Embed> {
    let section = node.section("{ ancestors: [self, \"https://iahome.fr\"] }")?;
    let ancestors = section.required("ancestors", |node| words(node, ancestor));
    let only = section.or("only", false, Node::flag);
    let refresh = section.optional("refresh", refresh);
    let words = [("partitioned", true), ("untouched", false)];
    let app_cookies = section.or("app_cookies", false, |node| node.word(&words));
    let (mut own, mut origins) = (false, Vec::new());
    for ancestor in ancestors? {
        match ancestor {
            Ancestor::Own => own = true,
            Ancestor::Other(origin) => origins.push(origin),
        }
    }
    Some(Embed {
        ancestors: Ancestors { own, origins },
        only: only?,
        refresh: refresh?,
        partitions_app_cookies: app_cookies?,
    })
}

fn ancestor(node: &Node<'_>, word: &Word) -> Option<Ancestor> {
    match word.text.as_str() {
        "self" => Some(Ancestor::Own),
        given => origin_of(node, given).map(Ancestor::Other),
    }
}

fn refresh(node: &Node<'_>) -> Option<Pattern> {
    let path = node.string()?;
    if path.contains('*') {
        return node.wrong("the refresh path is one path: no * in it");
    }
    Pattern::parse(path).map_or_else(|problem| node.wrong(problem), Some)
}
