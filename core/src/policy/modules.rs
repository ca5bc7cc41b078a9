//! Modules: the services of a policy, found by the host and the path of a request without a walk over all of them.

use std::sync::Arc;

use super::{HostPattern, Module};
use crate::names::Names;
use crate::origin::Host;
use crate::path::Case;

/// All modules, in the order of the policy.
#[derive(Debug, Default)]
pub(crate) struct Modules {
    all: Vec<Arc<Module>>,
    groups: Vec<Group>,
    /// Groups by the names in `hosts`.
    exact: Names,
    /// Groups by `*.example.org`, which is `.example.org` here.
    below: Names,
    /// The group of modules without `hosts`.
    any: Option<usize>,
    /// A prefix has a capital letter.
    has_capitals: bool,
}

/// Modules that share a host, by their `path_prefix`.
#[derive(Debug, Default)]
struct Group {
    kept: Names,
    folded: Names,
    /// The most segments that any prefix has.
    deepest: usize,
    /// The cookies that carry credentials of any of them: a browser sends them to all.
    cookies: Names,
}

/// The cookies of a group.
pub(crate) type Cookies = Arc<Names>;

impl Modules {
    /// Takes the modules in their order, and tells each which cookies are its neighbours'.
    pub(crate) fn new(mut modules: Vec<Module>) -> Self {
        let mut found = Self::default();
        for (at, module) in modules.iter().enumerate() {
            for host in module.hosts.patterns() {
                let group = found.group(host);
                if let Some(group) = found.groups.get_mut(group) {
                    group.add(module, at);
                }
            }
            found.has_capitals |= module.prefix.has_capitals();
        }
        let cookies =
            found.groups.iter_mut().map(|group| Arc::new(std::mem::take(&mut group.cookies)));
        let cookies: Vec<Cookies> = cookies.collect();
        for module in &mut modules {
            let groups =
                module.hosts.patterns().into_iter().filter_map(|host| found.known(host.as_ref()));
            module.neighbours_cookies = groups.filter_map(|at| cookies.get(at).cloned()).collect();
        }
        found.all = modules.into_iter().map(Arc::new).collect();
        found
    }

    fn known(&self, host: Option<&HostPattern>) -> Option<usize> {
        match host {
            Some(HostPattern::Exact(name)) => self.exact.get(name),
            Some(HostPattern::Below(suffix)) => self.below.get(suffix),
            None => self.any,
        }
    }

    /// The group of a host, which is made where there is none.
    fn group(&mut self, host: Option<HostPattern>) -> usize {
        let next = self.groups.len();
        let known = match host {
            Some(HostPattern::Exact(name)) => self.exact.add(name, next),
            Some(HostPattern::Below(suffix)) => self.below.add(suffix, next),
            None => self.any.replace(self.any.unwrap_or(next)),
        };
        let at = known.unwrap_or(next);
        if at == next {
            self.groups.push(Group::default());
        }
        at
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Arc<Module>> {
        self.all.get(index)
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Arc<Module>> {
        self.all.iter()
    }

    /// The module of a request. As among Envoy's virtual hosts, modules whose hosts name the request's less exactly are
    /// not asked where a more exact one lacks the path.
    pub(crate) fn find(&self, host: &Host, path: &[u8], case: Case) -> Option<&Arc<Module>> {
        self.get(self.groups.get(self.nearest(&host.name)?)?.find(path, case)?)
    }

    /// Tells that letter case makes no difference to this path, of which `module` is the one.
    pub(crate) fn is_caseless(&self, module: &Module, path: &[u8]) -> bool {
        !self.has_capitals && module.is_caseless && !path.iter().any(u8::is_ascii_uppercase)
    }

    fn nearest(&self, host: &str) -> Option<usize> {
        let dots = host.match_indices('.').filter(|_| !self.below.is_empty());
        let mut suffixes = dots.filter_map(|(at, _)| self.below.get(host.get(at..)?));
        self.exact.get(host).or_else(|| suffixes.next()).or(self.any)
    }
}

impl Group {
    fn add(&mut self, module: &Module, at: usize) {
        let prefix = module.prefix.as_str();
        self.kept.add(prefix.to_owned(), at);
        self.folded.add(prefix.to_ascii_lowercase(), at);
        self.deepest = self.deepest.max(prefix.matches('/').count());
        for cookie in &module.cookies {
            self.cookies.add(cookie.clone(), at);
        }
    }

    /// The module with the longest prefix of `path`.
    fn find(&self, path: &[u8], case: Case) -> Option<usize> {
        let ends = path.iter().enumerate().skip(1).filter(|(_, byte)| **byte == b'/');
        let ends = ends.map(|(at, _)| at).chain([path.len()]).take(self.deepest);
        let beginnings: Vec<&[u8]> = ends.filter_map(|at| path.get(..at)).collect();
        beginnings.into_iter().rev().chain([[].as_slice()]).find_map(|beginning| {
            let text = std::str::from_utf8(beginning).ok()?;
            match case {
                Case::Kept => self.kept.get(text),
                Case::Folded => self.folded.get(&text.to_ascii_lowercase()),
            }
        })
    }
}
