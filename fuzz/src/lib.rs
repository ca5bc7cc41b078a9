//! What must hold of whatever is sent. Each target takes bytes and panics where something does not hold;
//! `./build.sh fuzz` has libFuzzer look for such bytes, led by the branches that the core takes. What the
//! property tests draw blindly is the same, with the same invariants (`tests/src/hostile`).

mod claims;
pub mod seeds;

use std::sync::LazyLock;

pub use claims::claims;
use vigile_tests::hostile::invariants::check;
use vigile_tests::hostile::world::{self, World};
use vigile_tests::hostile::{Hostile, Tape, chat, documents};

/// Takes whatever is sent, and panics where something does not hold.
pub type Target = fn(&[u8]);

/// The targets by their names.
pub const TARGETS: [(&str, Target); 5] = [
    ("requests", requests),
    ("headers", headers),
    ("claims", claims),
    ("bodies", bodies),
    ("policies", policies),
];

static WORLDS: LazyLock<Vec<World>> = LazyLock::new(world::all);

/// Makes the keys, tokens and policies of a target before its first unit, which would pay for all of them: on a busy
/// machine libFuzzer took that for a unit that does not end.
pub fn prepare(target: Target) {
    target(b"\0");
}

/// A world and a tape: requests that are near to honest ones, with every credential there is.
pub fn requests(data: &[u8]) {
    let Some((world, tape)) = world(data) else { return };
    hold(world, &Hostile::draw(&mut Tape(tape), world));
}

/// A world, and a line for each header, `:path=/`; `{7}` is a credential of that world. Behind an empty line stands the
/// body.
pub fn headers(data: &[u8]) {
    let Some((world, lines)) = world(data) else { return };
    let end = lines.windows(2).position(|two| two == b"\n\n");
    let (lines, body) = end.map_or((lines, None), |end| (&lines[..end], Some(&lines[end + 2..])));
    let headers = lines.split(|byte| *byte == b'\n').filter_map(|line| {
        let at = line.iter().position(|byte| *byte == b'=')?;
        let name = std::str::from_utf8(&line[..at]).ok()?;
        Some((name.to_owned(), filled(&line[at + 1..], &world.credentials)))
    });
    let hostile = Hostile {
        headers: headers.collect(),
        end_of_stream: body.is_none(),
        body: body.unwrap_or_default().to_vec(),
        peer: Some(world.peers[0]),
        now: world.now,
    };
    hold(world, &hostile);
}

/// The JSON of a chat, by a caller who may send one.
pub fn bodies(data: &[u8]) {
    chat::check(data).unwrap_or_else(|problem| panic!("{problem}"));
}

/// A policy as a host hands it over.
pub fn policies(data: &[u8]) {
    documents::check(data).unwrap_or_else(|problem| panic!("{problem}"));
}

fn world(data: &[u8]) -> Option<(&'static World, &[u8])> {
    let (at, rest) = data.split_first()?;
    Some((&WORLDS[usize::from(*at) % WORLDS.len()], rest))
}

fn hold(world: &World, hostile: &Hostile) {
    if let Err(problem) = check(world, hostile) {
        panic!("{}: {problem}\n{hostile:?}", world.name);
    }
}

/// The value with its credentials filled in.
fn filled(value: &[u8], credentials: &[String]) -> Vec<u8> {
    let Some(open) = value.iter().position(|byte| *byte == b'{') else { return value.to_vec() };
    let (before, rest) = value.split_at(open);
    let close = rest.iter().position(|byte| *byte == b'}').unwrap_or(rest.len());
    let number = std::str::from_utf8(&rest[1..close.max(1)]).ok();
    let credential = number.and_then(|number| credentials.get(number.parse::<usize>().ok()?));
    let Some(credential) = credential else { return value.to_vec() };
    let after = rest.get(close + 1..).unwrap_or_default();
    [before, credential.as_bytes(), after].concat()
}
