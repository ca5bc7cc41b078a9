//! Headers with underscores: CGI, WSGI and PHP read `X_User` as `X-User`.

use super::Finding;
use crate::config::{Config, Node};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let guarded = config.guarded();
    let open = guarded.filter_map(|manager| {
        let path = ["common_http_protocol_options", "headers_with_underscores_action"];
        let action = manager.node.at(&path);
        match action.as_ref().and_then(Node::text) {
            Some("REJECT_REQUEST" | "DROP_HEADER" | "1" | "2") => None,
            _ => Some(action.unwrap_or(manager.node.clone())),
        }
    });
    open.map(|node| Finding::warning(&node, READ_AS_DASHES)).collect()
}

const READ_AS_DASHES: &str = "apps that read X_Name as X-Name believe what callers write there: set common_http_protocol_options.headers_with_underscores_action: REJECT_REQUEST (Vigile removes the names that it forwards by itself, and no others)";
