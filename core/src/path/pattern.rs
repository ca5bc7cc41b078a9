//! Route patterns: `/health`, `/tools/*/execute`, `/admin/**`, `/gradio_api/file=**`.
//!
//! `*` stands for one or more characters within a segment, `**` at the end for whatever follows, also
//! nothing: `/admin/**` matches `/admin`. A path with and without its final slash is one path to every
//! pattern, since backends treat them alike (docs/decisions/0004).

/// What a route's `path` matches, compared with the path of a request without its query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

/// The beginning of all paths of a module: whole segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix(String);

/// Whether the path is compared as it stands, or with its case folded as some file systems do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Kept,
    Folded,
}

impl Pattern {
    /// Reads a pattern, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let body = text.strip_suffix("**").unwrap_or(text);
        if body.contains("**") || (body != text && body.ends_with('*')) {
            return Err("** stands at the end of a path alone; * is for within a segment");
        }
        literal(&body.replace('*', ""))?;
        check_segments(body)?;
        let bare = text.strip_suffix('/').filter(|bare| !bare.is_empty());
        Ok(Self(bare.unwrap_or(text).to_owned()))
    }

    /// As it was written, without a final slash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `path`, without its query, is one of those that this stands for.
    pub(crate) fn matches(&self, path: &[u8], case: Case) -> bool {
        let path = without_final_slash(path);
        let pattern = self.0.as_bytes();
        match pattern.strip_suffix(b"**") {
            None => segments_match(pattern, path, case),
            Some(stem) => {
                stem.strip_suffix(b"/").is_some_and(|alone| segments_match(alone, path, case))
                    || deep_match(stem, path, case)
            }
        }
    }

    /// Tells that a letter is a capital.
    pub(crate) fn has_capitals(&self) -> bool {
        self.0.bytes().any(|byte| byte.is_ascii_uppercase())
    }

    /// Tells that a whole segment is `*`: a parameter, to most routers.
    pub(crate) fn has_parameter(&self) -> bool {
        self.0.split('/').any(|segment| segment == "*")
    }

    /// Whether any path under `prefix` is one of those that this stands for.
    pub fn reaches(&self, prefix: &Prefix) -> bool {
        let (stem, deep) = match self.0.strip_suffix("**") {
            Some(stem) => (stem, true),
            None => (self.0.as_str(), false),
        };
        let mut patterns = stem.split('/').peekable();
        for segment in prefix.0.split('/') {
            let Some(pattern) = patterns.next() else { return false };
            let open = deep && patterns.peek().is_none();
            if !segment_matches(pattern.as_bytes(), segment.as_bytes(), open, Case::Kept) {
                return false;
            }
            if open {
                return true;
            }
        }
        true
    }

    /// Whether whatever `other` matches is matched by this one too, as far as their texts show.
    pub fn covers(&self, other: &Self) -> bool {
        match (self.0.strip_suffix("**"), other.0.strip_suffix("**")) {
            (None, Some(_)) => false,
            (_, None) => self.matches(other.0.as_bytes(), Case::Kept),
            // Not `matches`: `/a/**` takes /a itself, and yet not all that begins with it.
            (Some(own), Some(stem)) => deep_match(own.as_bytes(), stem.as_bytes(), Case::Kept),
        }
    }
}

impl Prefix {
    /// `/`: every path.
    pub fn root() -> Self {
        Self(String::new())
    }

    /// Reads a prefix, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains('*') {
            return Err("a prefix has no *: it takes every path below it");
        }
        literal(text)?;
        check_segments(text)?;
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// The prefix without its final slash: empty for `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells that a letter is a capital.
    pub(crate) fn has_capitals(&self) -> bool {
        self.0.bytes().any(|byte| byte.is_ascii_uppercase())
    }

    #[cfg(test)]
    pub(crate) fn matches(&self, path: &[u8], case: Case) -> bool {
        match path.split_at_checked(self.0.len()) {
            Some((start, rest)) => {
                same(start, self.0.as_bytes(), case) && matches!(rest.first(), None | Some(b'/'))
            }
            None => false,
        }
    }
}

/// Characters that every backend reads as themselves. One that is percent-encoded in requests could
/// never be matched without also being ambiguous (docs/rules.md, rule 4).
fn literal(text: &str) -> Result<(), &'static str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~!$&'()+,=:@".contains(c);
    match text.starts_with('/') {
        false => Err("a path begins with /"),
        true if text.chars().all(plain) => Ok(()),
        true => Err(
            "a path has letters, digits and -._~!$&'()+,=:@ alone (in a route, * stands for others)",
        ),
    }
}

fn check_segments(text: &str) -> Result<(), &'static str> {
    let mut inner = text.split('/').skip(1).peekable();
    while let Some(segment) = inner.next() {
        let last = inner.peek().is_none();
        if segment == "." || segment == ".." || (segment.is_empty() && !last) {
            return Err("a path has no empty segment, no . and no ..");
        }
    }
    Ok(())
}

pub(super) fn without_final_slash(path: &[u8]) -> &[u8] {
    match path.strip_suffix(b"/") {
        Some(b"") | None => path,
        Some(shorter) => shorter,
    }
}

