//! Requests that nobody honest sends, made from bytes: what the property tests draw, and a fuzzer can.

mod admitted;
mod bodies;
mod callers;
pub mod chat;
mod dictionary;
pub mod documents;
pub mod invariants;
mod known;
pub mod model;
mod places;
pub mod regarded;
mod routes;
mod scene;
mod verdicts;
pub mod world;

use std::net::SocketAddr;

use dictionary::{METHODS, NAMES, TRICKS, WORDS};
use vigile_policy::OVERRIDES;
use world::World;

/// A request as a host would hand it over, and when.
#[derive(Clone, Default)]
pub struct Hostile {
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// Its head says that no body follows.
    pub end_of_stream: bool,
    pub peer: Option<SocketAddr>,
    pub now: i64,
}

impl std::fmt::Debug for Hostile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, value) in &self.headers {
            writeln!(f, "{name:?}: {}", value.escape_ascii())?;
        }
        if !self.end_of_stream {
            writeln!(f, "\n{}", self.body.escape_ascii())?;
        }
        write!(f, "from {:?} at {}", self.peer, self.now)
    }
}

/// The words that it is made of.
pub fn words() -> impl Iterator<Item = &'static str> {
    [&NAMES, &WORDS, &TRICKS, &METHODS].into_iter().flat_map(|words| words.iter().copied())
}

/// Bytes that are spent one by one; where they end, the rest is zeros.
pub struct Tape<'t>(pub &'t [u8]);

impl<'t> Tape<'t> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn below(&mut self, most: usize) -> usize {
        match most {
            0 => 0,
            1..=256 => usize::from(self.byte()) % most,
            _ => (usize::from(self.byte()) * 256 + usize::from(self.byte())) % most,
        }
    }

    fn pick<'p, T>(&mut self, from: &'p [T]) -> &'p T {
        &from[self.below(from.len())]
    }

    /// Whether it comes to it, in so many of 256 cases.
    fn chance(&mut self, of_256: u8) -> bool {
        self.byte() < of_256
    }

    fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.below(most)).map(|_| self.byte()).collect()
    }
}

impl Hostile {
    /// What the tape makes of it: something near to an honest request, or nothing of the kind.
    pub fn draw(tape: &mut Tape<'_>, world: &World) -> Self {
        let mut headers = match tape.chance(170) {
            true => scene::draw(tape, world),
            false => pseudo_headers(tape, world),
        };
        for _ in 0..tape.below(7).saturating_sub(1) {
            let name = name(tape);
            let times = if tape.chance(6) { 1 + tape.below(300) } else { 1 };
            let value = value(tape, world, &name);
            (0..times).for_each(|_| headers.push((name.clone(), value.clone())));
        }
        let peer = if tape.chance(240) { Some(*tape.pick(&world.peers)) } else { None };
        let times = [0, 0, 0, 0, 0, 0, 1, 590, 700, -700, 4_000_000_000, i64::MIN / 2];
        let now = world.now + tape.pick(&times);
        let (body, end_of_stream) = bodies::draw(tape, world, &mut headers);
        Self { headers, body, end_of_stream, peer, now }
    }
}

type Headers = Vec<(String, Vec<u8>)>;

fn pseudo_headers(tape: &mut Tape<'_>, world: &World) -> Headers {
    let mut headers = Headers::new();
    let mut add = |name: &str, value: Vec<u8>| headers.push((name.to_owned(), value));
    if !tape.chance(4) {
        add(":method", tape.pick(&METHODS).as_bytes().to_vec());
    }
    if !tape.chance(4) {
        add(":path", path(tape, world));
    }
    if !tape.chance(4) {
        add(":authority", authority(tape, world));
    }
    let schemes = ["https", "https", "http", "HTTPS", "\u{ff}"];
    add(":scheme", tape.pick(&schemes).as_bytes().to_vec());
    if tape.chance(200) {
        let schemes = ["https", "https", "https", "http"];
        add("x-forwarded-proto", tape.pick(&schemes).as_bytes().to_vec());
    }
    if tape.chance(12) {
        let again = *tape.pick(&[":path", ":authority", ":method", ":scheme", "host"]);
        add(again, path(tape, world));
    }
    headers
}

fn name(tape: &mut Tape<'_>) -> String {
    match tape.byte() {
        0..=11 => String::from_utf8_lossy(&tape.bytes(12)).to_lowercase(),
        12..=219 => (*tape.pick(&NAMES)).to_owned(),
        220..=237 => (*tape.pick(&OVERRIDES)).to_owned(),
        _ => {
            let dash = *tape.pick(&["_", "", ".", "--"]);
            tape.pick(&OVERRIDES).replace('-', dash)
        }
    }
}

