//! Patterns and readings against models too simple to be wrong. `PROPTEST_CASES` says how often.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::readings::{MAX_PATH, MAX_READINGS};
use super::steps::{decoded, decoded_within, decoded_words};
use super::{Case, Pattern, Prefix, Table, readings};

/// A pattern, by what docs/policy.md says of it: one more case for each kind of thing that it holds.
fn stands_for(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        b"**" => true,
        // `/admin/**` is also /admin.
        b"/**" if path.is_empty() => true,
        [b'*', rest @ ..] => {
            let within = path.iter().take_while(|byte| **byte != b'/').count();
            (1..=within).any(|length| stands_for(rest, &path[length..]))
        }
        [wanted, rest @ ..] => path.first() == Some(wanted) && stands_for(rest, &path[1..]),
        [] => path.is_empty(),
    }
}

fn without_final_slash(text: &[u8]) -> &[u8] {
    if text.len() > 1 { text.strip_suffix(b"/").unwrap_or(text) } else { text }
}

fn model(pattern: &str, path: &[u8]) -> bool {
    stands_for(without_final_slash(pattern.as_bytes()), without_final_slash(path))
}

/// Few letters, so that patterns and paths meet.
fn pattern() -> impl Strategy<Value = String> {
    let letters = prop::sample::select(["a", "b", "*", "="].as_slice());
    let segment = prop::collection::vec(letters, 1..4).prop_map(|parts| parts.concat());
    let end = prop::sample::select(["", "/", "**"].as_slice());
    (prop::collection::vec(segment, 0..4), any::<bool>(), end).prop_map(|(segments, last, end)| {
        let mut text = format!("/{}", segments.join("/"));
        while text.contains("**") {
            text = text.replace("**", "*");
        }
        let slash = if last && text.len() > 1 && end != "/" { "/" } else { "" };
        let letter = if end == "**" && slash.is_empty() && text.ends_with('*') { "a" } else { "" };
        let end = if text == "/" && end == "/" { "" } else { end };
        format!("{text}{slash}{letter}{end}")
    })
}

/// Two patterns, often alike.
fn neighbours() -> impl Strategy<Value = (String, String)> {
    let alike = pattern().prop_flat_map(|text| {
        let stem = text.trim_end_matches("**").to_owned();
        let variants = [
            text.replacen('*', "a", 1),
            format!("{stem}**"),
            format!("{}**", stem.trim_end_matches('/')),
            format!("{stem}a**"),
            format!("{}/**", stem.trim_end_matches('/')),
        ];
        let variants: Vec<String> =
            variants.into_iter().filter(|text| Pattern::parse(text).is_ok()).collect();
        (Just(text.clone()), prop::sample::select([variants, vec![text]].concat()))
    });
    prop_oneof![alike, (pattern(), pattern())]
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec(prop_oneof!["a", "b", "=", "/", "A", "x"], 0..12)
        .prop_map(|parts| format!("/{}", parts.concat()))
}

fn parsed(text: &str) -> Pattern {
    Pattern::parse(text).unwrap()
}

proptest! {
    #[test]
    fn a_pattern_matches_what_the_model_says(pattern in pattern(), path in path()) {
        prop_assert_eq!(
            parsed(&pattern).matches(path.as_bytes(), Case::Kept),
            model(&pattern, path.as_bytes())
        );
    }

    #[test]
    fn folded_is_the_same_in_small_letters(pattern in pattern(), path in path()) {
        prop_assert_eq!(
            parsed(&pattern).matches(path.as_bytes(), Case::Folded),
            model(&pattern, path.to_ascii_lowercase().as_bytes())
        );
    }

    #[test]
    fn a_covering_pattern_matches_all_that_the_other_does(
        (wide, narrow) in neighbours(),
        filling in "[ab=]{0,2}/?[ab]?",
        path in path(),
    ) {
        let (wide, narrow) = (parsed(&wide), parsed(&narrow));
        let like = narrow.as_str().replace("**", &filling).replace('*', "b");
        for path in [path, like].into_iter().filter(|_| wide.covers(&narrow)) {
            if narrow.matches(path.as_bytes(), Case::Kept) {
                prop_assert!(wide.matches(path.as_bytes(), Case::Kept), "{wide:?} {narrow:?} {path}");
            }
        }
    }

    #[test]
    fn a_table_finds_what_a_walk_over_its_patterns_finds(
        texts in prop::collection::vec(prop_oneof![pattern(), "(/[abAB*]{1,2}){1,3}"], 0..9),
        paths in prop::collection::vec(path(), 1..4),
        more in pattern(),
    ) {
        let patterns: Vec<Pattern> =
            texts.iter().filter_map(|text| Pattern::parse(text).ok()).collect();
        let mut table = Table::default();
        for (place, pattern) in patterns.iter().enumerate() {
            prop_assert_eq!(table.add(pattern), place);
        }
        for (path, case) in paths.iter().flat_map(|path| [(path, Case::Kept), (path, Case::Folded)]) {
            let path = path.as_bytes();
            let walk = patterns.iter().map(|pattern| pattern.matches(path, case));
            let places: BTreeSet<usize> =
                walk.enumerate().filter_map(|(at, hit)| hit.then_some(at)).collect();
            let mut found = BTreeSet::new();
            table.each(path, case, &mut |place| {
                found.insert(place);
            });
            prop_assert_eq!(table.first(path, case), places.first().copied());
            prop_assert_eq!(found, places);
            let alike = table.first(path, Case::Kept) == table.first(path, Case::Folded);
            let capital = path.iter().any(u8::is_ascii_uppercase);
            prop_assert!(alike || capital || !table.is_caseless());
        }
        let more = parsed(&more);
        prop_assert_eq!(
            table.covering(&more),
            patterns.iter().position(|pattern| pattern.covers(&more))
        );
    }

    #[test]
    fn whatever_lies_under_a_prefix_shows_that_the_pattern_reaches_it(
        pattern in pattern(),
        prefix in "(/[ab]{1,2}){1,2}/?",
        path in path(),
    ) {
        let (pattern, prefix) = (parsed(&pattern), Prefix::parse(&prefix).unwrap());
        for path in [path, format!("{}/a", prefix.as_str()), prefix.as_str().to_owned()] {
            let both = pattern.matches(path.as_bytes(), Case::Kept)
                && prefix.matches(path.as_bytes(), Case::Kept);
            prop_assert!(!both || pattern.reaches(&prefix), "{path}");
        }
    }

    #[test]
    fn readings_are_all_that_any_order_of_steps_makes(path in tricky()) {
        let found = readings(path.as_bytes());
        let model = every_order(path.as_bytes());
        match found {
            Ok(found) => {
                let found: BTreeSet<Vec<u8>> = found.iter().map(|one| one.to_vec()).collect();
                prop_assert_eq!(found, model);
            }
            Err(_) => prop_assert!(
                model.len() > MAX_READINGS || model.iter().any(|one| one.iter().any(u8::is_ascii_control))
            ),
        }
    }

    #[test]
    fn no_bytes_make_readings_panic_or_grow(path in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(found) = readings(&path) {
            prop_assert!(found.len() <= MAX_READINGS && found.iter().all(|one| one.len() <= path.len()));
            prop_assert_eq!(&*found[0], path.as_slice());
        }
        prop_assert!(path.len() <= MAX_PATH);
    }
}

