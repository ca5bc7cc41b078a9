//! Filters that stand before Vigile and answer by themselves.

use super::Finding;
use super::writes::{Answer, Side, answers, messages, services};
use crate::config::{Config, Filter, Manager, is_of_kind};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.managers.iter().flat_map(of_manager).collect()
}

fn of_manager(manager: &Manager<'_>) -> Vec<Finding> {
    let upgrades = manager.upgrades.iter().map(|(_, filters)| filters);
    let chains = upgrades.chain([&manager.filters]);
    let filters = chains.flat_map(|filters| of_filters(manager, filters));
    let before = messages(manager, Side::Before);
    let scripts = before.iter().filter(|typed| is_of_kind(typed, "lua")).flat_map(answers);
    let scripts = scripts.filter(|(_, answer)| *answer == Answer::Content);
    let scripts = scripts.map(|(node, _)| Finding::warning(&node, ANSWERS));
    let services = services(&before).into_iter().filter(|service| service.answers);
    let services = services.map(|service| Finding::warning(&service.node, SERVICE_ANSWERS));
    filters.chain(scripts).chain(services).collect()
}

const ANSWERS: &str = "this script answers requests before Vigile has judged them: put the filter behind Vigile, or let it refuse and nothing else, with a status that is written out (respond({[\":status\"] = \"403\"}, …))";
const SERVICE_ANSWERS: &str = "this service may answer requests before Vigile has judged them: put the filter behind Vigile, or set disable_immediate_response: true";

fn of_filters(manager: &Manager<'_>, filters: &[Filter<'_>]) -> Vec<Finding> {
    let Some(first) = filters.iter().position(Filter::is_vigile) else {
        return Vec::new();
    };
    let before = filters.iter().take(first).filter(|filter| manager.meets(filter));
    before.filter_map(|filter| Some(Finding::error(&filter.node, problem(filter)?))).collect()
}

/// Says what a filter of this kind would do before Vigile has judged.
fn problem(filter: &Filter<'_>) -> Option<&'static str> {
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
            "mcp_router",
            "this filter calls its servers before Vigile has judged: put Vigile before it",
        ),
        (
            "aws_lambda",
            "this filter calls the function before Vigile has judged: put Vigile before it",
        ),
    ];
    cases.into_iter().find(|(part, _)| filter.is(part)).map(|(_, problem)| problem)
}

const STORED: &str =
    "this cache answers anybody with what Vigile let one caller have: put Vigile before it";
