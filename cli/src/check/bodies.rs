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

/// JSON that is larger than what Envoy holds: it answers 413 itself, in its own form.
fn of_manager(manager: &Manager<'_>, policy: &Policy<'_>) -> Vec<Finding> {
    let routes = policy.routes();
    let bodies = routes.iter().filter_map(|route| route.get("body").filter(holds));
    let read = bodies.map(|body| body.get("max_bytes").as_ref().and_then(Node::number));
    let Some(most) = read.map(|most| most.unwrap_or(UNSAID)).reduce(f64::max) else {
        return Vec::new();
    };
    let waits = manager.node.switched_on("proxy_100_continue");
    let waits = waits.map(|node| Finding::warning(&node, BOTH_WAIT));
    let listener = manager.listener.as_ref();
    let buffer = listener.and_then(|listener| listener.field("per_connection_buffer_limit_bytes"));
    let window = manager.node.at(&["http2_protocol_options", "initial_stream_window_size"]);
    let held = [
        ("per_connection_buffer_limit_bytes", buffer.as_ref(), Some(USUAL)),
        // In HTTP/2 a stream's window is its buffer (observed on Envoy 1.40).
        ("initial_stream_window_size", window.as_ref(), None),
    ];
    let less = held.into_iter().filter_map(|(name, node, usual)| {
        let held = node.and_then(Node::number).or(usual)?;
        let place = node.unwrap_or(&manager.node);
        (most > held).then(|| {
            let problem = format!(
                "a route of the policy holds JSON up to {most} bytes, and Envoy answers 413 itself above {held}: set {name} to {most} at least"
            );
            Finding::warning(place, problem)
        })
    });
    let timeout = manager.node.field("request_timeout");
    let unended = timeout.as_ref().and_then(Node::seconds).is_none_or(|seconds| seconds <= 0.0);
    let slow =
        unended.then(|| Finding::warning(timeout.as_ref().unwrap_or(&manager.node), SLOW_SENDERS));
    less.chain(waits).chain(slow).collect()
}

/// Off in Envoy unless it is set; it ends with the last byte of the request, however long the answer takes.
const SLOW_SENDERS: &str = "a route of the policy holds a request until its JSON is there, and Envoy waits for it as long as the sender likes, on as many connections as one opens. Set request_timeout: 30s, or what the slowest honest sender takes for a whole request";

/// `Expect: 100-continue` of a caller, which the app sees only with the body (observed on Envoy 1.40).
const BOTH_WAIT: &str = "a route of the policy holds a request until its JSON is there, and the app is to say whether the caller may send it: both wait. Leave proxy_100_continue out, and Envoy answers 100 by itself";

fn holds(body: &Node<'_>) -> bool {
    let is_json =
        |kind: &str| kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json");
    match body.get("media_types") {
        None => body.get("json").is_some(),
        Some(kinds) => kinds.items().any(|kind| kind.text().is_some_and(is_json)),
    }
}
