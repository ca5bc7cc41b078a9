//! One page under two paths: many apps serve `/admin` as `/admin.json` (suffixes of formats: Django REST
//! Framework, Rails, Spring), as `/index.php/admin` (front controllers: PHP) and as `/sd/admin` (a `root_path`
//! that the app strips: FastAPI). Where a wider route takes these and asks for less, it opens the page.

use std::collections::BTreeSet;

use vigile_policy::{Pattern, Table};

use super::Finding;
use super::access::Access;
use crate::config::{Config, Node};
use crate::policy::{Policy, routes};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let modules = config.policies.iter().map(Policy::modules);
    modules.flat_map(|modules| modules.iter().flat_map(of_module).collect::<Vec<_>>()).collect()
}

fn of_module(module: &Node<'_>) -> Vec<Finding> {
    let module = Module::read(module);
    let narrow = module.items.iter().filter(|item| !item.access.is_open());
    narrow.filter_map(|item| module.judge(item)).collect()
}

/// The routes of a module, in the order in which they are asked.
struct Module<'p> {
    items: Vec<Item<'p>>,
    /// The patterns, each once, and the items that have it.
    table: Table,
    placed: Vec<(String, Vec<usize>)>,
    /// Patterns that guard another path of some page: these have no other paths themselves.
    guards: BTreeSet<String>,
    /// The beginning of all paths of the module, without its final slash.
    prefix: String,
}

/// A route as it is written.
struct Item<'p> {
    /// The place of its paths.
    node: Node<'p>,
    patterns: Vec<Pattern>,
    methods: Option<BTreeSet<String>>,
    access: Access,
}

impl<'p> Item<'p> {
    fn read(route: &Node<'p>) -> Option<Self> {
        let node = route.get("path").or_else(|| route.get("paths"))?;
        let items = std::iter::once(node.clone()).chain(node.items());
        let patterns = items.filter_map(|item| Pattern::parse(item.text()?).ok()).collect();
        let methods = route.get("methods");
        let methods = methods
            .map(|list| list.items().filter_map(|item| item.text().map(str::to_owned)).collect());
        Some(Self { node, patterns, methods, access: Access::of(route) })
    }

    /// Tells whether some method leads to both.
    fn meets(&self, other: &Self) -> bool {
        match (&self.methods, &other.methods) {
            (Some(own), Some(others)) => !own.is_disjoint(others),
            _ => true,
        }
    }
}

impl<'p> Module<'p> {
    fn read(module: &Node<'p>) -> Self {
        let items: Vec<Item<'p>> = routes(module).iter().filter_map(Item::read).collect();
        let (mut table, mut placed) = (Table::default(), Vec::<(String, Vec<usize>)>::new());
        let mut known = std::collections::BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            for pattern in &item.patterns {
                let place = *known.entry(pattern.as_str()).or_insert_with(|| {
                    placed.push((pattern.as_str().to_owned(), Vec::new()));
                    table.add(pattern)
                });
                if let Some((_, items)) = placed.get_mut(place) {
                    items.push(index);
                }
            }
        }
        let prefix = module.get("path_prefix").and_then(|prefix| prefix.text());
        let prefix = prefix.unwrap_or_default().trim_end_matches('/').to_owned();
        let patterns = items.iter().flat_map(|item| &item.patterns);
        let guards = patterns.flat_map(|pattern| aliases(pattern, &prefix));
        let guards = guards.map(|alias| alias.covered).collect();
        Self { items, table, placed, guards, prefix }
    }

    /// Warns where another path of the same page leads to a route that asks for less.
    fn judge(&self, item: &Item<'p>) -> Option<Finding> {
        let mut opened: Vec<(Alias, &str)> = Vec::new();
        let is_guard = |pattern: &&Pattern| self.guards.contains(pattern.as_str());
        for pattern in item.patterns.iter().filter(|pattern| !is_guard(pattern)) {
            let aliases = aliases(pattern, &self.prefix).into_iter();
            opened.extend(
                aliases.filter_map(|alias| Some((alias.clone(), self.opens(item, &alias)?))),
            );
        }
        let (first, wide) = opened.first()?;
        let mut missing: Vec<&str> = Vec::new();
        for (Alias { covered, .. }, _) in &opened {
            if !missing.contains(&covered.as_str()) {
                missing.push(covered);
            }
        }
        let problem = format!(
            "{} comes to {wide}, which asks for less, and many apps serve it as the page that is guarded here (formats such as .json, front controllers such as index.php, a root_path that the app strips). Guard these paths too ({}), or list what {wide} opens path by path",
            first.path,
            missing.join(", "),
        );
        Some(Finding::warning(&item.node, problem))
    }

    /// The route that takes an alias and asks for less, where it is meant for other paths.
    fn opens(&self, item: &Item<'p>, alias: &Alias) -> Option<&str> {
        let place = self.table.covering(&Pattern::parse(&alias.path).ok()?)?;
        let (pattern, items) = self.placed.get(place)?;
        // A front controller stands where the app does: at the root of the module, or of the wider route.
        let is_there = alias
            .base
            .as_ref()
            .is_none_or(|base| *base == self.prefix || pattern.strip_suffix("/**") == Some(base));
        let takes = items.iter().filter_map(|index| self.items.get(*index));
        let is_wider = |other: &Item<'p>| {
            let less = !other.access.implies(&item.access) && other.access != Access::Own;
            let narrow = item.access.is_narrow() || other.access.is_open();
            less && narrow && item.meets(other)
        };
        let mut takes = takes.filter(|other| is_wider(other));
        (is_there && takes.next().is_some()).then_some(pattern.as_str())
    }
}

