//! Headers that each kind of filter writes into requests, by its message.

use super::{Act, Name, Write, script};
use crate::config::{Node, Typed};

/// Headers that a message of a filter writes: one of its chain, or of a route.
pub(super) fn of_message<'y>(typed: &Typed<'y>) -> Vec<Write<'y>> {
    let fields = &typed.fields;
    let kind = typed.name.strip_prefix("envoy.extensions.filters.http.");
    let Some(kind) = kind.and_then(|rest| rest.split('.').next()) else {
        return match typed.name.contains(".early_header_mutation.header_mutation.") {
            true => fields.list("mutations").iter().filter_map(mutation).collect(),
            false => Vec::new(),
        };
    };
    match kind {
        "header_mutation" => mutations(fields, &["mutations", "request_mutations"]),
        "transform" => mutations(fields, &["request_transformation", "headers_mutations"]),
        "lua" => script::writes(fields),
        "ip_tagging" => named(fields, &["ip_tag_header", "header"]),
        "basic_auth" => named(fields, &["forward_username_header"]),
        "api_key_auth" => named(fields, &["forwarding", "header"]),
        "gcp_authn" => credential(fields, fields.at(&["token_header", "name"]).as_ref()),
        "credential_injector" => {
            let inner = fields.at(&["credential", "typed_config"]);
            credential(fields, inner.and_then(|inner| inner.field("header")).as_ref())
        }
        "aws_request_signing" => credential(fields, None),
        "oauth2" => {
            let forwards = fields.all(|node| node.switched_on("forward_bearer_token").is_some());
            forwards.iter().map(|node| write(node, "authorization", Act::Made)).collect()
        }
        "jwt_authn" => below(fields, &["forward_payload_header", "header_name"]),
        "geoip" => {
            let headers = fields
                .all(|node| node.key() == "geo_headers_to_add" || node.key() == "geoHeadersToAdd");
            let headers = headers.iter().flat_map(|headers| headers.entries().collect::<Vec<_>>());
            headers.filter_map(|(_, node)| said(&node, Act::Made)).collect()
        }
        "header_to_metadata" => {
            let rules = fields.list("request_rules").into_iter();
            let taken = rules.filter(|rule| rule.switched_on("remove").is_some());
            taken
                .filter_map(|rule| rule.field("header"))
                .filter_map(|node| said(&node, Act::Taken))
                .collect()
        }
        "local_ratelimit" | "rate_limit_quota" => {
            let lists =
                fields.all(|node| node.field("request_headers_to_add_when_not_enforced").is_some());
            let lists =
                lists.iter().flat_map(|node| node.list("request_headers_to_add_when_not_enforced"));
            lists.collect::<Vec<_>>().iter().filter_map(option).collect()
        }
        "ext_authz" => matching(fields),
        _ => Vec::new(),
    }
}

/// A `HeaderValueOption`.
pub(super) fn option<'y>(node: &Node<'y>) -> Option<Write<'y>> {
    let header = node.field("header")?;
    let key = header.field("key")?;
    let value = ["value", "raw_value"].iter().find_map(|name| header.word(name));
    let is_made = value.is_some_and(|value| value.contains('%'));
    // Envoy takes the number of the word too.
    let if_absent = matches!(node.word("append_action"), Some("ADD_IF_ABSENT" | "1"));
    let act = match (is_made, if_absent) {
        (true, _) => Act::Made,
        (false, true) => Act::FixedIfAbsent,
        (false, false) => Act::Fixed,
    };
    said(&key, act)
}

/// A `HeaderMutation`.
fn mutation<'y>(node: &Node<'y>) -> Option<Write<'y>> {
    if let Some(appended) = node.field("append") {
        return option(&appended);
    }
    if let Some(taken) = node.field("remove") {
        return said(&taken, Act::Taken);
    }
    let matcher = node.at(&["remove_on_match", "key_matcher"])?;
    Some(Write { node: matcher.clone(), name: Name::Matching(matcher), act: Act::Taken })
}

fn write<'y>(node: &Node<'y>, name: &str, act: Act) -> Write<'y> {
    Write { node: node.clone(), name: Name::Of(name.to_ascii_lowercase()), act }
}

/// A header whose name stands here.
pub(super) fn said<'y>(node: &Node<'y>, act: Act) -> Option<Write<'y>> {
    Some(write(node, node.text()?, act))
}

fn mutations<'y>(fields: &Node<'y>, path: &[&str]) -> Vec<Write<'y>> {
    let list = fields.at(path);
    list.iter().flat_map(Node::items).filter_map(|node| mutation(&node)).collect()
}

/// The header that a field names.
fn named<'y>(fields: &Node<'y>, path: &[&str]) -> Vec<Write<'y>> {
    let node = fields.at(path);
    node.iter().filter_map(|node| said(node, Act::Made)).collect()
}

/// Headers that fields of these names hold, at any depth.
fn below<'y>(fields: &Node<'y>, names: &[&str]) -> Vec<Write<'y>> {
    let holders = fields.all(|node| names.iter().any(|name| node.field(name).is_some()));
    let held = holders.iter().flat_map(|node| names.iter().filter_map(|name| node.field(name)));
    held.filter_map(|node| said(&node, Act::Made)).collect()
}

/// A credential that is the same for every request: in `authorization`, where nothing else is said.
fn credential<'y>(fields: &Node<'y>, header: Option<&Node<'y>>) -> Vec<Write<'y>> {
    let name = header.and_then(Node::text).unwrap_or("authorization");
    vec![write(header.unwrap_or(fields), name, Act::Fixed)]
}

/// Headers of an authorization service that go to the app.
fn matching<'y>(fields: &Node<'y>) -> Vec<Write<'y>> {
    let response = fields.at(&["http_service", "authorization_response"]);
    let lists = ["allowed_upstream_headers", "allowed_upstream_headers_to_append"];
    let lists = lists.iter().filter_map(|name| response.as_ref()?.field(name));
    let matchers = lists.flat_map(|list| list.list("patterns"));
    matchers
        .map(|node| Write { name: Name::Matching(node.clone()), node, act: Act::Made })
        .collect()
}
