//! An accumulating reader over a [`Tree`].
//!
//! A reader is a function `fn(Node) -> Option<T>`: `None` means that a mistake was recorded (or that
//! the value hangs on a variable that is not known yet), and reading goes on with the next key. Fields
//! are read first and unwrapped with `?` at the very end, so that each of them gets its say.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::hints::{did_you_mean, quoted, shown_key};
use super::schema::Key;
use super::section::Section;
use super::{Invalid, Tree, Variable};

/// One reading of one document: what was found wrong, and what `{ env: … }` stands for.
pub(crate) struct Reading<'v> {
    /// `None` while `vigile check` reads a policy without its secrets.
    environment: Option<&'v BTreeMap<String, String>>,
    mistakes: RefCell<Vec<Invalid>>,
    variables: RefCell<Vec<Variable>>,
    /// Which keys of the schema were asked for, where anybody wants to know.
    asked: Option<RefCell<BTreeSet<Key>>>,
}

impl<'v> Reading<'v> {
    pub(crate) fn new(environment: Option<&'v BTreeMap<String, String>>) -> Self {
        Self {
            environment,
            mistakes: RefCell::default(),
            variables: RefCell::default(),
            asked: None,
        }
    }

    /// A reading that keeps an account of the schema's keys.
    pub(crate) fn with_account(environment: &'v BTreeMap<String, String>) -> Self {
        Self { asked: Some(RefCell::default()), ..Self::new(Some(environment)) }
    }

    pub(crate) fn environment(&self) -> Option<&'v BTreeMap<String, String>> {
        self.environment
    }

    pub(crate) fn root<'t>(&'t self, tree: &'t Tree) -> Node<'t> {
        Node { tree, path: Rc::new(Path::Root), reading: self, spare: None }
    }

    pub(crate) fn saw(&self, variable: Variable) {
        self.variables.borrow_mut().push(variable);
    }

    /// Takes a mistake back that another one explains better.
    pub(super) fn forget(&self, mistake: &Invalid) {
        self.mistakes.borrow_mut().retain(|known| known != mistake);
    }

    /// Notes a key of the schema; a load keeps no account, and so pays for none.
    pub(super) fn asks(&self, key: impl FnOnce() -> Key) {
        if let Some(asked) = &self.asked {
            asked.borrow_mut().insert(key());
        }
    }

    pub(crate) fn finish(self) -> (Vec<Invalid>, Vec<Variable>) {
        (self.mistakes.into_inner(), self.variables.into_inner())
    }

    pub(crate) fn account(self) -> BTreeSet<Key> {
        self.asked.map(RefCell::into_inner).unwrap_or_default()
    }
}

/// Where a value stands, written out only when something is wrong with it.
enum Path<'t> {
    Root,
    Key(Rc<Path<'t>>, &'t str),
    /// A key that the author chose: a header's name, a claim's.
    Own(Rc<Path<'t>>, &'t str),
    Index(Rc<Path<'t>>, usize),
}

impl Path<'_> {
    fn text(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Key(parent, key) | Self::Own(parent, key) => {
                joined(&parent.text(), &shown_key(key))
            }
            Self::Index(parent, index) => format!("{}[{index}]", parent.text()),
        }
    }

    /// The place in the schema: the same for every item of a list, and for every key of the author's own.
    fn in_schema(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Key(parent, key) => joined(&parent.in_schema(), key),
            Self::Own(parent, _) => joined(&parent.in_schema(), "*"),
            Self::Index(parent, _) => format!("{}[]", parent.in_schema()),
        }
    }
}

pub(super) fn joined(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

/// A value, where it stands, and the reading that it belongs to.
#[derive(Clone)]
pub(crate) struct Node<'t> {
    tree: &'t Tree,
    path: Rc<Path<'t>>,
    reading: &'t Reading<'t>,
    /// What may as well be left out: `key` or `item`.
    spare: Option<&'static str>,
}

