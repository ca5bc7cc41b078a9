//! A map whose keys are Vigile's, read key by key.

use std::borrow::Cow;
use std::cell::RefCell;

use super::hints::{did_you_mean, nearest};
use super::reader::{Node, joined};
use super::schema::{Key, OF_A_VARIABLE, VARIABLE};
use super::{Invalid, Tree};

/// A map that is being read. What nobody asked for is reported when it goes out of scope, so that no
/// reader can forget to.
pub(crate) struct Section<'t> {
    node: Node<'t>,
    pairs: &'t [(String, Tree)],
    asked: RefCell<Vec<&'static str>>,
    /// Other keys may stand beside those that are asked for.
    open: bool,
    /// What was said of keys that are not there.
    lacking: RefCell<Vec<(Vec<&'static str>, Invalid)>>,
}

impl<'t> Section<'t> {
    pub(super) fn of(node: &Node<'t>, pairs: &'t [(String, Tree)]) -> Self {
        let (asked, lacking) = Default::default();
        Self { node: *node, pairs, asked, open: false, lacking }
    }

    pub(super) fn opened(mut self) -> Self {
        self.open = true;
        self
    }

    pub(crate) fn node(&self) -> &Node<'t> {
        &self.node
    }

    /// The value under `key`, where there is one.
    pub(crate) fn take(&self, key: &'static str) -> Option<Node<'t>> {
        self.find(key, false)
    }

    #[inline(never)]
    fn find(&self, key: &'static str, required: bool) -> Option<Node<'t>> {
        let known = self.asked.borrow().contains(&key);
        if !known {
            self.asked.borrow_mut().push(key);
        }
        let found = self.pairs.iter().find(|(name, _)| name == key);
        self.node.reading().asks(|| Key {
            path: self.in_schema(key),
            required,
            given: found.is_some(),
        });
        let (key, tree) = found?;
        Some(self.node.child(key, tree, required))
    }

    fn in_schema(&self, key: &str) -> String {
        match OF_A_VARIABLE.contains(&key) {
            true => format!("{VARIABLE}.{key}"),
            false => joined(&self.node.in_schema(), key),
        }
    }

    /// What stands under `key`, without asking for it.
    pub(crate) fn peek(&self, key: &str) -> Option<&'t Tree> {
        self.node.tree().get(key)
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
        match self.find(key, true) {
            Some(node) => read(&node),
            None => self.lacks(&[key], format!("{key} is required")),
        }
    }

    /// Records that one of `keys` should be here. Where one of them is misspelt, that is said instead.
    pub(crate) fn lacks<T>(
        &self,
        keys: &[&'static str],
        problem: impl Into<Cow<'static, str>>,
    ) -> Option<T> {
        self.note(keys, problem.into());
        None
    }

    #[cold]
    #[inline(never)]
    fn note(&self, keys: &[&'static str], problem: Cow<'_, str>) {
        let invalid = Invalid { path: self.node.path(), problem: problem.into_owned() };
        self.lacking.borrow_mut().push((keys.to_vec(), invalid.clone()));
        self.node.note(invalid.problem.into());
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
        for (at, (key, tree)) in self.pairs.iter().enumerate() {
            let known = self.asked.borrow().contains(&key.as_str());
            let again = self.pairs.iter().take(at).any(|(earlier, _)| earlier == key);
            let child = || self.node.child(key, tree, false);
            let _: Option<()> = match (known, again) {
                (true, true) => child().wrong("this key stands twice"),
                (false, true) if self.open => child().wrong("this key stands twice"),
                (true, false) => continue,
                (false, _) if self.open => {
                    child().remark("this member is passed over: Vigile does not know it".into());
                    continue;
                }
                (false, _) => child().wrong(self.unknown(key)),
            };
        }
    }
}

impl Section<'_> {
    /// What is said of a key that nobody asked for.
    fn unknown(&self, key: &str) -> String {
        let asked = self.asked.borrow();
        if let Some(meant) = nearest(key, &asked) {
            let lacking = self.lacking.borrow();
            let explained = lacking.iter().filter(|(keys, _)| keys.contains(&meant));
            explained.for_each(|(_, mistake)| self.node.reading().forget(mistake));
        }
        match key.contains(':') {
            true => "there is no such key: does a space lack behind the colon?".to_owned(),
            false => format!("there is no such key{}", did_you_mean(key, &asked)),
        }
    }
}
