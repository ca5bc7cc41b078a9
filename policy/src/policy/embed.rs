//! `embed`: a module that is meant for a frame (docs/platform.md).

use crate::document::{Node, Tree, origin};
use crate::origin::Origin;
use crate::path::Pattern;

/// Who may frame the module, and how it is entered.
#[derive(Debug)]
pub(crate) struct Embed {
    pub(crate) ancestors: Ancestors,
    /// Top-level visits are refused, and the query is read on frame navigations alone.
    pub(crate) only: bool,
    /// Where the platform's page fetches a fresh cookie.
    pub(crate) refresh: Option<Pattern>,
    /// Whether the app's own cookies are to live in a frame of another site.
    pub(crate) partitions_app_cookies: bool,
}

/// The sources of `frame-ancestors` (CSP Level 3 §6.4.2).
#[derive(Debug)]
pub(crate) struct Ancestors {
    pub(crate) own: bool,
    pub(crate) origins: Vec<Origin>,
}

enum Ancestor {
    Own,
    Other(Origin),
}

/// Reads the section.
pub(super) fn read(node: &Node<'_>) -> Option<Embed> {
    let section = node.section("{ ancestors: [self, \"https://iahome.fr\"] }")?;
    let ancestors =
        section.required("ancestors", |node| node.each("[self, \"https://iahome.fr\"]", ancestor));
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

fn ancestor(node: &Node<'_>) -> Option<Ancestor> {
    match node.tree() {
        Tree::Text(text) if text == "self" => Some(Ancestor::Own),
        _ => origin(node).map(Ancestor::Other),
    }
}

fn refresh(node: &Node<'_>) -> Option<Pattern> {
    let path = node.string()?;
    if path.contains('*') {
        return node.wrong("the refresh path is one path: no * in it");
    }
    Pattern::parse(path).map_or_else(|problem| node.wrong(problem), Some)
}

impl Ancestors {
    /// The directive that answers carry.
    pub(crate) fn directive(&self) -> String {
        let own = self.own.then(|| "'self'".to_owned());
        let sources: Vec<String> =
            own.into_iter().chain(self.origins.iter().map(ToString::to_string)).collect();
        format!("frame-ancestors {}", sources.join(" "))
    }

    pub(crate) fn contain(&self, origin: &Origin, own: &Origin) -> bool {
        (self.own && origin == own) || self.origins.contains(origin)
    }
}
