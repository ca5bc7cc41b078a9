//! What a backend could make of a path (docs/rules.md, rule 4).
//!
//! Backends differ: some decode twice, some merge slashes, some cut `;jsessionid=…`. A request is
//! judged on all of these readings at once (and each of them in both cases of its letters, see
//! [`super::Case`]): where they would meet different requirements it is refused, so that no
//! disagreement between gate and app can be used. docs/backends.md shows which backend reads which path how.

use std::borrow::Cow;

use super::marks::{Marks, Scan};
use super::steps::{DECODINGS, STEPS, Step};

/// The longest path that is looked at, in bytes, the query not counted.
pub(crate) const MAX_PATH: usize = 8192;

/// More readings than this are never honest, and each costs a walk over the routes.
pub(super) const MAX_READINGS: usize = 64;

/// Nor do they take so much work, in bytes that steps walk over: what a path costs is bounded where it is long, too.
const MAX_WORK: usize = 4 * MAX_PATH;

/// How often a backend, and a proxy before it, may decode.
const DECODED: usize = 2;

/// Why a path has no readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It holds what no path may.
    Invalid,
    /// It is longer than [`MAX_PATH`].
    TooLong,
    /// It can be read in more ways than anybody needs.
    Ambiguous,
}

/// Every reading of `path`, itself first.
pub(crate) fn readings(path: &[u8]) -> Result<Vec<Cow<'_, [u8]>>, Unreadable> {
    if path.len() > MAX_PATH {
        return Err(Unreadable::TooLong);
    }
    let forbidden = |byte: &u8| *byte == b' ' || *byte == b'#';
    if path.first() != Some(&b'/') || path.iter().any(forbidden) {
        return Err(Unreadable::Invalid);
    }
    let mut found = Found::default();
    found.add(Cow::Borrowed(path))?;
    let mut from = 0;
    for decoded in 0..=DECODED {
        found.close(from)?;
        let to = found.scans.len();
        if decoded < DECODED {
            (from..to).try_for_each(|at| found.extend(at, &DECODINGS))?;
        }
        from = to;
    }
    Ok(found.texts)
}

/// The readings so far, and the scan of each at the same place.
#[derive(Default)]
struct Found<'p> {
    texts: Vec<Cow<'p, [u8]>>,
    scans: Vec<Scan>,
    work: usize,
}

impl<'p> Found<'p> {
    /// Adds what the steps make of every reading from `at` on, in whatever order a backend takes them. Each
    /// reading is looked at once: the steps have seen those before it already.
    fn close(&mut self, mut at: usize) -> Result<(), Unreadable> {
        while at < self.scans.len() {
            self.extend(at, &STEPS)?;
            at = at.saturating_add(1);
        }
        Ok(())
    }

    /// Adds what each of `steps` makes of one reading. A step without its mark would change nothing.
    fn extend(&mut self, at: usize, steps: &[(Marks, Step)]) -> Result<(), Unreadable> {
        for (mark, step) in steps {
            let (Some(text), Some(scan)) = (self.texts.get(at), self.scans.get(at)) else { break };
            if !scan.marks.hold(*mark) {
                continue;
            }
            let reading = step(text);
            // To see that nothing changes takes a fraction of what a change takes.
            let work = if reading.is_some() { text.len() } else { text.len() / 4 };
            self.work = self.work.saturating_add(work);
            if self.work > MAX_WORK {
                return Err(Unreadable::Ambiguous);
            }
            if let Some(reading) = reading {
                self.add(Cow::Owned(reading))?;
            }
        }
        Ok(())
    }

    /// Adds a reading that is new. NUL ends a path in C, and `$` in a Python pattern stands before a final newline
    /// as well: Starlette serves /admin%0A as /admin. So a control character makes all of it invalid.
    fn add(&mut self, reading: Cow<'p, [u8]>) -> Result<(), Unreadable> {
        let scan = Scan::of(&reading);
        if scan.marks.hold(Marks::CONTROL) {
            return Err(Unreadable::Invalid);
        }
        let known = self.scans.iter().zip(&self.texts);
        if known.into_iter().any(|(known, text)| known.hash == scan.hash && *text == reading) {
            return Ok(());
        }
        if self.texts.len() >= MAX_READINGS {
            return Err(Unreadable::Ambiguous);
        }
        self.texts.push(reading);
        self.scans.push(scan);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_PATH, MAX_READINGS, Unreadable, readings};

