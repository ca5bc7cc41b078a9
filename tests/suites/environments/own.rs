//! What a sample holds of its own: no address, no port, no host name, no path of a machine.

use std::net::IpAddr;

use libtest_mimic::Failed;
use vigile::sample::{places, render};
use vigile::yaml::{Value, Yaml};

/// What stands for every variable: a port by its form, and nobody's.
const FILLED: &str = "65321";

/// The keys whose values are of one machine, whatever they hold.
const PORTS: [&str; 2] = ["port_value", "port_redirect"];
const FILES: [&str; 2] = ["filename", "path_config_source"];

/// Every word of a template is looked at, at any depth, the keys beside it.
pub(crate) fn nothing(file: &str) -> Result<(), Failed> {
    let text = crate::text(file);
    let values = places(&text).map(|(_, name)| (name.to_owned(), FILLED.to_owned())).collect();
    let filled = render(&text, &values).unwrap();
    let yaml =
        Yaml::parse(&filled).map_err(|error| format!("{} {}", error.place, error.problem))?;
    let mut own = Vec::new();
    search(&yaml, "", &mut own);
    if own.is_empty() { Ok(()) } else { Err(own.join("\n").into()) }
}

fn search(yaml: &Yaml, key: &str, own: &mut Vec<String>) {
    match &yaml.value {
        Value::Map(entries) => {
            entries.iter().for_each(|(key, value)| search(value, &key.text, own))
        }
        Value::List(items) => items.iter().for_each(|item| search(item, key, own)),
        Value::Scalar { text, .. } if is_own(key, text) => {
            own.push(format!("line {}: {key}: {text}", yaml.place.line));
        }
        Value::Scalar { .. } => {}
    }
}

fn is_own(key: &str, text: &str) -> bool {
    let words = || text.split(|c: char| c.is_whitespace() || "'\",;=".contains(c));
    match key {
        _ if PORTS.contains(&key) => text != FILLED,
        _ if FILES.contains(&key) => !text.starts_with(FILLED),
        // Names of Envoy's own, and of its messages.
        "@type" | "name" | "runtime" | "tag_name" | "regex" | "expression" => false,
        // What `vigile pages` writes, to which a test of its own holds each sample.
        "inline_string" if text.starts_with("<!doctype html>") => false,
        _ => words().any(|word| is_address(word) || is_host(word)),
    }
}

/// An address or a network that other machines have: neither loopback nor all of one's own.
fn is_address(word: &str) -> bool {
    let bare = word.split('/').next().unwrap_or_default();
    let bare = bare.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>().or_else(|_| match bare.rsplit_once(':') {
        Some((address, _)) => address.parse(),
        None => bare.parse(),
    });
    address.is_ok_and(|address| !address.is_loopback() && !address.is_unspecified())
}

/// `sd.example.org`, `*.example.org`, `https://sd.example.org:8443/x`.
fn is_host(word: &str) -> bool {
    let bare = word.split_once("://").map_or(word, |(_, rest)| rest);
    let bare = bare.split(['/', ':']).next().unwrap_or_default();
    let label = |label: &str| {
        label == "*"
            || !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let labels: Vec<&str> = bare.split('.').collect();
    let last = labels.last().copied().unwrap_or_default();
    labels.len() > 1
        && labels.iter().all(|it| label(it))
        && last.bytes().all(|b| b.is_ascii_alphabetic())
}
