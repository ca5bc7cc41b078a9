//! Timeouts that cut event streams and websockets of modules in frames (docs/browsers.md: Gradio keeps a
//! stream open as long as its page, and sends a heartbeat every 15 s).

use super::Finding;
use crate::config::{Config, Manager, Node, VirtualHost};
use crate::policy::Policy;

/// An idle timeout under twice the heartbeat cuts what is merely slow, in seconds.
const SHORTEST_IDLE: f64 = 30.0;

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.guards().flat_map(|(manager, policy)| of_manager(manager, policy)).collect()
}

fn of_manager(manager: &Manager<'_>, policy: &Policy<'_>) -> Vec<Finding> {
    let modules = policy.modules();
    let framed: Vec<&Node<'_>> =
        modules.iter().filter(|module| module.get("embed").is_some()).collect();
    if framed.is_empty() {
        return Vec::new();
    }
    let hosts =
        manager.virtual_hosts().filter(|host| framed.iter().any(|module| serves(host, module)));
    let routes = hosts.flat_map(|host| host.routes()).filter(|route| !route.is_one_path());
    let on_routes = routes.flat_map(|route| of_route(&route.action));
    let idle = manager.node.field("stream_idle_timeout").and_then(|idle| too_idle(&idle));
    let longest = manager.node.at(&["common_http_protocol_options", "max_stream_duration"]);
    let longest = longest.and_then(|longest| bounded(&longest));
    on_routes.chain(idle).chain(longest).collect()
}

/// Tells whether a virtual host may take requests of a module; one without hosts has them all.
fn serves(host: &VirtualHost<'_>, module: &Node<'_>) -> bool {
    let Some(hosts) = module.get("hosts") else { return true };
    hosts.items().any(|one| one.text().is_none_or(|name| host.takes(name)))
}

fn of_route(action: &Node<'_>) -> Vec<Finding> {
    let timeout = match action.field("timeout") {
        None => Some(Finding::warning(
            action,
            "timeout is not set, and Envoy's own is 15 s: it cuts event streams in the middle. Set timeout: 0s",
        )),
        Some(timeout) => bounded(&timeout),
    };
    let idle = action.field("idle_timeout").and_then(|idle| too_idle(&idle));
    let longest = action.at(&["max_stream_duration", "max_stream_duration"]);
    timeout.into_iter().chain(idle).chain(longest.and_then(|longest| bounded(&longest))).collect()
}

fn bounded(timeout: &Node<'_>) -> Option<Finding> {
    let seconds = timeout.seconds().filter(|seconds| *seconds > 0.0)?;
    let problem = format!("event streams are cut after {seconds} s: set 0s");
    Some(Finding::warning(timeout, problem))
}

fn too_idle(idle: &Node<'_>) -> Option<Finding> {
    let seconds = idle.seconds().filter(|seconds| *seconds > 0.0 && *seconds < SHORTEST_IDLE)?;
    let problem = format!(
        "event streams are cut when they say nothing for {seconds} s, and Gradio's heartbeat comes every 15 s: set 300s"
    );
    Some(Finding::warning(idle, problem))
}