/// Another path of the same page.
#[derive(Clone, Debug)]
struct Alias {
    /// An example.
    path: String,
    /// The pattern that would guard it and its like.
    covered: String,
    /// The path in front of a segment that was put in, where one was.
    base: Option<String>,
}

/// Other paths by which apps may serve what a pattern stands for.
fn aliases(pattern: &Pattern, prefix: &str) -> Vec<Alias> {
    let text = pattern.as_str();
    let (head, deep) = match text.strip_suffix("/**") {
        Some(head) => (head, "/**"),
        None => (text, ""),
    };
    // A suffix behind `*` is taken by it, and one behind a beginning (`/file=**`) as well.
    let last = head.rsplit('/').next().unwrap_or_default();
    let takes_suffix = !last.is_empty() && !last.contains('*');
    let example = format!("{head}{}", deep.replace("**", "x"));
    let mut found = Vec::new();
    if takes_suffix {
        found.push(Alias {
            path: format!("{head}.json"),
            covered: format!("{head}.*"),
            base: None,
        });
    }
    let literal = head.split('*').next().unwrap_or_default();
    let ends = literal.match_indices('/').map(|(at, _)| at);
    for base in ends.filter_map(|at| literal.get(..at)).filter(|base| base.starts_with(prefix)) {
        let rest = |of: &str| of.strip_prefix(base).map(str::to_owned);
        let put = |path: Option<String>, covered: Option<String>| {
            let (path, covered) = (path?, covered?);
            let path = format!("{base}/index.php{path}");
            Some(Alias { path, covered: format!("{base}/*{covered}"), base: Some(base.to_owned()) })
        };
        found.extend(put(rest(&example), rest(text)));
        if takes_suffix {
            let (path, covered) = (format!("{head}.json"), format!("{head}.*"));
            found.extend(put(rest(&path), rest(&covered)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Pattern, aliases};

    fn covered(pattern: &str, prefix: &str) -> Vec<String> {
        let pattern = Pattern::parse(pattern).unwrap();
        aliases(&pattern, prefix).into_iter().map(|alias| alias.covered).collect()
    }

    #[test]
    fn other_paths_of_a_page_are_found() {
        assert_eq!(covered("/admin/**", ""), ["/admin.*", "/*/admin/**", "/*/admin.*"]);
        assert_eq!(covered("/members", ""), ["/members.*", "/*/members", "/*/members.*"]);
        assert_eq!(covered("/users/*", ""), ["/*/users/*", "/users/*/*"]);
        assert_eq!(
            covered("/sd/admin/**", "/sd"),
            ["/sd/admin.*", "/sd/*/admin/**", "/sd/*/admin.*"]
        );
        assert_eq!(covered("/file=**", ""), ["/*/file=**"]);
        assert_eq!(covered("/**", ""), Vec::<String>::new());
    }
}
