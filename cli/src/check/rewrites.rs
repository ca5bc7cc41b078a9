//! Paths and hosts that Envoy writes anew behind Vigile: the app gets another one than was judged
//! (observed on Envoy 1.40).

use super::Finding;
use super::writes::{Name, Side, by_messages, messages};
use crate::config::{Config, Manager, Node, Route, Typed, is_of_kind};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let routes: Vec<Route<'_>> = config.guarded().flat_map(Manager::routes).collect();
    let paths = routes.iter().filter_map(of_path);
    let filters = config.guarded().flat_map(of_filters);
    paths.chain(routes.iter().filter_map(of_host)).chain(filters).collect()
}

/// Filters behind Vigile that write what Vigile judged, or map it to another.
fn of_filters(manager: &Manager<'_>) -> Vec<Finding> {
    let behind = messages(manager, Side::Behind);
    let judged =
        [(":path", ANOTHER_PATH), (":method", ANOTHER_METHOD), (":authority", ANOTHER_HOST)];
    let writes = by_messages(&behind).into_iter().filter_map(|write| match &write.name {
        Name::Of(name) => {
            let (_, problem) = judged.iter().find(|(judged, _)| judged == name)?;
            Some(Finding::warning(&write.node, *problem))
        }
        _ => None,
    });
    let transcoders = ["grpc_json_transcoder", "grpc_json_reverse_transcoder", "mcp_router"];
    let maps = |typed: &&Typed<'_>| transcoders.iter().any(|kind| is_of_kind(typed, kind));
    let maps = behind.iter().filter(maps).map(|typed| Finding::warning(&typed.fields, MAPPED));
    writes.chain(maps).collect()
}

const ANOTHER_METHOD: &str = "Vigile judges the method, and the app gets another one: what the policy lets in as GET may change something there. Let the app take the method that callers use";
const MAPPED: &str = "Vigile judges the path that callers ask for, and the app gets the one that this filter maps it to: where several paths lead to one call, each needs its route in the policy. Put the filter before Vigile, and let the policy name what the app serves";

fn of_path(route: &Route<'_>) -> Option<Finding> {
    let names = ["prefix_rewrite", "regex_rewrite", "path_rewrite_policy", "path_rewrite"];
    let rewrite = names.iter().find_map(|name| route.action.field(name))?;
    // One path becomes one other: callers have nothing to choose.
    let changes = !route.is_one_path() && !is_same(route, &rewrite);
    changes.then(|| Finding::warning(&rewrite, ANOTHER_PATH))
}

const ANOTHER_PATH: &str = "Vigile judges the path before it is rewritten, and the app gets another one: what the policy opens here may be a closed path there (/health/admin becomes /admin), and //host what an app takes for a host. Let the app serve the path that callers ask for";

/// Tells whether a prefix is replaced by itself.
fn is_same(route: &Route<'_>, rewrite: &Node<'_>) -> bool {
    let names = ["prefix", "path_separated_prefix"];
    names.iter().any(|name| {
        let prefix = route.node.at(&["match", name]);
        prefix.is_some_and(|prefix| prefix.text().is_some() && prefix.text() == rewrite.text())
    })
}

/// A host that is written out is the config's own choice, like a cluster; one that is read from the
/// request is the caller's.
fn of_host(route: &Route<'_>) -> Option<Finding> {
    let names = ["host_rewrite_header", "host_rewrite_path_regex"];
    let chosen = names.iter().find_map(|name| route.action.field(name)).or_else(|| {
        let format = route.action.field("host_rewrite")?;
        format.text().is_some_and(|format| format.contains('%')).then_some(format)
    });
    chosen.map(|node| Finding::warning(&node, ANOTHER_HOST))
}

const ANOTHER_HOST: &str = "callers choose here which host the app sees, and Vigile judged another one: write the host out (host_rewrite_literal)";
