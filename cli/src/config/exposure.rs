//! Finds the ways to a listener that do not ask Vigile.

use std::collections::{BTreeMap, BTreeSet};

use super::{Asked, Chosen, Clusters, Manager, Node, Way, internal_name, is_local};
use crate::yaml::Yaml;

/// The callers who reach a listener without asking Vigile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exposure {
    /// Nobody: the listener is one that only this Envoy reaches, by ways that ask Vigile.
    Nobody,
    /// This machine.
    Machine,
    /// Other machines; or this one, by another chain of a listener on which Vigile is asked.
    Anybody,
}

/// Facts about the listeners of a file.
pub(super) struct Exposures {
    /// Listeners with a chain that asks Vigile.
    guarded: BTreeSet<*const Yaml>,
    /// Those that only this Envoy reaches, by their names.
    internal: BTreeMap<String, Exposure>,
}

impl Exposures {
    pub(super) fn of(managers: &[Manager<'_>], around: &[Way<'_>], clusters: &Clusters) -> Self {
        let guarding = managers.iter().filter(|manager| manager.asks_vigile());
        let guarded = guarding.clone().filter_map(|manager| manager.listener.as_ref());
        let mut all = Self {
            guarded: guarded.map(|listener| std::ptr::from_ref(listener.yaml())).collect(),
            internal: BTreeMap::new(),
        };
        let listeners = managers.iter().map(|manager| &manager.listener);
        let listeners = listeners.chain(around.iter().map(|way| &way.listener)).flatten();
        let names: BTreeSet<&str> = listeners.filter_map(internal_name).collect();
        let asking = guarding.flat_map(|manager| manager.routes_asked(Asked::Yes));
        let asking: Vec<Node<'_>> = asking.flat_map(|(_, route)| route.clusters()).collect();
        for name in &names {
            let leads = |cluster: &Node<'_>| {
                cluster.text().is_some_and(|cluster| clusters.leads_to_internal(cluster, name))
            };
            if asking.iter().any(leads) {
                all.internal.insert((*name).to_owned(), Exposure::Nobody);
            }
        }
        while names.iter().any(|name| all.widen(name, around, clusters)) {}
        all
    }

    /// Takes a listener for as exposed as the ways that lead to it; whether that was news.
    fn widen(&mut self, name: &str, around: &[Way<'_>], clusters: &Clusters) -> bool {
        let leading = around.iter().filter(|way| way.leads_to_internal(clusters, name));
        let most = leading.map(|way| self.of_listener(way.listener.as_ref())).max();
        let known = self.internal.get(name).copied();
        let news = most > known;
        if let Some(most) = most.filter(|_| news) {
            self.internal.insert(name.to_owned(), most);
        }
        news
    }

    pub(super) fn of_listener(&self, listener: Option<&Node<'_>>) -> Exposure {
        let Some(listener) = listener else { return Exposure::Anybody };
        if let Some(name) = internal_name(listener) {
            // One that nothing in the file leads to may be reached from elsewhere.
            return self.internal.get(name).copied().unwrap_or(Exposure::Machine);
        }
        let has_guard = self.guarded.contains(&std::ptr::from_ref(listener.yaml()));
        match is_local(listener) && !has_guard {
            true => Exposure::Machine,
            false => Exposure::Anybody,
        }
    }
}

impl Way<'_> {
    fn leads_to_internal(&self, clusters: &Clusters, listener: &str) -> bool {
        let name = self.node.text().filter(|_| self.chosen == Chosen::Named);
        name.is_some_and(|name| clusters.leads_to_internal(name, listener))
    }
}
