//! What is no config: arbitrary bytes, bombs, depths.

use std::collections::BTreeMap;
use std::path::PathBuf;

use libtest_mimic::Trial;
use vigile::check::{self, Format};

/// Files that nobody would call configs: an error each, and no panic.
pub(crate) fn trials(good: &[PathBuf]) -> Vec<Trial> {
    let bomb = |depth: usize| {
        let level = |level: usize| {
            format!("a{level}: &a{level} [{}]\n", format!("*a{}, ", level - 1).repeat(9))
        };
        format!("a0: &a0 [vigile, vigile]\n{}", (1..depth).map(level).collect::<String>())
    };
    let inside = |policy: &str| format!("vigile: 1\nmodules: {policy}\n");
    let files: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("blank", b" \n\n\t\n".to_vec()),
        ("a comment", b"# nothing\n".to_vec()),
        ("a word", b"vigile".to_vec()),
        ("a list", b"- vigile: 2\n".to_vec()),
        ("binary", (0..=255).cycle().take(100_000).collect()),
        ("a module", b"\0asm\x01\0\0\0".to_vec()),
        ("zeros", vec![0; 1_000_000]),
        ("UTF-16", "vigile: 1".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("large", vec![b' '; 20_000_000]),
        ("many small values", [b"[".to_vec(), b"1,".repeat(4_000_000), b"]".to_vec()].concat()),
        ("deep in brackets", "[".repeat(1_000_000).into_bytes()),
        ("deep in braces", "{a: ".repeat(1_000_000).into_bytes()),
        ("deep in dashes", "- ".repeat(1_000_000).into_bytes()),
        (
            "deep by indentation",
            (0..2_000)
                .map(|depth| format!("{}a:\n", " ".repeat(depth)))
                .collect::<String>()
                .into_bytes(),
        ),
        ("deep in a policy", inside(&["[".repeat(98), "]".repeat(98)].concat()).into_bytes()),
        ("aliases", bomb(20).into_bytes()),
        ("an alias of itself", b"vigile: &a [*a]\n".to_vec()),
        ("a key that is a map", b"{a: 1}: 2\n".to_vec()),
        (
            "huge numbers",
            format!(
                "vigile: 1{}\nremember_tokens: -1{}e99999\nmodules: 0x{}\n",
                "0".repeat(5_000),
                "0".repeat(400),
                "f".repeat(300)
            )
            .into_bytes(),
        ),
        (
            "a long key",
            format!("vigile: 1\n{}: 1\nmodules: []\n", "k".repeat(1_000_000)).into_bytes(),
        ),
        (
            "a long path of keys",
            format!(
                "vigile: 1\nmodules: {}1{}",
                format!("{{{}: ", "k".repeat(10_000)).repeat(90),
                "}".repeat(90)
            )
            .into_bytes(),
        ),
        (
            "a policy in a policy",
            inside("[{ name: a, routes: [{ path: /, public: true, vigile: { vigile: 1 } }] }]")
                .into_bytes(),
        ),
        (
            "a policy in strings in strings",
            format!(
                "x: {:?}\n",
                format!("{{\"vigile\": 1, \"modules\": {:?}}}", "{\"vigile\": 1}")
            )
            .into_bytes(),
        ),
    ];
    let mut trials: Vec<Trial> = files
        .into_iter()
        .map(|(name, bytes)| {
            let run = move || {
                for format in [Format::Yaml, Format::Json] {
                    let found = check::check(&bytes, format, Some(&BTreeMap::new()));
                    let errors =
                        found.iter().filter(|one| one.finding.severity == check::Severity::Error);
                    if errors.count() == 0 {
                        return Err("no error is found".into());
                    }
                }
                Ok(())
            };
            Trial::test(format!("hostile/{}", name.replace(' ', "-")), run)
        })
        .collect();
    let good = good.to_vec();
    trials.push(Trial::test("hostile/mangled", move || {
        mangled(&good);
        Ok(())
    }));
    trials
}

/// Good files with bytes changed, moved and repeated: whatever comes of them, no panic.
fn mangled(good: &[PathBuf]) {
    let seeds: Vec<Vec<u8>> = good.iter().map(|file| std::fs::read(file).unwrap()).collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let pieces = [
        "&a ", "*a", "{", "}", "[", "]", ": ", "- ", "\n", "'", "\"", "vigile", "\u{e9}", "null",
        "~", "|", "9e999", "<<", "\\ud83d",
    ];
    for round in 0..2_000 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=random(4) {
            let (at, other) = (random(bytes.len()), random(bytes.len()));
            match random(4) {
                0 => bytes[at] = random(256) as u8,
                1 => drop(bytes.splice(at..at, pieces[random(pieces.len())].bytes())),
                2 => {
                    let piece = bytes[at..(at + random(60)).min(bytes.len())].to_vec();
                    drop(bytes.splice(other..other, piece));
                }
                _ => drop(bytes.drain(at..(at + random(30)).min(bytes.len()))),
            }
        }
        for format in [Format::Yaml, Format::Json] {
            let _ = check::check(&bytes, format, Some(&BTreeMap::new()));
        }
    }
}
