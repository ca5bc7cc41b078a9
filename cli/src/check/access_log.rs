//! Access logs that print credentials: tokens in the query, headers that carry them, cookies.
//!
//! Vigile takes the token out of `:path` before it answers or forwards. Replies that other filters make
//! before it (a limit, a malformed request) are logged with the path as it came: hence `%PATH(NQ)%`.

use super::Finding;
use super::printed::Credentials;
use super::writes::{Side, messages};
use crate::config::{Config, Node, is_listener, is_of_kind};
use crate::log_format::commands;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let credentials = Credentials::of(config);
    let items = loggers(&config.root);
    let logged = items.iter().flat_map(|item| judge(&credentials, item));
    logged
        .chain(config.guarded().flat_map(|manager| {
            let before = messages(manager, Side::Before).into_iter();
            let taps = before.filter(|typed| is_of_kind(typed, "tap"));
            taps.map(|typed| Finding::error(&typed.fields, TAPPED)).collect::<Vec<_>>()
        }))
        .collect()
}

/// Filters of connections, and of datagrams: their logs know no request.
const CONNECTIONS: [&str; 2] =
    ["envoy.extensions.filters.network.tcp_proxy.", "envoy.extensions.filters.udp."];

/// Every logger of requests.
///
/// A listener's own log is of connections: paths and headers are `-` there (observed on 1.40). The admin interface's
/// is of requests that no policy is for.
fn loggers<'y>(root: &Node<'y>) -> Vec<Node<'y>> {
    let mut found = Vec::new();
    root.walk(&mut |node| {
        let typed = node.typed();
        let is_connection =
            typed.is_some_and(|typed| CONNECTIONS.iter().any(|kind| typed.name.starts_with(kind)));
        if !is_connection && !is_listener(node) && node.key() != "admin" {
            let logs = ["access_log", "upstream_log"].into_iter();
            found.extend(logs.flat_map(|name| node.list(name)));
        }
        !is_connection
    });
    found
}

const TAPPED: &str = "this filter records requests before Vigile takes their credentials away: put it behind Vigile, or leave it out";

/// Judges what one logger prints.
fn judge(credentials: &Credentials, logger: &Node<'_>) -> Vec<Finding> {
    let Some(typed) = logger.typed_config() else { return Vec::new() };
    if typed.fields.word("path") == Some("/dev/null") {
        return Vec::new();
    }
    let sends_path = typed.name.ends_with(".HttpGrpcAccessLogConfig");
    let formats = ["log_format", "format", "json_format", "typed_json_format"];
    let has_format = formats.iter().any(|name| typed.fields.field(name).is_some());
    let writes_default = !has_format
        && ["FileAccessLog", "StdoutAccessLog", "StderrAccessLog"]
            .iter()
            .any(|name| typed.name.ends_with(&format!(".{name}")));
    let whole = match (credentials.are_in_queries(), sends_path, writes_default) {
        (true, true, _) => Some(Finding::error(logger, SENDS_QUERY)),
        (true, _, true) => Some(Finding::error(logger, DEFAULT_PRINTS_QUERY)),
        _ => None,
    };
    let words = typed.fields.all(|node| node.text().is_some());
    let printed = words.iter().filter_map(|node| {
        let problem = match is_name(node, &typed.fields) {
            true => credentials.named(node.text()?),
            false => commands(node.text()?).find_map(|command| credentials.printed(&command)),
        };
        problem.map(|problem| Finding::error(node, problem))
    });
    whole.into_iter().chain(printed).collect()
}

const DEFAULT_PRINTS_QUERY: &str = "Envoy's default format prints the query, and with it tokens of requests that are answered before Vigile: give a log_format with %PATH(NQ)%";
const SENDS_QUERY: &str = "this logger sends the whole path, and with it tokens of requests that are answered before Vigile: use a file or OpenTelemetry with %PATH(NQ)%";

/// Tells whether this is one of a list of header names, and no format.
fn is_name(node: &Node<'_>, fields: &Node<'_>) -> bool {
    let lists = ["additional_request_headers_to_log", "additional_response_headers_to_log"];
    let lists = lists.iter().filter_map(|name| fields.field(name));
    lists.into_iter().any(|list| node.is_within(&list))
}
