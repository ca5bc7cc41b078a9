//! `hosts`: which requests are a module's.

use vigile_core::origin::Host;
use vigile_core::policy::{HostPattern, Hosts};

use crate::document::{Node, Word, ascii_host, words};

pub(super) fn read(node: &Node<'_>) -> Option<Hosts> {
    words(node, pattern).map(Hosts::Of)
}

fn pattern(node: &Node<'_>, word: &Word) -> Option<HostPattern> {
    let (below, name) = match word.text.strip_prefix("*.") {
        Some(name) => (true, name),
        None => (false, word.text.as_str()),
    };
    match Host::parse(name.as_bytes()) {
        Some(Host { port: Some(_), .. }) => {
            node.wrong(format!("{}: leave the port out, it is ignored", word.shown()))
        }
        Some(host) if below => Some(HostPattern::Below(format!(".{}", host.name))),
        Some(host) => Some(HostPattern::Exact(host.name)),
        None => node.wrong(format!("{}{}", word.shown(), problem(name, word))),
    }
}

/// Names the fault of a text that is no host.
fn problem(name: &str, word: &Word) -> String {
    if name.contains("://") {
        return ": leave the scheme out".to_owned();
    }
    if name.contains('/') {
        return ": leave the path out (path_prefix says it)".to_owned();
    }
    match ascii_host(&word.text) {
        Some(ascii) if word.may_be_shown() => {
            format!(" is not how browsers send it: write {ascii}")
        }
        Some(_) => {
            " has letters outside ASCII: write its xn-- form, which browsers send".to_owned()
        }
        None => " is no host: a name such as sd.example.org, or *.example.org".to_owned(),
    }
}
