//! Upgrades with filters of their own: an upgraded request meets these, and none of `http_filters`.

use super::Finding;
use crate::config::{Config, Filter};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let guarded = config.guarded();
    let upgrades = guarded.flat_map(|manager| &manager.upgrades);
    let asks_vigile = |filters: &[Filter<'_>]| filters.iter().any(Filter::is_vigile);
    upgrades
        .filter(|(_, filters)| !asks_vigile(filters))
        .map(|(upgrade, _)| {
            let kind = upgrade.word("upgrade_type").unwrap_or("these");
            let problem = format!(
                "{kind} requests meet the filters listed here and go around Vigile: list it here too, or leave filters out"
            );
            Finding::error(&upgrade.field("filters").unwrap_or(upgrade.clone()), problem)
        })
        .collect()
}
