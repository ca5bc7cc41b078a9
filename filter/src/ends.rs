//! Streams that end with the token or the key that let them in (`close_at_exp`), by the first of them.
//!
//! One entry for each open stream of such a route, from the decision to the stream's end: Envoy bounds how many there are.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use vigile_policy::{Decision, End, ResponsePlan, UnixTime};

/// The streams of this worker that have an end, by when it comes and then by their contexts.
#[derive(Default)]
pub(crate) struct Ends(RefCell<BTreeMap<(UnixTime, u32), Ending>>);

struct Ending {
    end: End,
    watched: Rc<Watched>,
}

/// What a stream and its end know of each other.
#[derive(Default)]
pub(crate) struct Watched {
    /// The answer is on its way: no other one can be given.
    pub(crate) answering: Cell<bool>,
    /// What becomes of the answer that the end gives.
    pub(crate) response: RefCell<Option<ResponsePlan>>,
}

/// A stream whose end has come.
pub(crate) struct Due {
    pub(crate) context: u32,
    pub(crate) decision: Box<Decision>,
    pub(crate) watched: Rc<Watched>,
}

/// A stream's place among them, until it is dropped.
pub(crate) struct Entry {
    key: (UnixTime, u32),
    pub(crate) watched: Rc<Watched>,
}

impl Ends {
    pub(crate) fn add(&self, context: u32, end: End) -> Entry {
        let (key, watched) = ((end.at(), context), Rc::<Watched>::default());
        self.0.borrow_mut().insert(key, Ending { end, watched: watched.clone() });
        Entry { key, watched }
    }

    pub(crate) fn remove(&self, entry: &Entry) {
        self.0.borrow_mut().remove(&entry.key);
    }

    /// The next stream whose end has come; it is taken out.
    pub(crate) fn due(&self, now: UnixTime) -> Option<Due> {
        let mut all = self.0.borrow_mut();
        let first = all.first_entry().filter(|first| first.key().0 <= now)?;
        let ((_, context), Ending { end, watched }) = first.remove_entry();
        Some(Due { context, decision: end.ended(), watched })
    }
}
