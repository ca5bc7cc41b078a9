//! An accumulating reader over a [`Tree`].
//!
//! A reader is a function `fn(Node) -> Option<T>`: `None` means that a mistake was recorded (or that
//! the value hangs on a variable that is not known yet), and reading goes on with the next key. Fields
//! are read first and unwrapped with `?` at the very end, so that each of them gets its say.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use super::hints::{did_you_mean, quoted, shown_key};
use super::schema::Key;
use super::section::Section;
use super::{Invalid, Tree, Variable};

/// One reading of one document: what was found wrong, and what `{ env: … }` stands for.
pub(crate) struct Reading<'v> {
    /// `None` while `vigile check` reads a policy without its secrets.
    environment: Option<&'v BTreeMap<String, String>>,
    mistakes: RefCell<Vec<Invalid>>,
    /// Things that are passed over, and that the author should know of.
    notes: RefCell<Vec<Invalid>>,
    variables: RefCell<Vec<Variable>>,
    steps: RefCell<Vec<Step>>,
    /// Which keys of the schema were asked for, where anybody wants to know.
    asked: Option<RefCell<BTreeSet<Key>>>,
}

impl<'v> Reading<'v> {
    pub(crate) fn new(environment: Option<&'v BTreeMap<String, String>>) -> Self {
        Self {
            environment,
            mistakes: RefCell::default(),
            notes: RefCell::default(),
            variables: RefCell::default(),
            steps: RefCell::default(),
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
        Node { tree, place: ROOT, reading: self, spare: None }
    }

    /// The place of a new step.
    fn step(&self, step: Step) -> usize {
        let mut steps = self.steps.borrow_mut();
        steps.push(step);
        steps.len()
    }

    fn path(&self, place: usize) -> String {
        let steps = self.steps.borrow();
        match place.checked_sub(1).and_then(|at| steps.get(at)) {
            None => String::new(),
            Some(Step::Key(parent, key) | Step::Own(parent, key)) => {
                joined(&self.path(*parent), &shown_key(key))
            }
            Some(Step::Index(parent, index)) => format!("{}[{index}]", self.path(*parent)),
        }
    }

    /// The place in the schema: the same for every item of a list, and for every key of the author's own.
    fn in_schema(&self, place: usize) -> String {
        let steps = self.steps.borrow();
        match place.checked_sub(1).and_then(|at| steps.get(at)) {
            None => String::new(),
            Some(Step::Key(parent, key)) => joined(&self.in_schema(*parent), key),
            Some(Step::Own(parent, _)) => joined(&self.in_schema(*parent), "*"),
            Some(Step::Index(parent, _)) => format!("{}[]", self.in_schema(*parent)),
        }
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

    pub(crate) fn finish(self) -> Finished {
        Finished {
            mistakes: self.mistakes.into_inner(),
            notes: self.notes.into_inner(),
            variables: self.variables.into_inner(),
        }
    }

    pub(crate) fn account(self) -> BTreeSet<Key> {
        self.asked.map(RefCell::into_inner).unwrap_or_default()
    }
}

/// Everything that a reading found, beside the values.
pub(crate) struct Finished {
    pub(crate) mistakes: Vec<Invalid>,
    pub(crate) notes: Vec<Invalid>,
    pub(crate) variables: Vec<Variable>,
}

/// A step to where a value stands, from the place at this index; written out only when something is wrong
/// there. All steps of a reading stand in one list, so that a node holds nothing that must be dropped.
enum Step {
    Key(usize, Box<str>),
    /// A key that the author chose: a header's name, a claim's.
    Own(usize, Box<str>),
    Index(usize, usize),
}

/// The document itself; the first step is at 1.
const ROOT: usize = 0;

/// All of them, where none is wrong; each is read.
pub(crate) fn all<T>(read: impl Iterator<Item = Option<T>>) -> Option<Vec<T>> {
    let (mut all, mut sound) = (Vec::new(), true);
    for one in read {
        match one {
            Some(one) => all.push(one),
            None => sound = false,
        }
    }
    sound.then_some(all)
}

pub(super) fn joined(parent: &str, key: &str) -> String {
    if parent.is_empty() { key.to_owned() } else { format!("{parent}.{key}") }
}

/// A value, where it stands, and the reading that it belongs to.
#[derive(Clone, Copy)]
pub(crate) struct Node<'t> {
    tree: &'t Tree,
    place: usize,
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
        self.reading.path(self.place)
    }

