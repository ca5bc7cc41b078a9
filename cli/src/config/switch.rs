//! Filters that are switched off in their chain and on again by routes, as Envoy Gateway has them, or the
//! other way round. The innermost place that names a filter counts (observed on 1.40).

use super::Node;

/// The answer to whether a request of a route meets Vigile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Asked {
    /// Vigile is asked.
    Yes,
    /// A route, or what is around it, switches Vigile off.
    SwitchedOff,
    /// There is no Vigile in the chain, or it is switched off there and nothing switches it on.
    Never,
}

/// Reads what the innermost of these places says of a filter: `typed_per_filter_config` of a route, its virtual
/// host, its route configuration.
pub(super) fn switched(places: &[&Node<'_>], filter: &str) -> Option<bool> {
    places.iter().find_map(|place| {
        let config = place.field("typed_per_filter_config")?.get(filter)?;
        let typed = config.typed()?;
        let is_switch = typed.name == "envoy.config.route.v3.FilterConfig";
        Some(!is_switch || typed.fields.switched_on("disabled").is_none())
    })
}