const TRICKS: [&str; 29] = [
    "a", "b", "A", "/", "/", "..", ".", "\\", ";", ";x=", "%3f", "%2f", "%5c", "%2e", "%3b",
    "%252f", "%23", "%00", "%0a", "%2", "%25", "%20", "%ff", "%c4%b1", "%c3", "%9f", "%c0%ae",
    "%u002f", "%U00e",
];

fn tricky() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(TRICKS.as_slice()), 0..9)
        .prop_map(|parts| format!("/{}", parts.concat()))
}

/// Every text that can be reached by any steps in any order, with two decodings at most.
fn every_order(path: &[u8]) -> BTreeSet<Vec<u8>> {
    let mut all: BTreeSet<(Vec<u8>, u8)> = [(path.to_vec(), 0)].into();
    let mut open: Vec<(Vec<u8>, u8)> = all.iter().cloned().collect();
    while let Some((text, times)) = open.pop() {
        let decoded = [decoded(&text), decoded_within(&text), decoded_words(&text)];
        let decoded = decoded.into_iter().flatten();
        let decoded = decoded.filter(|_| times < 2).map(|text| (text, times.saturating_add(1)));
        let others = plain_steps(&text).into_iter().map(|text| (text, times));
        for new in others.chain(decoded) {
            if all.insert(new.clone()) {
                open.push(new);
            }
        }
    }
    all.into_iter().map(|(text, _)| text).collect()
}

/// The steps once more, on strings and as plainly as they can be written.
fn plain_steps(path: &[u8]) -> Vec<Vec<u8>> {
    let text: String = path.iter().map(|byte| char::from(*byte)).collect();
    let bytes = |text: String| text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let cut = text.split(['?', '#']).next().unwrap().to_owned();
    let bare: Vec<&str> = text.split('/').map(|part| part.split(';').next().unwrap()).collect();
    let mut merged = text.clone();
    while merged.contains("//") {
        merged = merged.replace("//", "/");
    }
    let mut kept: Vec<&str> = Vec::new();
    for part in text.split('/').skip(1) {
        match part {
            ".." => drop(kept.pop()),
            "." => {}
            part => kept.push(part),
        }
    }
    let dotted = text.split('/').any(|part| part == "." || part == "..");
    let resolved = if dotted { format!("/{}", kept.join("/")) } else { text.clone() };
    let after_host = match text.starts_with("//") {
        true => match text.trim_start_matches('/').split_once('/') {
            Some((_, rest)) => format!("/{rest}"),
            None => "/".to_owned(),
        },
        false => text.clone(),
    };
    let before = text.split(';').next().unwrap().to_owned();
    let tidied: Vec<&str> = text
        .split('/')
        .map(|part| match part.trim_end_matches(['.', ' ']) {
            "" => part,
            name => name,
        })
        .collect();
    // Bytes as the letters of Latin 1: ı, ß and a dot in two bytes.
    let folded = text.replace("\u{c4}\u{b1}", "i").replace("\u{c3}\u{9f}", "ss");
    let shortened = text.replace("\u{c0}\u{ae}", ".");
    let ignored = String::from_utf8_lossy(path).replace('\u{fffd}', "");
    let slashed = text.replace('\\', "/");
    let tidied = tidied.join("/");
    let bare = bare.join("/");
    let all = [slashed, cut, bare, before, merged, resolved, after_host, tidied, folded, shortened];
    all.map(bytes).into_iter().chain([ignored.into_bytes()]).collect()
}
