//! `routes`: which requests of a module ask for what.

use std::sync::Arc;

use super::{Access, Body, Forward};
use crate::origin::Origin;
use crate::path::{Case, Pattern, Table};

/// A pattern and what it asks for, by method. The path alone selects a route; the method then chooses
/// among the entries of the same path (docs/rules.md, rule 3).
#[derive(Debug)]
pub struct Route {
    /// Its path.
    pub pattern: Pattern,
    /// Its methods, in the order of the policy.
    pub entries: Vec<Entry>,
}

/// The routes of a module, in the order of the policy.
#[derive(Debug, Default)]
pub struct Routes {
    all: Vec<Route>,
    table: Table,
}

/// What the listed methods of a route ask for.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `None`: every method but TRACE, which would show the caller what was forwarded (RFC 9110 §9.3.8).
    pub methods: Option<Vec<String>>,
    /// The index of the rule in the module.
    pub rule: usize,
}

/// All that decides about a request once its route is known. Two routes with equal rules are alike to
/// whoever reads a path in another way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Who may come in.
    pub access: Access,
    /// Other sites that may call with the cookie.
    pub origins: Vec<Origin>,
    /// Headers that must be there.
    pub require_headers: Vec<RequiredHeader>,
    /// What is taken as a body; `None`: anything.
    pub body: Option<Arc<Body>>,
    /// How many requests of one caller.
    pub concurrency: Option<Concurrency>,
    /// Tells whether a stream ends with the token or the key that let it in.
    pub close_at_exp: bool,
    /// What the app learns.
    pub forward: Vec<Forward>,
}

/// How many requests of one caller may be under way on a route at once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Concurrency {
    /// At most this many.
    pub limit: u16,
    /// The route by its first path and its methods: two routes count apart.
    pub route: String,
}

/// A header that must be there once, with a text of some length.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RequiredHeader {
    /// In lower case.
    pub name: String,
    /// In characters that a reader can see.
    pub min_length: u32,
}

/// The longest text of a required header that is accepted, in characters.
pub const LONGEST_TEXT: u32 = 1024;

/// What a route without `methods` takes, as far as it has names (RFC 9110 §9.3, RFC 5789).
const USUAL: [&str; 6] = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

impl Routes {
    /// Adds a route, and gives its index.
    pub fn add(&mut self, route: Route) -> usize {
        self.table.add(&route.pattern);
        self.all.push(route);
        self.all.len().saturating_sub(1)
    }

    /// The route of an index.
    pub fn get(&self, index: usize) -> Option<&Route> {
        self.all.get(index)
    }

    /// The same, to add entries to it.
    pub fn get_mut(&mut self, index: usize) -> Option<&mut Route> {
        self.all.get_mut(index)
    }

    /// The first route that takes every path of `pattern`, as far as their texts show.
    pub fn covering(&self, pattern: &Pattern) -> Option<&Route> {
        self.get(self.table.covering(pattern)?)
    }

    /// The first route of a path, with its index.
    pub(crate) fn first(&self, path: &[u8], case: Case) -> Option<(usize, &Route)> {
        let index = self.table.first(path, case)?;
        Some((index, self.get(index)?))
    }

    /// The index of every route of a path to a router whose parameters may be empty ([`Table::each_taking_empty`]).
    pub(crate) fn each_taking_empty(&self, path: &[u8], found: &mut dyn FnMut(usize)) {
        self.table.each_taking_empty(path, found);
    }

    /// Tells that no pattern has a capital letter.
    pub(crate) fn is_caseless(&self) -> bool {
        self.table.is_caseless()
    }
}

impl Route {
    /// The index of the rule for a method; GET implies HEAD.
    pub fn rule(&self, method: &str) -> Option<usize> {
        self.entries.iter().find(|entry| entry.lists(method)).map(|entry| entry.rule)
    }

    /// The methods that the entries list, for `Allow` (RFC 9110 §10.2.1).
    pub(crate) fn allow(&self) -> String {
        let mut allowed: Vec<&str> = Vec::new();
        for method in self.entries.iter().flat_map(Entry::named) {
            let implied: &[&str] = if method == "GET" { &["GET", "HEAD"] } else { &[method] };
            for method in implied {
                if !allowed.contains(method) {
                    allowed.push(method);
                }
            }
        }
        allowed.join(", ")
    }
}

impl Entry {
    fn named(&self) -> Vec<&str> {
        match &self.methods {
            Some(methods) => methods.iter().map(String::as_str).collect(),
            None => USUAL.to_vec(),
        }
    }

    fn lists(&self, method: &str) -> bool {
        let takes = |one: &String| one == method || (one == "GET" && method == "HEAD");
        match &self.methods {
            Some(methods) => methods.iter().any(takes),
            None => !matches!(method, "TRACE" | "CONNECT"),
        }
    }
}
