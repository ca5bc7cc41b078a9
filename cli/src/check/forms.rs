//! Another method in a form's body: Rack, Laravel, Spring and others take `_method=DELETE` of a form that comes by
//! POST for the request's method. Vigile judges POST, and looks into no form (docs/policy.md, *Overrides*).

use std::collections::BTreeMap;

use super::Finding;
use super::access::Access;
use crate::config::{Config, Node};
use crate::policy::{Policy, routes};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let modules = config.policies.iter().map(Policy::modules);
    modules.flat_map(|modules| modules.iter().flat_map(of_module).collect::<Vec<_>>()).collect()
}

fn of_module(module: &Node<'_>) -> Vec<Finding> {
    let routes = routes(module);
    let mut by_path: BTreeMap<&str, Vec<&Node<'_>>> = BTreeMap::new();
    for route in &routes {
        let places = [route.get("path"), route.get("paths")].into_iter().flatten();
        let paths = places.flat_map(|place| {
            std::iter::once(place.clone()).chain(place.items()).collect::<Vec<_>>()
        });
        for path in paths.filter_map(|path| path.text()) {
            by_path.entry(path).or_default().push(route);
        }
    }
    let several = by_path.values().filter(|routes| routes.len() > 1);
    several.filter_map(|routes| judge(routes)).collect()
}

/// The routes of one path.
fn judge(routes: &[&Node<'_>]) -> Option<Finding> {
    let posts = routes.iter().find(|route| lists(route, &["POST"]) && takes_forms(route))?;
    let access = Access::of(posts);
    let others = routes.iter().filter(|route| lists(route, &["PUT", "PATCH", "DELETE"]));
    let mut others = others.filter(|route| !access.implies(&Access::of(route)));
    let methods = others.next()?.get("methods")?;
    let first = methods.items().find_map(|method| method.text().filter(|method| *method != "POST"));
    let problem = format!(
        "an app that reads _method from a form (Rack, Laravel, Spring) takes a POST for {}, of which this policy asks for more: ask for the same in all methods of the path, or leave forms out (body: {{ media_types: [application/json] }})",
        first.unwrap_or("another method")
    );
    Some(Finding::warning(&posts.get("methods")?, problem))
}

fn lists(route: &Node<'_>, methods: &[&str]) -> bool {
    let listed = route.get("methods");
    let mut listed = listed.iter().flat_map(Node::items);
    listed.any(|method| method.text().is_some_and(|method| methods.contains(&method)))
}

/// Tells whether a form may come: nothing is said of bodies, or forms are named.
fn takes_forms(route: &Node<'_>) -> bool {
    let Some(body) = route.get("body") else { return true };
    let forms = ["application/x-www-form-urlencoded", "multipart/form-data"];
    match body.get("media_types") {
        Some(kinds) => kinds.items().any(|kind| {
            kind.text().is_some_and(|kind| forms.iter().any(|form| kind.eq_ignore_ascii_case(form)))
        }),
        None => body.get("json").is_none(),
    }
}
