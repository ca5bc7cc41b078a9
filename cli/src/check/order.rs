//! Filters that stand before Vigile and answer by themselves.

use super::Finding;
use crate::config::{Config, Filter, Manager};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.managers.iter().flat_map(of_manager).collect()
}

fn of_manager(manager: &Manager<'_>) -> Vec<Finding> {
    let upgrades = manager.upgrades.iter().map(|(_, filters)| filters);
    upgrades.chain([&manager.filters]).flat_map(|filters| of_filters(filters)).collect()
}

fn of_filters(filters: &[Filter<'_>]) -> Vec<Finding> {
    let Some(first) = filters.iter().position(|filter| filter.policy.is_some()) else {
        return Vec::new();
    };
    let before = filters.iter().take(first);
    before.filter_map(|filter| Some(Finding::error(&filter.node, problem(filter)?))).collect()
}

/// What a filter of this kind would do before Vigile has judged.
fn problem(filter: &Filter<'_>) -> Option<&'static str> {
    let is = |part: &str| {
        let short = format!("envoy.filters.http.{part}");
        filter.name == short
            || filter.message.starts_with(&format!("envoy.extensions.filters.http.{part}."))
    };
    let cases = [
        (
            "router",
            "the router is the last filter: behind it Vigile is never asked, and Envoy does not start",
        ),
        ("cache", STORED),
        ("cache_v2", STORED),
        (
            "file_server",
            "this filter hands out files before Vigile has judged: put Vigile before it",
        ),
        (
            "aws_lambda",
            "this filter calls the function before Vigile has judged: put Vigile before it",
        ),
    ];
    cases.into_iter().find(|(part, _)| is(part)).map(|(_, problem)| problem)
}

const STORED: &str =
    "this cache answers anybody with what Vigile let one caller have: put Vigile before it";
