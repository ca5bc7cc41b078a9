//! Finds what writes the evidence that Vigile judges by before Vigile reads it: credentials, the headers by which
//! pages of other sites are told, the caller's address. Before all filters Envoy can write headers
//! (`early_header_mutation_extensions`), and so can every filter before Vigile.

use super::writes::{Act, Name, Side, Write, by_messages, messages, services};
use super::{Finding, Severity};
use crate::config::{Config, Manager, Node, Typed, is_of_kind};
use crate::policy::{Policy, asks};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    config.guarded().flat_map(|manager| of_manager(config, manager)).collect()
}

fn of_manager(config: &Config<'_>, manager: &Manager<'_>) -> Vec<Finding> {
    let policies = config.policies_of(manager);
    let early = manager.node.list("early_header_mutation_extensions").into_iter();
    let early: Vec<Typed<'_>> = early.filter_map(|extension| extension.typed_config()).collect();
    let before = messages(manager, Side::Before);
    let read = Read::by(&policies);
    // A login by OAuth brings each caller's own token.
    let others: Vec<Typed<'_>> =
        before.iter().filter(|typed| !is_of_kind(typed, "oauth2")).cloned().collect();
    let writes = by_messages(&early).into_iter().chain(by_messages(&others));
    let writes = writes.filter_map(|write| read.judge(&write));
    let queries = before.iter().filter(|typed| is_of_kind(typed, "header_mutation"));
    let queries = queries.flat_map(|typed| of_query(typed, &policies));
    let services = services(&before).into_iter().filter_map(|service| {
        let name = read.credentials.iter().find(|name| service.may_write(name))?;
        let problem = format!(
            "this service may write {name} before Vigile, which then judges the service's word: forbid it (disallow_expression in the filter's mutation rules), or put the filter behind Vigile"
        );
        Some(Finding::of(service.severity(), &service.node, problem))
    });
    writes.chain(queries).chain(services).collect()
}

/// The headers that policies judge by.
struct Read {
    credentials: Vec<String>,
    /// Those that say which site a page is of.
    sites: Vec<&'static str>,
    /// Tells whether the caller's address counts, and stands in X-Forwarded-For.
    addresses: bool,
}

impl Read {
    fn by(policies: &[&Policy<'_>]) -> Self {
        let credentials: Vec<String> =
            policies.iter().flat_map(|policy| policy.credential_headers()).collect();
        let takes_cookies = credentials.iter().any(|name| name == "cookie");
        let sites = ["origin", "referer", "sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"];
        let lists = |policy: &&Policy<'_>| {
            let is_said =
                policy.root().get("client_address").is_some_and(|said| said.text() != Some("peer"));
            is_said && policy.routes().iter().any(|route| !asks(route, "addresses").is_empty())
        };
        let addresses = policies.iter().any(lists);
        let sites = if takes_cookies { sites.to_vec() } else { Vec::new() };
        Self { credentials, sites, addresses }
    }

    fn judge(&self, write: &Write<'_>) -> Option<Finding> {
        let is = |name: &str| write.name.is(name);
        let credential = self.credentials.iter().find(|name| is(name)).map(String::as_str);
        let site = self.sites.iter().find(|name| is(name)).copied();
        let address = (self.addresses && is(FORWARDED_FOR)).then_some(FORWARDED_FOR);
        if address.is_some() && !matches!(write.name, Name::Any) {
            return Some(Finding::error(&write.node, NO_ADDRESS));
        }
        let name = credential.or(site).or(address)?;
        let (severity, problem) = match (&write.name, write.act, credential.is_some()) {
            (Name::Any, _, _) => (
                Severity::Warning,
                format!(
                    "this script writes headers whose names it makes before Vigile judges by {name}: put it behind Vigile"
                ),
            ),
            (_, Act::Fixed | Act::FixedIfAbsent, true) => (
                Severity::Error,
                format!(
                    "{name} carries the credential, and here everybody gets this one: leave it out, or write it behind Vigile, where it is the app's (forward)"
                ),
            ),
            (_, Act::Made, true) => (
                Severity::Warning,
                format!(
                    "{name} carries the credential, and Vigile judges what this makes of the request: what callers wrote elsewhere reaches the app, and no access log hides it"
                ),
            ),
            (_, Act::Taken, true) => (
                Severity::Warning,
                format!(
                    "{name} carries the credential, and this takes it away before Vigile reads it: nobody comes in by it"
                ),
            ),
            (_, Act::Taken, false) => (
                Severity::Warning,
                format!(
                    "by {name} Vigile tells pages of other sites from the module's own, and this takes it away before Vigile reads it"
                ),
            ),
            (_, _, false) => (
                Severity::Error,
                format!(
                    "by {name} Vigile tells pages of other sites from the module's own, and here all are made one: leave it out"
                ),
            ),
        };
        Some(Finding::of(severity, &write.node, problem))
    }
}

const FORWARDED_FOR: &str = "x-forwarded-for";
const NO_ADDRESS: &str = "the policy lists addresses, which proxies tell by this header, and here it is written anew before Vigile or Envoy reads it: leave it out";

/// Parameters of the query that a filter writes, the token's among them.
fn of_query(typed: &Typed<'_>, policies: &[&Policy<'_>]) -> Vec<Finding> {
    let list = typed.fields.at(&["mutations", "query_parameter_mutations"]);
    let items = list.map(|list| list.items().collect::<Vec<_>>()).unwrap_or_default();
    let keys = items.iter().filter_map(|item| {
        item.at(&["append", "entry", "key"]).or_else(|| item.at(&["append", "record", "key"]))
    });
    let places = policies.iter().map(|policy| policy.credential_places());
    let parameters: Vec<String> = places.flat_map(|places| places.parameters).collect();
    let carries =
        |key: &Node<'_>| key.text().is_some_and(|key| parameters.iter().any(|name| name == key));
    keys.filter(carries).map(|key| Finding::error(&key, EVERYBODYS_TOKEN)).collect()
}

const EVERYBODYS_TOKEN: &str =
    "this parameter carries the token, and here everybody gets this one: leave it out";