impl<'t> Node<'t> {
    pub(crate) fn tree(&self) -> &'t Tree {
        self.tree
    }

    pub(crate) fn reading(&self) -> &'t Reading<'t> {
        self.reading
    }

    pub(crate) fn path(&self) -> String {
        self.path.text()
    }

    pub(super) fn in_schema(&self) -> String {
        self.path.in_schema()
    }

    /// Records a mistake and gives nothing.
    pub(crate) fn wrong<T>(&self, problem: impl Into<String>) -> Option<T> {
        self.note(problem.into());
        None
    }

    /// One function for all kinds of `wrong`: hundreds of copies would stand in the module.
    #[cold]
    #[inline(never)]
    pub(super) fn note(&self, problem: String) {
        let invalid = Invalid { path: self.path(), problem };
        self.reading.mistakes.borrow_mut().push(invalid);
    }

    /// Records that `wanted` was expected here. The value itself is not repeated: it may be a secret.
    pub(crate) fn expected<T>(&self, wanted: &str) -> Option<T> {
        let found = match self.tree {
            Tree::Null => {
                return self
                    .wrong(format!("null says nothing: write {wanted}{}", self.or_leave_out()));
            }
            tree if tree.get("env").is_some() && !wanted.contains("env") => {
                "{ env: … }, which cannot stand here"
            }
            tree => tree.kind(),
        };
        self.wrong(format!("expected {wanted}, found {found}"))
    }

    fn or_leave_out(&self) -> String {
        self.spare.map(|spare| format!(", or leave the {spare} out")).unwrap_or_default()
    }

    pub(crate) fn string(&self) -> Option<&'t str> {
        match self.tree {
            Tree::Text(text) => Some(text),
            Tree::Flag(_) | Tree::Number(_) => self.expected("a string (put quotes around it)"),
            _ => self.expected("a string"),
        }
    }

    pub(crate) fn flag(&self) -> Option<bool> {
        match self.tree {
            Tree::Flag(flag) => Some(*flag),
            _ => self.expected("true or false"),
        }
    }

    /// `true` and nothing else: for keys that say something by being there.
    pub(crate) fn only_true(&self) -> Option<()> {
        match self.tree {
            Tree::Flag(true) => Some(()),
            Tree::Flag(false) => {
                self.wrong("only true means something here: leave the key out instead")
            }
            _ => self.expected("true"),
        }
    }

    /// A whole number from `least` to `most`.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        reason = "`as` saturates, and what it changed is refused"
    )]
    pub(crate) fn whole_number(&self, least: u32, most: u32) -> Option<u32> {
        let wanted = format!("a whole number from {least} to {most}");
        let Tree::Number(number) = self.tree else { return self.expected(&wanted) };
        let whole = *number as u32;
        match f64::from(whole) == *number && (least..=most).contains(&whole) {
            true => Some(whole),
            false => self.wrong(format!("expected {wanted}")),
        }
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let all = words.iter().map(|(word, _)| *word);
        let Tree::Text(given) = self.tree else {
            return self.expected(&all.collect::<Vec<_>>().join(" or "));
        };
        let known = words.iter().find(|(word, _)| *word == given);
        known.map(|(_, meaning)| *meaning).or_else(|| {
            self.wrong(format!("{} is not known here{}", quoted(given), did_you_mean(given, all)))
        })
    }

    /// The items of a list that has some, `like` this one.
    pub(crate) fn items(&self, like: &str) -> Option<Vec<Node<'t>>> {
        match self.tree {
            Tree::List(items) if items.is_empty() => self.wrong(format!(
                "an empty list admits nothing and refuses nothing: name something{}",
                self.or_leave_out()
            )),
            Tree::List(items) => {
                Some(items.iter().enumerate().map(|(i, item)| self.item(i, item)).collect())
            }
            _ => self.expected(&format!("a list such as {like}")),
        }
    }

    /// Every item of a list that has some, each read by `read`; all of them are read.
    pub(crate) fn each<T>(
        &self,
        like: &str,
        read: impl Fn(&Node<'t>) -> Option<T>,
    ) -> Option<Vec<T>> {
        let read: Vec<Option<T>> = self.items(like)?.iter().map(read).collect();
        read.into_iter().collect()
    }

    /// The pairs of a map whose keys are the author's own: header names, claims. Sorted, as a Struct's
    /// are, so that no encoding of a policy means something else.
    pub(crate) fn entries(&self, like: &str) -> Option<Vec<(&'t str, Node<'t>)>> {
        let Tree::Map(pairs) = self.tree else {
            return self.expected(&format!("a map such as {like}"));
        };
        if pairs.is_empty() {
            return self.wrong(format!(
                "an empty map says nothing: name something{}",
                self.or_leave_out()
            ));
        }
        let mut entries: Vec<(&str, Node<'_>)> =
            pairs.iter().map(|(key, tree)| (key.as_str(), self.own(key, tree))).collect();
        entries.sort_by_key(|(key, _)| *key);
        let again =
            entries.iter().zip(entries.iter().skip(1)).filter(|(one, next)| one.0 == next.0);
        let twice: Vec<Option<()>> =
            again.map(|(_, (_, node))| node.wrong("this key stands twice")).collect();
        twice.is_empty().then_some(entries)
    }

    /// A map whose keys are Vigile's.
    pub(crate) fn section(&self, like: &str) -> Option<Section<'t>> {
        match self.tree {
            Tree::Map(pairs) => Some(Section::of(self, pairs)),
            _ => self.expected(&format!("a map such as {like}")),
        }
    }

    fn item(&self, index: usize, tree: &'t Tree) -> Node<'t> {
        self.below(tree, Path::Index(self.path.clone(), index), Some("item"))
    }

    fn own(&self, key: &'t str, tree: &'t Tree) -> Node<'t> {
        let node = self.below(tree, Path::Own(self.path.clone(), key), Some("key"));
        self.reading.asks(|| Key { path: node.in_schema(), required: false, given: true });
        node
    }

    pub(super) fn child(&self, key: &'t str, tree: &'t Tree, required: bool) -> Node<'t> {
        let spare = (!required).then_some("key");
        self.below(tree, Path::Key(self.path.clone(), key), spare)
    }

    fn below(&self, tree: &'t Tree, path: Path<'t>, spare: Option<&'static str>) -> Node<'t> {
        Node { tree, path: Rc::new(path), reading: self.reading, spare }
    }
}
