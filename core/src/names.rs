//! Names: numbers by name.

use std::collections::BTreeMap;

/// A number for each of many names.
///
/// The one map for whatever a policy has many of: each further type of keys or values would make the module some kilobytes
/// larger (docs/decisions/0022).
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<String, usize>);

impl Names {
    /// The number of a name.
    #[inline(never)]
    pub fn get(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }

    /// Gives a name a number, unless it has one: then that one is given back, and stays.
    #[inline(never)]
    pub fn add(&mut self, name: String, number: usize) -> Option<usize> {
        let entry = self.0.entry(name);
        let mut known = true;
        let kept = *entry.or_insert_with(|| {
            known = false;
            number
        });
        known.then_some(kept)
    }

    /// Tells that there is no name.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The names in their order.
    pub fn into_names(self) -> Vec<String> {
        self.0.into_keys().collect()
    }
}

impl<'n> FromIterator<&'n str> for Names {
    /// Numbers names by the place at which each first stood.
    fn from_iter<I: IntoIterator<Item = &'n str>>(all: I) -> Self {
        let mut names = Self::default();
        for (place, name) in all.into_iter().enumerate() {
            names.add(name.to_owned(), place);
        }
        names
    }
}