    pub(super) fn in_schema(&self) -> String {
        self.reading.in_schema(self.place)
    }

    /// Records a mistake and gives nothing.
    pub(crate) fn wrong<'p, T>(&self, problem: impl Into<Cow<'p, str>>) -> Option<T> {
        self.note(problem.into());
        None
    }

    /// Reads something that may be wrong without harm: what is wrong with it is given back, and no mistake.
    pub(crate) fn attempt<T>(&self, read: impl FnOnce() -> Option<T>) -> Result<T, Vec<Invalid>> {
        let before = self.reading.mistakes.borrow().len();
        let read = read();
        let mistakes = self.reading.mistakes.borrow_mut().split_off(before);
        read.filter(|_| mistakes.is_empty()).ok_or(mistakes)
    }

    /// Records something that is passed over, and that the author should know of.
    pub(crate) fn remark(&self, remark: String) {
        let note = Invalid { path: self.path(), problem: remark };
        self.reading.notes.borrow_mut().push(note);
    }

    /// One function for all kinds of `wrong`: hundreds of copies would stand in the module.
    #[cold]
    #[inline(never)]
    pub(super) fn note(&self, problem: Cow<'_, str>) {
        let invalid = Invalid { path: self.path(), problem: problem.into_owned() };
        self.reading.mistakes.borrow_mut().push(invalid);
    }

    /// Records that `wanted` was expected here. The value itself is not repeated: it may be a secret.
    pub(crate) fn expected<T>(&self, wanted: &str) -> Option<T> {
        let found = match self.tree {
            // A single word where there should be several is the usual slip.
            Tree::Text(_) if wanted.starts_with("a list") => "a string: put brackets around it",
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
            false => self.wrong(format!("{number} is not {wanted}")),
        }
    }

    /// One of a few words.
    pub(crate) fn word<T: Copy>(&self, words: &[(&str, T)]) -> Option<T> {
        let given = self.tree.as_text();
        if let Some((_, meaning)) = words.iter().find(|(word, _)| Some(*word) == given) {
            return Some(*meaning);
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.none_of(&known);
        None
    }

    #[cold]
    #[inline(never)]
    fn none_of(&self, known: &[&str]) -> Option<()> {
        match self.tree {
            Tree::Text(given) => self.wrong(format!(
                "{} is not known here{}",
                quoted(given),
                did_you_mean(given, known)
            )),
            _ => self.expected(&known.join(" or ")),
        }
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
        all(self.items(like)?.iter().map(read))
    }

    /// The same of a map whose keys are the author's own.
    pub(crate) fn each_entry<T>(
        &self,
        like: &str,
        read: impl Fn(&'t str, &Node<'t>) -> Option<T>,
    ) -> Option<Vec<T>> {
        all(self.entries(like)?.iter().map(|(key, node)| read(key, node)))
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
        let entries: Vec<(&str, Node<'_>)> =
            Tree::sorted(pairs).into_iter().map(|(key, tree)| (key, self.own(key, tree))).collect();
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

    /// A map of somebody else's, of which Vigile reads some keys: the others are passed over.
    pub(crate) fn open_section(&self, like: &str) -> Option<Section<'t>> {
        self.section(like).map(Section::opened)
    }

    fn item(&self, index: usize, tree: &'t Tree) -> Node<'t> {
        self.below(tree, Step::Index(self.place, index), Some("item"))
    }

    fn own(&self, key: &'t str, tree: &'t Tree) -> Node<'t> {
        let node = self.below(tree, Step::Own(self.place, key.into()), Some("key"));
        self.reading.asks(|| Key { path: node.in_schema(), required: false, given: true });
        node
    }

    pub(super) fn child(&self, key: &'t str, tree: &'t Tree, required: bool) -> Node<'t> {
        let spare = (!required).then_some("key");
        self.below(tree, Step::Key(self.place, key.into()), spare)
    }

    fn below(&self, tree: &'t Tree, step: Step, spare: Option<&'static str>) -> Node<'t> {
        Node { tree, place: self.reading.step(step), reading: self.reading, spare }
    }
}
