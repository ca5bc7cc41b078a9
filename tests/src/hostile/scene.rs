//! Requests that come near to honest ones: a host and a path of one module, a credential where one may
//! stand, and what a browser would say. Most of the pipeline lies behind these.

use super::dictionary::SAID;
use super::world::World;
use super::{Headers, TRICKS, Tape, another_method, credential};

pub(super) fn draw(tape: &mut Tape<'_>, world: &World) -> Headers {
    let model = tape.pick(&world.models);
    let mut headers = Headers::new();
    let mut add = |name: &str, value: Vec<u8>| headers.push((name.to_owned(), value));
    let methods = ["GET", "GET", "GET", "GET", "POST", "HEAD", "DELETE"];
    add(":method", tape.pick(&methods).as_bytes().to_vec());
    add(":authority", tape.pick(&model.hosts).clone().into_bytes());
    let scheme = *tape.pick(&["https", "https", "https", "https", "http"]);
    add(":scheme", scheme.into());
    add("x-forwarded-proto", scheme.into());
    let mut path = tape.pick(&model.paths).clone().into_bytes();
    if tape.chance(30) {
        let at = tape.below(path.len() + 1);
        path.splice(at..at, tape.pick(&TRICKS).bytes());
    }
    if tape.chance(16) {
        let slashes = tape.pick(&["/", "\\", "/\\", "\\/"]);
        path.splice(1.min(path.len())..1.min(path.len()), slashes.bytes());
    }
    for (name, value) in *tape.pick(&SAID) {
        add(name, value.as_bytes().to_vec());
    }
    let cookies: Vec<&str> =
        model.cookies.iter().map(String::as_str).chain(["__Host-vigile"]).collect();
    let mut query = Vec::new();
    for place in places(tape) {
        let good = credential(tape, world);
        match place {
            Place::Query => query
                .push([model.query.clone().unwrap_or_default().as_bytes(), b"=", &good].concat()),
            Place::Header => add(
                model.header.as_deref().unwrap_or("authorization"),
                [b"Bearer ", good.as_slice()].concat(),
            ),
            Place::Key => {
                let header = tape.pick(&["x-api-key", "authorization", "authorization"]);
                let prefix = if *header == "authorization" { "Bearer " } else { "" };
                let key = tape.pick(&world.good_keys);
                add(header, [prefix.as_bytes(), key.as_bytes()].concat());
            }
            Place::Cookie => {
                let name = tape.pick(&cookies);
                add("cookie", [name.as_bytes(), b"=", &good, b"; a=b"].concat());
            }
        }
    }
    if tape.chance(60) {
        query.push(b"a=1".to_vec());
    }
    if tape.chance(16) {
        query.push(another_method(tape));
    }
    if !query.is_empty() {
        path.push(b'?');
        path.extend(query.join(&b'&'));
    }
    add(":path", path);
    headers
}

#[derive(Clone, Copy)]
enum Place {
    Query,
    Header,
    Key,
    Cookie,
}

fn places(tape: &mut Tape<'_>) -> Vec<Place> {
    use Place::{Cookie, Header, Key, Query};
    let all: [&[Place]; 10] = [
        &[],
        &[Query],
        &[Query],
        &[Header],
        &[Header],
        &[Cookie],
        &[Cookie],
        &[Query, Cookie],
        &[Key],
        &[Header, Key],
    ];
    tape.pick(&all).to_vec()
}
