//! Traces that hold credentials: tags of headers, formats of operations, and Envoy's own tag `http.url`, which
//! has the whole path of what another filter answered before Vigile (observed on 1.40).

use super::Finding;
use super::printed::Credentials;
use super::writes::{Side, messages};
use crate::config::{Config, Manager, Node, is_field};
use crate::log_format::commands;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let credentials = Credentials::of(config);
    let whole = config.guarded().filter_map(|manager| of_manager(&credentials, manager));
    let tracing = config.root.all(|node| is_field(node.key(), "tracing"));
    tracing.iter().flat_map(|tracing| tags(&credentials, tracing)).chain(whole).collect()
}

/// The tags and names of one `tracing` section: of a connection manager, or of a route.
fn tags(credentials: &Credentials, tracing: &Node<'_>) -> Vec<Finding> {
    let tags = tracing.list("custom_tags");
    let headers = tags.iter().filter_map(|tag| tag.at(&["request_header", "name"]));
    let headers = headers.filter_map(|name| {
        let problem = match name.text()? {
            path if path.eq_ignore_ascii_case(":path") => {
                credentials.are_in_queries().then(|| KEEPS_QUERY.to_owned())
            }
            header => credentials.named(header),
        };
        Some(Finding::error(&name, problem?))
    });
    let formats = tags.iter().filter_map(|tag| tag.field("value"));
    let names = ["operation", "upstream_operation"].iter().filter_map(|name| tracing.field(name));
    let formats = formats.chain(names).filter_map(|format| {
        let problem = commands(format.text()?).find_map(|command| credentials.printed(&command))?;
        Some(Finding::error(&format, problem))
    });
    headers.chain(formats).collect()
}

const KEEPS_QUERY: &str = "this keeps the query, and with it tokens of requests that are answered before Vigile: write value: \"%PATH(NQ)%\"";

fn of_manager(credentials: &Credentials, manager: &Manager<'_>) -> Option<Finding> {
    let tracing = manager.node.field("tracing")?;
    let cut = tracing.field("max_path_tag_length").and_then(|length| length.number());
    let answers = !messages(manager, Side::Before).is_empty();
    let keeps = answers && credentials.are_in_queries() && cut != Some(1.0);
    keeps.then(|| Finding::warning(&tracing, KEEPS_URL))
}

const KEEPS_URL: &str = "Envoy's tag http.url has the whole path of what a filter before Vigile answers, and with it the token: max_path_tag_length: 1 keeps no more than the slash";
