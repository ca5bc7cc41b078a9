//! `hosts`: which requests are a module's.

use vigile_core::origin::Host;
use vigile_core::policy::{HostPattern, Hosts};

use crate::document::{Node, Word, words};

pub(super) fn read(node: &Node<'_>) -> Option<Hosts> {
    words(node, pattern).map(Hosts::Of)
}

fn pattern(node: &Node<'_>, word: &Word) -> Option<HostPattern> {
    let (below, name) = match word.text.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, word.text.as_str()),
    };
    if name.contains("://") {
        return node.wrong(format!("{}: leave the scheme out", word.shown()));
    }
    match Host::parse(name.as_bytes()) {
        Some(Host { port: Some(_), .. }) => {
            node.wrong(format!("{}: leave the port out, it is ignored", word.shown()))
        }
        Some(host) if below => Some(HostPattern::Below(format!(".{}", host.name))),
        Some(host) => Some(HostPattern::Exact(host.name)),
        None => node.wrong(format!(
            "{} is no host: a name such as sd.example.org, or *.example.org",
            word.shown()
        )),
    }
}
