//! Table: the patterns of many routes, found by a path without a walk over all of them.

use super::Case;
use super::pattern::{Pattern, segment_matches, without_final_slash};
use crate::names::Names;

/// Patterns in the order in which they were added; each is known by its place in it.
#[derive(Debug, Default)]
pub struct Table {
    count: usize,
    kept: Tree,
    /// The patterns in small letters, where any of them has a capital.
    folded: Option<Tree>,
}

/// Patterns, segment by segment.
#[derive(Clone, Debug)]
struct Tree(Vec<Branch>);

/// The way in which patterns are looked for.
#[derive(Clone, Copy)]
struct Look {
    /// Patterns that end with the path count.
    ends: bool,
    /// `*` takes an empty segment.
    empty: bool,
}

impl Look {
    const PATH: Self = Self { ends: true, empty: false };
}

/// The branch at which every path begins.
const ROOT: usize = 0;

/// The things that may follow a path's beginning.
#[derive(Clone, Debug, Default)]
struct Branch {
    /// The branches behind segments without `*`.
    plain: Names,
    /// The branch behind `*`.
    star: Option<usize>,
    /// The branches behind segments with a `*` in them.
    globs: Vec<(Box<[u8]>, usize)>,
    /// The patterns that end here.
    ends: Vec<usize>,
    /// The patterns whose `**` stands in the next segment, behind such a beginning of it.
    open: Vec<(Box<[u8]>, usize)>,
}

impl Default for Tree {
    fn default() -> Self {
        Self(vec![Branch::default()])
    }
}

impl Table {
    /// Adds a pattern, and gives its place.
    pub fn add(&mut self, pattern: &Pattern) -> usize {
        let (place, text) = (self.count, pattern.as_str());
        if self.folded.is_none() && pattern.has_capitals() {
            self.folded = Some(self.kept.clone());
        }
        self.kept.add(text.as_bytes(), place);
        if let Some(folded) = &mut self.folded {
            folded.add(text.to_ascii_lowercase().as_bytes(), place);
        }
        self.count = place.saturating_add(1);
        place
    }

    /// The place of the first pattern that covers this one ([`Pattern::covers`]).
    pub fn covering(&self, pattern: &Pattern) -> Option<usize> {
        let mut first = None;
        let mut found = |place| first = Some(earlier(first, place));
        match pattern.as_str().strip_suffix("**") {
            Some(stem) => {
                let look = Look { ends: false, ..Look::PATH };
                self.kept.visit(ROOT, Some(stem.as_bytes()), look, &mut found);
            }
            None => {
                self.kept.visit(ROOT, Some(pattern.as_str().as_bytes()), Look::PATH, &mut found);
            }
        }
        first
    }

    /// The place of the first pattern that matches `path`.
    pub(crate) fn first(&self, path: &[u8], case: Case) -> Option<usize> {
        let mut first = None;
        self.each(path, case, &mut |place| first = Some(earlier(first, place)));
        first
    }

    /// Shows the place of every pattern that matches `path`, in no order, and some of them twice.
    pub(crate) fn each(&self, path: &[u8], case: Case, found: &mut dyn FnMut(usize)) {
        self.folded(without_final_slash(path), case, Look::PATH, found);
    }

    /// Shows the place of every pattern that matches `path` to a router whose parameters may be empty (Fastify, Falcon),
    /// letter case aside: a `*` that is a whole segment takes an empty one, the one behind a final slash too.
    pub(crate) fn each_taking_empty(&self, path: &[u8], found: &mut dyn FnMut(usize)) {
        self.folded(path, Case::Folded, Look { empty: true, ..Look::PATH }, found);
    }

    fn folded(&self, path: &[u8], case: Case, look: Look, found: &mut dyn FnMut(usize)) {
        let small = match case {
            Case::Folded if path.iter().any(u8::is_ascii_uppercase) => path.to_ascii_lowercase(),
            _ => return self.tree(case).visit(ROOT, Some(path), look, found),
        };
        self.tree(case).visit(ROOT, Some(&small), look, found);
    }

    /// Tells that no pattern has a capital letter.
    pub(crate) fn is_caseless(&self) -> bool {
        self.folded.is_none()
    }

