//! `body` of a route: what Envoy must be told for it, and how much of it Envoy holds.

use super::Finding;
use crate::config::{Config, Manager, Node};
use crate::policy::Policy;

/// Envoy's own `per_connection_buffer_limit_bytes`.
const USUAL: f64 = 1_048_576.0;

/// Vigile's own `max_bytes`.
const UNSAID: f64 = 65_536.0;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let reads =
        |policy: &&Policy<'_>| policy.routes().iter().any(|route| route.get("body").is_some());
    let plugins = config.policies.iter().filter(reads).filter_map(|policy| policy.plugin.as_ref());
    let unheld = plugins.filter_map(of_plugin);
    let bounded = config.guards().flat_map(|(manager, policy)| of_manager(manager, policy));
    unheld.chain(bounded).collect()
}

fn of_plugin(plugin: &Node<'_>) -> Option<Finding> {
    match plugin.switched_on("allow_on_headers_stop_iteration") {
        Some(_) => None,
        None => Some(Finding::error(
            &plugin.field("allow_on_headers_stop_iteration").unwrap_or(plugin.clone()),
            "a route has a body section, and Envoy lets no filter hold a request for it: requests hang until they time out. Set allow_on_headers_stop_iteration: true",
        )),
    }
}

/// JSON that is larger than Envoy's buffer: Envoy answers 413 itself, in its own form.
fn of_manager(manager: &Manager<'_>, policy: &Policy<'_>) -> Vec<Finding> {
    let limit = manager.listener.as_ref();
    let limit = limit.and_then(|listener| listener.field("per_connection_buffer_limit_bytes"));
    let held = limit.as_ref().and_then(Node::number).unwrap_or(USUAL);
    let routes = policy.routes();
    let larger = routes.iter().filter_map(|route| {
        let body = route.get("body").filter(holds)?;
        let most = body.get("max_bytes").as_ref().and_then(Node::number).unwrap_or(UNSAID);
        (most > held).then(|| {
            let place = limit.clone().unwrap_or(manager.node.clone());
            Finding::warning(
                &place,
                format!("a route of the policy holds JSON up to {most} bytes, and Envoy answers 413 itself above {held}: set per_connection_buffer_limit_bytes to {most}"),
            )
        })
    });
    larger.collect()
}

fn holds(body: &Node<'_>) -> bool {
    let is_json =
        |kind: &str| kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json");
    match body.get("media_types") {
        None => body.get("json").is_some(),
        Some(kinds) => kinds.items().any(|kind| kind.text().is_some_and(is_json)),
    }
}
