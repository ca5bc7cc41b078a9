//! An accumulating reader over a [`Tree`].
//!
//! A reader is a function `fn(Node) -> Option<T>`: `None` means that a mistake was recorded (or that
//! the value hangs on a variable that is not known yet), and reading goes on with the next key. Fields
//! are read first and unwrapped with `?` at the very end, so that each of them gets its say.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Invalid, Tree, Variable};

/// One reading of one document: what was found wrong, and what `{ env: … }` stands for.
pub(crate) struct Reading<'v> {
    /// `None` while `vigile check` reads a policy without its secrets.
    environment: Option<&'v BTreeMap<String, String>>,
    mistakes: RefCell<Vec<Invalid>>,
    variables: RefCell<Vec<Variable>>,
}

impl<'v> Reading<'v> {
    pub(crate) fn new(environment: Option<&'v BTreeMap<String, String>>) -> Self {
        Self { environment, mistakes: RefCell::default(), variables: RefCell::default() }
    }

    pub(crate) fn environment(&self) -> Option<&'v BTreeMap<String, String>> {
        self.environment
    }

    pub(crate) fn root<'t>(&'t self, tree: &'t Tree) -> Node<'t> {
        Node { tree, path: Rc::new(Path::Root), reading: self }
    }

    pub(crate) fn saw(&self, variable: Variable) {
        self.variables.borrow_mut().push(variable);
    }

    pub(crate) fn finish(self) -> (Vec<Invalid>, Vec<Variable>) {
        (self.mistakes.into_inner(), self.variables.into_inner())
    }
}

/// Where a value stands, written out only when something is wrong with it.
enum Path<'t> {
    Root,
    Key(Rc<Path<'t>>, &'t str),
    Index(Rc<Path<'t>>, usize),
}

impl Path<'_> {
    fn text(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Key(parent, key) => match parent.text() {
                parent if parent.is_empty() => (*key).to_owned(),
                parent => format!("{parent}.{key}"),
            },
            Self::Index(parent, index) => format!("{}[{index}]", parent.text()),
        }
    }
}

/// A value, where it stands, and the reading that it belongs to.
#[derive(Clone)]
pub(crate) struct Node<'t> {
    tree: &'t Tree,
    path: Rc<Path<'t>>,
    reading: &'t Reading<'t>,
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

    /// Records a mistake and gives nothing.
    pub(crate) fn wrong<T>(&self, problem: impl Into<String>) -> Option<T> {
        let invalid = Invalid { path: self.path(), problem: problem.into() };
        self.reading.mistakes.borrow_mut().push(invalid);
        None
    }

    /// Records that `wanted` was expected here. The value itself is not repeated: it may be a secret.
    pub(crate) fn expected<T>(&self, wanted: &str) -> Option<T> {
        match self.tree {
            Tree::Null => self.wrong(format!(
                "null says nothing: leave the key out, or write {wanted} (false switches a thing off)"
            )),
            tree => self.wrong(format!("expected {wanted}, found {}", tree.kind())),
        }
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

    pub(crate) fn is_false(&self) -> bool {
        matches!(self.tree, Tree::Flag(false))
    }

    /// A whole number from `least` to `most`.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::float_cmp,
        reason = "`as` saturates, and what it changed is refused"
    )]
    pub(crate) fn whole_number(&self, least: u32, most: u32) -> Option<u32> {
        let Tree::Number(number) = self.tree else { return self.expected("a whole number") };
        let whole = *number as u32;
        match f64::from(whole) == *number && (least..=most).contains(&whole) {
            true => Some(whole),
            false => self.wrong(format!("expected a whole number from {least} to {most}")),
        }
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let given = self.string()?;
        let known = words.iter().find(|(word, _)| *word == given);
        known.map(|(_, meaning)| *meaning).or_else(|| {
            let words = words.iter().map(|(word, _)| *word);
            self.wrong(format!("{} is not known here{}", quoted(given), did_you_mean(given, words)))
        })
    }

    /// The items of a list that has some.
    pub(crate) fn items(&self) -> Option<Vec<Node<'t>>> {
        match self.tree {
            Tree::List(items) if items.is_empty() => {
                self.wrong("an empty list admits nothing and refuses nothing: name something, or leave the key out")
            }
            Tree::List(items) => Some(items.iter().enumerate().map(|(i, item)| self.item(i, item)).collect()),
            _ => self.expected("a list"),
        }
    }

    /// Every item of a list that has some, each read by `read`; all of them are read.
    pub(crate) fn each<T>(&self, read: impl Fn(&Node<'t>) -> Option<T>) -> Option<Vec<T>> {
        let read: Vec<Option<T>> = self.items()?.iter().map(read).collect();
        read.into_iter().collect()
    }

    /// The pairs of a map whose keys are the author's own: header names, claims.
    pub(crate) fn entries(&self) -> Option<Vec<(&'t str, Node<'t>)>> {
        match self.tree {
            Tree::Map(pairs) if pairs.is_empty() => {
                self.wrong("an empty map says nothing: leave the key out")
            }
            Tree::Map(pairs) => Some(
                pairs.iter().map(|(key, tree)| (key.as_str(), self.child(key, tree))).collect(),
            ),
            _ => self.expected("a map"),
        }
    }

    /// A map whose keys are Vigile's.
    pub(crate) fn section(&self) -> Option<Section<'t>> {
        match self.tree {
            Tree::Map(pairs) => {
                Some(Section { node: self.clone(), pairs, asked: RefCell::default() })
            }
            _ => self.expected("a map"),
        }
    }

    fn item(&self, index: usize, tree: &'t Tree) -> Node<'t> {
        Node { tree, path: Rc::new(Path::Index(self.path.clone(), index)), reading: self.reading }
    }

    fn child(&self, key: &'t str, tree: &'t Tree) -> Node<'t> {
        Node { tree, path: Rc::new(Path::Key(self.path.clone(), key)), reading: self.reading }
    }
}