fn same(one: &[u8], other: &[u8], case: Case) -> bool {
    match case {
        Case::Kept => one == other,
        Case::Folded => one.eq_ignore_ascii_case(other),
    }
}

fn segments_match(pattern: &[u8], path: &[u8], case: Case) -> bool {
    let mut patterns = pattern.split(|byte| *byte == b'/');
    let mut segments = path.split(|byte| *byte == b'/');
    loop {
        match (patterns.next(), segments.next()) {
            (None, None) => return true,
            (Some(pattern), Some(segment)) if segment_matches(pattern, segment, false, case) => {}
            _ => return false,
        }
    }
}

/// `/files/*/raw=` followed by anything: the segments of the stem match, its last one as a beginning.
fn deep_match(stem: &[u8], path: &[u8], case: Case) -> bool {
    let mut patterns = stem.split(|byte| *byte == b'/').peekable();
    let mut segments = path.split(|byte| *byte == b'/');
    while let Some(pattern) = patterns.next() {
        let last = patterns.peek().is_none();
        match segments.next() {
            Some(segment) if segment_matches(pattern, segment, last, case) => {}
            _ => return false,
        }
    }
    true
}

/// A glob within one segment; `open` lets anything follow. Backtracks to the latest `*` alone, so the
/// work is bounded by the product of the two lengths.
pub(super) fn segment_matches(pattern: &[u8], segment: &[u8], open: bool, case: Case) -> bool {
    // The usual `*`, at no cost that the caller could choose.
    if pattern == b"*" {
        return !segment.is_empty();
    }
    let (mut rest, mut text) = (pattern, segment);
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (rest.split_first(), text.split_first()) {
            (None, None) => return true,
            (None, Some(_)) if open => return true,
            (Some((b'*', after)), Some((_, behind))) => {
                retry = Some((after, behind));
                (rest, text) = (after, behind);
            }
            (Some((wanted, after)), Some((found, behind))) if same(&[*wanted], &[*found], case) => {
                (rest, text) = (after, behind);
            }
            _ => match retry {
                Some((after, [_, behind @ ..])) => {
                    retry = Some((after, behind));
                    (rest, text) = (after, behind);
                }
                _ => return false,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Case, Pattern, Prefix};

    fn hits(pattern: &str, path: &str) -> bool {
        Pattern::parse(pattern).is_ok_and(|pattern| pattern.matches(path.as_bytes(), Case::Kept))
    }

    #[test]
    fn stars_stand_for_what_the_docs_say() {
        for (pattern, path) in [
            ("/", "/"),
            ("/health", "/health"),
            ("/health", "/health/"),
            ("/health/", "/health"),
            ("/admin/**", "/admin"),
            ("/admin/**", "/admin/"),
            ("/admin/**", "/admin/a/b"),
            ("/**", "/"),
            ("/**", "/a//b"),
            ("/tools/*/execute", "/tools/x/execute"),
            ("/v*/a*c", "/v1/abbc"),
            ("/v*/a*c", "/v1/accc"),
            ("/gradio_api/file=**", "/gradio_api/file=/tmp/x.png"),
            ("/gradio_api/file=**", "/gradio_api/file="),
            ("/a/*/raw=**", "/a/b/raw=c/d"),
        ] {
            assert!(hits(pattern, path), "{pattern} {path}");
        }
        for (pattern, path) in [
            ("/health", "/healthz"),
            ("/health", "/health//"),
            ("/admin/**", "/administrator"),
            ("/tools/*/execute", "/tools//execute"),
            ("/tools/*/execute", "/tools/a/b/execute"),
            ("/tools/*", "/tools/"),
            ("/v*", "/v"),
            ("/v*/a*c", "/v1/ac"),
            ("/gradio_api/file=**", "/gradio_api/file"),
            ("/", ""),
        ] {
            assert!(!hits(pattern, path), "{pattern} {path}");
        }
    }

    #[test]
    fn what_no_request_could_match_plainly_is_refused() {
        for bad in [
            "", "a", "//", "/a//b", "/./a", "/a/..", "/a b", "/a%20b", "/a;b", "/a?b", "/**/a",
            "/***", "/é",
        ] {
            assert!(Pattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_prefix_ends_with_a_segment() {
        let prefix = |text: &str, path: &str| {
            Prefix::parse(text).is_ok_and(|prefix| prefix.matches(path.as_bytes(), Case::Kept))
        };
        assert!(
            prefix("/", "/")
                && prefix("/", "/a")
                && prefix("/sd", "/sd")
                && prefix("/sd/", "/sd/a")
        );
        assert!(!prefix("/sd", "/sdx") && !prefix("/sd", "/"));
    }

    #[test]
    fn a_wider_pattern_covers_a_narrower_one() {
        let covers = |one: &str, other: &str| match (Pattern::parse(one), Pattern::parse(other)) {
            (Ok(one), Ok(other)) => one.covers(&other),
            _ => false,
        };
        assert!(covers("/**", "/admin/**") && covers("/a/**", "/a/b") && covers("/a/*", "/a/b"));
        assert!(!covers("/a/b", "/a/*") && !covers("/a/**", "/**") && !covers("/a/*", "/a/**"));
        assert!(!covers("/a/file=**", "/a/**") && !covers("/a/**", "/a**"));
    }
}