    fn reads(path: &str, wanted: &str) -> bool {
        readings(path.as_bytes())
            .is_ok_and(|all| all.iter().any(|reading| **reading == *wanted.as_bytes()))
    }

    #[test]
    fn an_ordinary_path_has_one_reading() {
        for path in ["/", "/assets/index-B3.js", "/gradio_api/file=a.b", "/a/b/", "/caf\u{e9}"] {
            assert_eq!(readings(path.as_bytes()).map(|all| all.len()), Ok(1), "{path}");
        }
    }

    #[test]
    fn every_known_trick_is_read() {
        for path in [
            "/%61dmin",
            "/%2561dmin",
            "//admin",
            "/./admin",
            "/x/../admin",
            "/x/%2e%2e/admin",
            "/x%2f..%2fadmin",
            "/x%252f..%252fadmin",
            "\\admin",
            "/x/..\\admin",
            "/x/..%5cadmin",
            "/admin;a=b",
            "/x/..;a=b/admin",
            "/x/%2e%2e%3ba/admin",
            "/admin%3fx",
            "/admin%23x",
            "/%2e/admin",
            "/x/.//../admin",
            "/x//../..//admin",
            "//x/admin",
            "///x//admin",
            "/\\x/admin",
            "/%2fx/admin",
            "/a%2fb/%2e%2e/admin",
            "/admin;/x",
            "/adm%ffin",
            "/%25ffadmin",
            "/adm%c4%b1n",
            "/%ff%c4%b0/../adm%c4%b0n",
            "/%u0061dmin",
            "/%c1%a1dmin",
            "/x/..%c0%afadmin",
            "/admin.",
            "/admin.%20",
        ] {
            let path = path.strip_prefix('\\').map_or(path.to_owned(), |rest| format!("/\\{rest}"));
            assert!(reads(&path, "/admin"), "{path}");
        }
    }

    #[test]
    fn a_segment_is_decoded_by_itself() {
        assert!(reads("/%75sers/a%2fb", "/users/a%2fb") && reads("/%75sers/a%2fb", "/users/a/b"));
        assert!(reads("/wor%E2%84%AAer%C5%BF", "/workers") && !reads("/worker%C5", "/workers"));
    }

    #[test]
    fn the_order_of_the_steps_is_the_backends() {
        // Dot segments first, then slashes; the other way round it is /admin.
        assert!(reads("/x//..//admin", "/x/admin") && reads("/x//..//admin", "/admin"));
        assert!(reads("/a%3bb;c", "/a;b") && reads("/a%3bb;c", "/a"));
    }

    #[test]
    fn an_invalid_escape_stays_literal() {
        assert!(reads("/%zz%6", "/%zz%6") && reads("/%%61", "/%a") && !reads("/%6", "/`"));
    }

    #[test]
    fn what_no_path_may_hold_is_refused() {
        for path in [
            "/\0", "/%00", "/%2500", "/a#b", "/a b", "a", "", "/\x7f", "/a\n", "/a%0a", "/a%250A",
            "/%7f", "/%u000a",
        ] {
            assert_eq!(readings(path.as_bytes()), Err(Unreadable::Invalid), "{path:?}");
        }
        let long = [b"/".as_slice(), &[b'a'; MAX_PATH]].concat();
        assert_eq!(readings(&long), Err(Unreadable::TooLong));
    }

    /// The bound is met from both sides: a path of exactly so many readings is read, and one more is refused.
    #[test]
    fn work_is_bounded() {
        let hosts = |many| readings("//a".repeat(many).as_bytes()).map(|all| all.len());
        let most = (1..MAX_READINGS).take_while(|many| hosts(*many).is_ok()).last().unwrap();
        assert!((MAX_READINGS - 4..=MAX_READINGS).contains(&hosts(most).unwrap()));
        assert_eq!(hosts(most + 1), Err(Unreadable::Ambiguous));
        let long = format!("/{}%255c/b//%253b\\%2e%3f/", "a".repeat(8000));
        assert_eq!(readings(long.as_bytes()), Err(Unreadable::Ambiguous));
        let honest = format!("/{}%20%C3%A9/b%2fc", "a".repeat(7600));
        assert!(readings(honest.as_bytes()).is_ok());
    }
}