/// A map that is being read key by key. What nobody asked for is reported when it goes out of scope,
/// so that no reader can forget to.
pub(crate) struct Section<'t> {
    node: Node<'t>,
    pairs: &'t [(String, Tree)],
    asked: RefCell<Vec<&'static str>>,
}

impl<'t> Section<'t> {
    pub(crate) fn node(&self) -> &Node<'t> {
        &self.node
    }

    /// The value under `key`, where there is one.
    pub(crate) fn take(&self, key: &'static str) -> Option<Node<'t>> {
        self.asked.borrow_mut().push(key);
        let (key, tree) = self.pairs.iter().find(|(name, _)| name == key)?;
        Some(self.node.child(key, tree))
    }

    /// What stands under `key`, without asking for it.
    pub(crate) fn peek(&self, key: &str) -> Option<&'t Tree> {
        self.node.tree.get(key)
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.peek(key).is_some()
    }

    /// A key that must be there.
    pub(crate) fn required<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Node<'t>) -> Option<T>,
    ) -> Option<T> {
        match self.take(key) {
            Some(node) => read(&node),
            None => self.node.wrong(format!("{key} is required")),
        }
    }

    /// A key that may be left out: `Some(None)`.
    pub(crate) fn optional<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Node<'t>) -> Option<T>,
    ) -> Option<Option<T>> {
        match self.take(key) {
            Some(node) => read(&node).map(Some),
            None => Some(None),
        }
    }

    /// A key that stands for `default` when it is left out.
    pub(crate) fn or<T>(
        &self,
        key: &'static str,
        default: T,
        read: impl FnOnce(&Node<'t>) -> Option<T>,
    ) -> Option<T> {
        self.optional(key, read).map(|read| read.unwrap_or(default))
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        let asked = self.asked.borrow();
        for (at, (key, tree)) in self.pairs.iter().enumerate() {
            let node = self.node.child(key, tree);
            if !asked.contains(&key.as_str()) {
                let known = asked.iter().copied();
                let _: Option<()> =
                    node.wrong(format!("there is no such key{}", did_you_mean(key, known)));
            } else if self.pairs.iter().take(at).any(|(earlier, _)| earlier == key) {
                let _: Option<()> = node.wrong("this key stands twice");
            }
        }
    }
}

/// `; did you mean "issuer"?` where one is near, else `; known: a, b`.
pub(crate) fn did_you_mean<'k>(
    given: &str,
    known: impl Iterator<Item = &'k str> + Clone,
) -> String {
    let given = given.to_ascii_lowercase();
    let distance = |word: &str| strsim::osa_distance(&given, &word.to_ascii_lowercase());
    let nearest = known.clone().map(|word| (distance(word), word)).min();
    match nearest {
        Some((distance, word)) if distance <= 2.min(word.len() / 2) => {
            format!("; did you mean {}?", quoted(word))
        }
        _ => match known.collect::<Vec<_>>() {
            known if known.is_empty() => String::new(),
            known => format!("; known: {}", known.join(", ")),
        },
    }
}

/// What an author wrote, in quotes, cut where it grows long: it may be a key put in the wrong place.
pub(crate) fn quoted(given: &str) -> String {
    const MOST: usize = 40;
    match given.char_indices().nth(MOST) {
        None => format!("{given:?}"),
        Some((end, _)) => format!("{:?}…", given.get(..end).unwrap_or_default()),
    }
}
