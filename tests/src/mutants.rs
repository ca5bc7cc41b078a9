//! Good policies with one thing changed, everywhere.

use vigile_policy::Tree;

/// A changed policy and what was done to it.
pub struct Mutant {
    pub tree: Tree,
    /// `modules[0].hosts: null`.
    pub what: String,
    pub change: Change,
}

/// What was done.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// A value became another one.
    Value(Tree),
    /// A key and its value, or an item, went away.
    Removed,
    /// A key became another one.
    Renamed(String),
    /// A key stands twice.
    Doubled,
}

/// Every change of `values` at every place, and every other kind of change.
pub fn of(tree: &Tree, values: &[Tree]) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for path in paths(tree) {
        let changes = values.iter().cloned().map(Change::Value).chain([
            Change::Removed,
            Change::Renamed("unheard-of".into()),
            Change::Doubled,
        ]);
        for change in changes {
            if let Some(tree) = changed(tree, &path, &change) {
                mutants.push(Mutant {
                    tree,
                    what: format!("{}: {change:?}", shown(&path)),
                    change,
                });
            }
        }
    }
    mutants
}

/// A policy in which the value at the `at`-th place became `new`; places are counted round and round.
pub fn grafted(tree: &Tree, at: usize, new: Tree) -> Tree {
    let paths = paths(tree);
    let path = &paths[at % paths.len()];
    changed(tree, path, &Change::Value(new)).expect("a place of the tree")
}

/// The way to a value: the number of the pair, or of the item, at each level.
type Path = Vec<(String, usize)>;

fn shown(path: &Path) -> String {
    path.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(".")
}

fn paths(tree: &Tree) -> Vec<Path> {
    let children: Vec<(String, &Tree)> = match tree {
        Tree::Map(pairs) => pairs.iter().map(|(key, tree)| (key.clone(), tree)).collect(),
        Tree::List(items) => {
            items.iter().enumerate().map(|(at, tree)| (at.to_string(), tree)).collect()
        }
        _ => Vec::new(),
    };
    let mut all = Vec::new();
    for (at, (name, child)) in children.into_iter().enumerate() {
        all.push(vec![(name.clone(), at)]);
        let below = paths(child).into_iter();
        all.extend(below.map(|rest| [vec![(name.clone(), at)], rest].concat()));
    }
    all
}

fn changed(tree: &Tree, path: &[(String, usize)], change: &Change) -> Option<Tree> {
    let ((_, at), rest) = path.split_first()?;
    if !rest.is_empty() {
        return Some(match tree {
            Tree::Map(pairs) => {
                let mut pairs = pairs.clone();
                pairs[*at].1 = changed(&pairs[*at].1, rest, change)?;
                Tree::Map(pairs)
            }
            Tree::List(items) => {
                let mut items = items.clone();
                items[*at] = changed(&items[*at], rest, change)?;
                Tree::List(items)
            }
            _ => return None,
        });
    }
    match (tree, change) {
        (Tree::Map(pairs), change) => {
            let mut pairs = pairs.clone();
            match change {
                Change::Value(value) => pairs[*at].1 = value.clone(),
                Change::Removed => drop(pairs.remove(*at)),
                Change::Renamed(name) => pairs[*at].0 = name.clone(),
                Change::Doubled => pairs.push(pairs[*at].clone()),
            }
            Some(Tree::Map(pairs))
        }
        (Tree::List(items), change) => {
            let mut items = items.clone();
            match change {
                Change::Value(value) => items[*at] = value.clone(),
                Change::Removed => drop(items.remove(*at)),
                Change::Renamed(_) | Change::Doubled => return None,
            }
            Some(Tree::List(items))
        }
        _ => None,
    }
}
