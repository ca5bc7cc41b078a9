//! Services that Envoy asks about requests, and what these may write into them: `ext_proc`, and `ext_authz`
//! by gRPC.

use super::super::Severity;
use super::whole;
use crate::config::{Node, Typed, is_of_kind};

/// A service that may write headers of requests.
pub(in super::super) struct Service<'y> {
    /// Its filter's message.
    pub(in super::super) node: Node<'y>,
    /// True where it is there to change requests, and not to refuse some.
    pub(in super::super) is_processor: bool,
    /// True where it may answer requests by itself.
    pub(in super::super) answers: bool,
    rules: Option<Node<'y>>,
}

/// The services among the messages of filters.
pub(in super::super) fn services<'y>(messages: &[Typed<'y>]) -> Vec<Service<'y>> {
    messages.iter().filter_map(service).collect()
}

fn service<'y>(typed: &Typed<'y>) -> Option<Service<'y>> {
    let fields = &typed.fields;
    let (node, has) = (fields.clone(), |name| fields.field(name));
    let by_grpc = has("grpc_service").is_some();
    if is_of_kind(typed, "ext_authz") && by_grpc {
        return Some(Service {
            node,
            is_processor: false,
            answers: false,
            rules: has("decoder_header_mutation_rules"),
        });
    }
    let asks = by_grpc || has("http_service").is_some();
    let observes = fields.switched_on("observability_mode").is_some();
    if !is_of_kind(typed, "ext_proc") || !asks || observes || !sees_requests(fields) {
        return None;
    }
    let answers = fields.switched_on("disable_immediate_response").is_none();
    Some(Service { node, is_processor: true, answers, rules: has("mutation_rules") })
}

/// Tells whether requests are sent to it: their heads are, unless it is told.
fn sees_requests(fields: &Node<'_>) -> bool {
    let mode = |name: &str| {
        let mode = fields.at(&["processing_mode", name]);
        mode.and_then(|mode| mode.text()).unwrap_or_default()
    };
    // Envoy takes the numbers of the words too.
    let skips_head = ["SKIP", "2"].contains(&mode("request_header_mode"));
    let skips_body = ["", "NONE", "0"].contains(&mode("request_body_mode"));
    !skips_head || !skips_body || fields.switched_on("allow_mode_override").is_some()
}

impl Service<'_> {
    /// The severity of what it may write.
    pub(in super::super) fn severity(&self) -> Severity {
        if self.is_processor { Severity::Warning } else { Severity::Note }
    }

    /// Tells whether it may write this header (`HeaderMutationRules`, in the order in which Envoy asks them).
    pub(in super::super) fn may_write(&self, header: &str) -> bool {
        let Some(rules) = &self.rules else { return !is_routing(header) };
        let on = |name| rules.switched_on(name).is_some();
        let matched = |name: &str| {
            let expression = rules.at(&[name, "regex"]);
            expression.and_then(|expression| whole(expression.text()?, header))
        };
        match (matched("disallow_expression"), matched("allow_expression")) {
            (Some(true), _) => false,
            (_, Some(true)) => true,
            _ if on("disallow_all") => false,
            _ if header.starts_with(':') && on("disallow_system") => false,
            _ => !is_routing(header) || on("allow_all_routing"),
        }
    }
}

fn is_routing(header: &str) -> bool {
    [":method", ":authority", ":scheme", "host"].contains(&header)
}
