//! Internal redirects: Envoy follows the app's redirect itself, and the request passes the filters again.

use super::Finding;
use crate::config::{Config, Manager};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let guarded = config.guarded();
    let routes = guarded.flat_map(Manager::routes);
    let follows = routes.filter_map(|route| {
        let policy = route.action.field("internal_redirect_policy");
        policy.or_else(|| route.action.field("internal_redirect_action"))
    });
    follows.map(|node| Finding::warning(&node, MEETS_VIGILE_AGAIN)).collect()
}

const MEETS_VIGILE_AGAIN: &str = "a request that Envoy redirects itself meets Vigile again, without the credential that Vigile took away: it is refused. Let the caller follow redirects";