    fn tree(&self, case: Case) -> &Tree {
        match (case, &self.folded) {
            (Case::Folded, Some(folded)) => folded,
            _ => &self.kept,
        }
    }
}

fn earlier(first: Option<usize>, place: usize) -> usize {
    first.map_or(place, |first| first.min(place))
}

impl Tree {
    fn add(&mut self, pattern: &[u8], place: usize) {
        let Some(stem) = pattern.strip_suffix(b"**") else {
            let branch = self.below(Some(pattern));
            return self.change(branch, |branch| branch.ends.push(place));
        };
        let last = stem.iter().rposition(|byte| *byte == b'/');
        let (before, open) = match last.and_then(|at| stem.split_at_checked(at)) {
            Some((before, [_, open @ ..])) => (Some(before), open),
            _ => (None, stem),
        };
        let branch = self.below(before);
        self.change(branch, |branch| {
            branch.open.push((open.into(), place));
            if open.is_empty() {
                branch.ends.push(place);
            }
        });
    }

    fn change(&mut self, branch: usize, change: impl FnOnce(&mut Branch)) {
        if let Some(branch) = self.0.get_mut(branch) {
            change(branch);
        }
    }

    /// The branch behind some segments, which is made where there is none.
    fn below(&mut self, segments: Option<&[u8]>) -> usize {
        let segments = segments.into_iter().flat_map(|all| all.split(|byte| *byte == b'/'));
        segments.fold(ROOT, |branch, segment| {
            let next = self.0.len();
            let below = self.0.get_mut(branch).map_or(next, |branch| branch.add(segment, next));
            if below == next {
                self.0.push(Branch::default());
            }
            below
        })
    }

    /// Shows what matches the rest of a path from a branch on. Each branch is entered once at most, since the segments
    /// before it lead to it in one way.
    fn visit(&self, branch: usize, rest: Option<&[u8]>, look: Look, found: &mut dyn FnMut(usize)) {
        let Some(branch) = self.0.get(branch) else { return };
        let Some(rest) = rest else {
            if look.ends {
                branch.ends.iter().for_each(|place| found(*place));
            }
            return;
        };
        let at = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        let (segment, behind) = rest.split_at_checked(at).unwrap_or((rest, &[]));
        let behind = behind.split_first().map(|(_, behind)| behind);
        for (beginning, place) in &branch.open {
            if segment_matches(beginning, segment, true, Case::Kept) {
                found(*place);
            }
        }
        let plain = std::str::from_utf8(segment).ok().and_then(|name| branch.plain.get(name));
        let star = branch.star.filter(|_| look.empty || !segment.is_empty());
        let fits = |glob: &[u8]| segment_matches(glob, segment, false, Case::Kept);
        let globs = branch.globs.iter().filter(|(glob, _)| fits(glob)).map(|(_, below)| *below);
        for below in plain.into_iter().chain(star).chain(globs) {
            self.visit(below, behind, look, found);
        }
    }
}

impl Branch {
    /// The branch behind a segment: `next`, where there is none.
    fn add(&mut self, segment: &[u8], next: usize) -> usize {
        match segment {
            b"*" => *self.star.get_or_insert(next),
            glob if glob.contains(&b'*') => {
                if let Some((_, below)) = self.globs.iter().find(|(known, _)| **known == *glob) {
                    return *below;
                }
                self.globs.push((glob.into(), next));
                next
            }
            plain => {
                let name = String::from_utf8_lossy(plain).into_owned();
                self.plain.add(name, next).unwrap_or(next)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, Table};

    #[test]
    fn a_parameter_may_be_empty() {
        let takes = |pattern: &str, path: &str| {
            let mut table = Table::default();
            let pattern = Pattern::parse(pattern).unwrap();
            table.add(&pattern);
            let mut found = false;
            table.each_taking_empty(path.as_bytes(), &mut |_| found = true);
            pattern.has_parameter() && found
        };
        assert!(takes("/users/*", "/users/") && takes("/tools/*/run", "/Tools//run"));
        assert!(
            takes("/a/*/**", "/a//b") && !takes("/**", "/users/") && !takes("/users/*", "/users")
        );
        assert!(!takes("/v*", "/v/") && !takes("/users/*", "/users//x"));
    }
}
