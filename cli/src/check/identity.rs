//! Finds what writes, behind Vigile, the headers in which Vigile tells the app of the caller (`forward`): routes,
//! filters, filters of the app's cluster. The app then has two of them, or the caller's word in the place
//! of Vigile's (observed on Envoy 1.40).

use std::collections::BTreeSet;

use super::writes::{Act, Name, Side, Write, by_messages, by_routes, folded, messages, services};
use super::{Finding, Severity};
use crate::config::{Asked, Config, Manager, Node, Typed, is_field};
use crate::find::WASM;
use crate::policy::{Policy, routes};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let of_managers = config.guarded().flat_map(|manager| of_manager(config, manager));
    of_managers.chain(of_clusters(config)).collect()
}

fn of_manager(config: &Config<'_>, manager: &Manager<'_>) -> Vec<Finding> {
    let forwarded = Forwarded::of(config.policies_of(manager));
    let behind = messages(manager, Side::Behind);
    let writes = by_routes(manager).into_iter().chain(by_messages(&behind));
    // What a filter reads may be meant for it, and not for the app.
    let is_spent = |write: &Write<'_>| {
        let name = forwarded.meant(&write.name);
        write.act == Act::Taken && name.is_some_and(|name| is_read(manager, name))
    };
    let writes = writes.filter(|write| !is_spent(write));
    let written = writes.filter_map(|write| forwarded.judge(&write));
    let asked = services(&behind).into_iter().filter_map(|service| {
        let mut names = std::iter::once(":path").chain(forwarded.names());
        let name = names.find(|name| service.may_write(name))?;
        let problem = format!(
            "this service may write {name} behind Vigile, which judged another path and knows the caller: forbid it (disallow_all or disallow_expression in the filter's mutation rules), or put the filter before Vigile"
        );
        Some(Finding::of(service.severity(), &service.node, problem))
    });
    written.chain(asked).collect()
}

/// Tells whether something in the connection manager reads a header: a limit, a match, a format.
fn is_read(manager: &Manager<'_>, header: &str) -> bool {
    let mut found = false;
    let mut look = |node: &Node<'_>| {
        let text = node.text().map(str::to_ascii_lowercase);
        found |= text.is_some_and(|text| text.contains(header));
        let writes = ["request_headers_to_remove", "request_headers_to_add", "request_mutations"];
        let is_policy = node.typed().is_some_and(|typed| typed.name == WASM);
        !found && !is_policy && !writes.iter().any(|name| is_field(node.key(), name))
    };
    manager.node.walk(&mut look);
    manager.route_configs.iter().for_each(|config| config.walk(&mut look));
    found
}

/// The filters of clusters, which run behind all others.
fn of_clusters(config: &Config<'_>) -> Vec<Finding> {
    let guarded = config.guarded().flat_map(|manager| manager.routes_asked(Asked::Yes));
    let guarded = guarded.flat_map(|(_, route)| route.clusters());
    let guarded: BTreeSet<&str> = guarded.filter_map(|cluster| cluster.text()).collect();
    let forwarded = Forwarded::of(config.policies.iter().collect());
    let mut found = Vec::new();
    config.root.walk(&mut |node| {
        let options = node.field("typed_extension_protocol_options");
        let is_guarded = node.word("name").is_some_and(|name| guarded.contains(name));
        for (_, options) in options.iter().filter(|_| is_guarded).flat_map(Node::entries) {
            let filters = options.list("http_filters").into_iter();
            let behind: Vec<Typed<'_>> =
                filters.filter_map(|filter| filter.typed_config()).collect();
            found.extend(by_messages(&behind).iter().filter_map(|write| forwarded.judge(write)));
        }
        true
    });
    found
}

/// The headers that a policy forwards, by their folded names.
struct Forwarded(std::collections::BTreeMap<String, String>);

impl Forwarded {
    fn of(policies: Vec<&Policy<'_>>) -> Self {
        let mut all = std::collections::BTreeMap::new();
        for policy in policies {
            for module in policy.modules() {
                let routes = routes(&module);
                let sections = routes.iter().chain([&module]).filter_map(|one| one.get("forward"));
                for section in sections {
                    let names = section.entries().map(|(name, _)| name.to_ascii_lowercase());
                    all.extend(names.map(|name| (folded(&name), name)));
                }
            }
        }
        Self(all)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// The header of the policy that a name means.
    fn meant(&self, name: &Name<'_>) -> Option<&str> {
        match name {
            Name::Of(name) => self.0.get(&folded(name)).map(String::as_str),
            other => self.names().find(|known| other.is(known)),
        }
    }

    fn judge(&self, write: &Write<'_>) -> Option<Finding> {
        let name = self.meant(&write.name)?;
        let (severity, problem) = match (&write.name, write.act) {
            // What the config writes out stands where Vigile wrote nothing, and is no caller's word.
            (_, Act::FixedIfAbsent) => return None,
            (Name::Any, _) => (
                Severity::Warning,
                format!(
                    "this script writes, or takes away, headers whose names it makes: if {name} is one of them, the app no longer has Vigile's word on the caller"
                ),
            ),
            (_, Act::Taken) => (
                Severity::Error,
                format!(
                    "the policy forwards {name}, and this takes it away behind Vigile: the app never learns it. Vigile takes the callers' own away by itself"
                ),
            ),
            _ => (
                Severity::Error,
                format!(
                    "the policy forwards {name}, and this writes it behind Vigile: the app has another word on the caller than Vigile's. Write another header, or leave it to the policy"
                ),
            ),
        };
        Some(Finding::of(severity, &write.node, problem))
    }
}
