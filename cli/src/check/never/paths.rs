//! Paths in another notation: `/users/:id` of routers, expressions. Vigile takes all but `*` for itself.

use super::Finding;
use crate::config::Node;
use crate::policy::Policy;

pub(super) fn find(policy: &Policy<'_>) -> Vec<Finding> {
    let routes = policy.routes();
    let places = routes.iter().flat_map(|route| [route.get("path"), route.get("paths")]).flatten();
    let paths = places
        .flat_map(|place| std::iter::once(place.clone()).chain(place.items()).collect::<Vec<_>>());
    paths.filter_map(|path| Some(Finding::warning(&path, problem(&path)?))).collect()
}

fn problem(path: &Node<'_>) -> Option<String> {
    let mut segments = path.text()?.split('/').skip(1);
    segments.find_map(|segment| match segment {
        ".*" | ".+" => Some(format!("{segment} stands for itself here: write * for a segment, ** at the end for all that follows")),
        _ if segment.contains("(.") || segment.ends_with('$') => Some(format!(
            "{segment} is no expression here and stands for itself: write * for a part of a segment, ** at the end for all that follows"
        )),
        _ if is_parameter(segment) => Some(format!("{segment} stands for itself here: write * for a segment of any text")),
        _ => None,
    })
}

/// `:id`, as Express, Rails and others write a parameter.
fn is_parameter(segment: &str) -> bool {
    let name = segment.strip_prefix(':').unwrap_or_default();
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}