fn authority(tape: &mut Tape<'_>, world: &World) -> Vec<u8> {
    let host = tape.pick(&world.hosts).clone();
    match tape.byte() {
        0..=219 => host.into_bytes(),
        220..=227 => host.to_uppercase().into_bytes(),
        228..=235 => format!("{host}.:443").into_bytes(),
        236..=243 => b"evil.example".to_vec(),
        _ => tape.bytes(20),
    }
}

fn path(tape: &mut Tape<'_>, world: &World) -> Vec<u8> {
    if tape.chance(10) {
        return tape.bytes(64);
    }
    let mut path = tape.pick(&world.paths).clone().into_bytes();
    for _ in 0..tape.below(5).saturating_sub(1) {
        let trick = tape.pick(&TRICKS);
        let at = tape.below(path.len() + 1);
        path.splice(at..at, trick.bytes());
    }
    if tape.chance(3) {
        path.extend(b"/%2561/..;/".repeat(tape.below(900)));
    }
    for (number, _) in (0..tape.below(5).saturating_sub(1)).enumerate() {
        path.push(if number == 0 { b'?' } else { b'&' });
        if tape.chance(30) {
            path.extend(another_method(tape));
            continue;
        }
        let name = tape.pick(&world.parameters).clone();
        path.extend(name.into_bytes());
        path.push(b'=');
        path.extend(credential(tape, world));
    }
    path
}

/// A parameter that an app may take for the method.
fn another_method(tape: &mut Tape<'_>) -> Vec<u8> {
    let names = ["_method", "_method", "_METHOD", "%5fmethod", "_method[]", "X-HTTP-Method"];
    format!("{}={}", tape.pick(&names), tape.pick(&METHODS)).into_bytes()
}

/// What proxies write into X-Forwarded-For, and what they do not.
fn hops(tape: &mut Tape<'_>) -> Vec<u8> {
    const HOPS: [&str; 10] = [
        "192.0.2.10",
        "192.0.2.66",
        "198.51.100.7",
        "203.0.113.9:4711",
        "[2001:db8:1::1]:443",
        "2001:db8:ffff::1",
        "::ffff:192.0.2.10",
        "unknown",
        "",
        "192.0.2.10:99999",
    ];
    let hops: Vec<&str> = (0..1 + tape.below(3)).map(|_| *tape.pick(&HOPS)).collect();
    hops.join(*tape.pick(&[", ", ",", " ,"])).into_bytes()
}

fn value(tape: &mut Tape<'_>, world: &World, name: &str) -> Vec<u8> {
    match (name, tape.byte()) {
        ("cookie", 0..=239) => cookies(tape, world),
        ("authorization" | "x-api-key" | "x-token", 0..=219) => {
            let prefix = tape.pick(&["Bearer ", "Bearer ", "bearer  ", "", "Basic ", "Bearer\t"]);
            [
                prefix.as_bytes(),
                &credential(tape, world),
                tape.pick(&["", "", "", " ", ",x"]).as_bytes(),
            ]
            .concat()
        }
        ("x-forwarded-for", 0..=219) => hops(tape),
        ("sec-websocket-protocol", 0..=219) => {
            let word = tape.pick(&["vigile", "vigile", "graphql-ws"]);
            [word.as_bytes(), b", ", &credential(tape, world)].concat()
        }
        (":path", _) => path(tape, world),
        (_, 240..=249) => tape.bytes(40),
        (_, 250..=251) => tape.pick(&WORDS).repeat(1 + tape.below(2000)).into_bytes(),
        (_, 252..=255) => credential(tape, world),
        _ => tape.pick(&WORDS).as_bytes().to_vec(),
    }
}

fn cookies(tape: &mut Tape<'_>, world: &World) -> Vec<u8> {
    let mut cookies = Vec::new();
    for _ in 0..1 + tape.below(3) {
        let name = tape.pick(&world.cookies).clone();
        let quote = tape.pick(&["", "", "", "\""]);
        let end = tape.pick(&["; ", "; ", ";", " ;;", ", "]);
        cookies.extend(format!("{name}={quote}").into_bytes());
        cookies.extend(credential(tape, world));
        cookies.extend(format!("{quote}{end}").into_bytes());
    }
    cookies
}

/// A credential, good or bad, whole or spoilt.
fn credential(tape: &mut Tape<'_>, world: &World) -> Vec<u8> {
    let mut credential = tape.pick(&world.credentials).clone().into_bytes();
    match tape.byte() {
        0..=199 => {}
        200..=214 if !credential.is_empty() => {
            let at = tape.below(credential.len());
            credential[at] ^= 1 << tape.below(8);
        }
        215..=224 => credential.truncate(tape.below(credential.len() + 1)),
        225..=234 => credential.extend(tape.bytes(6)),
        235..=239 => credential = credential.repeat(1 + tape.below(40)),
        240..=244 => credential.make_ascii_uppercase(),
        245..=249 => credential = tape.bytes(60),
        _ => credential = tape.pick(&WORDS).as_bytes().to_vec(),
    }
    credential
}
