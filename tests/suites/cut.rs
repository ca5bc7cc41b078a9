//! `body: { chunked: cut }` where the app answers before it has the whole body: what comes beyond the bound
//! cannot be told by a status any more, and ends the stream.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::json;
use vigile_tests::envoy::{self, Binary};
use vigile_tests::gate::{Gate, HOST, iahome, policy, token};

const BOUND: usize = 4096;

fn main() {
    let arguments = Arguments::from_args();
    let trial = |binary: &Binary| {
        let binary = binary.clone();
        let name = format!("{}/beyond the bound, behind the answer's beginning", binary.version);
        Trial::test(name, move || beyond_the_bound(&binary))
    };
    libtest_mimic::run(&arguments, envoy::binaries().iter().map(trial).collect()).exit();
}

fn beyond_the_bound(binary: &Binary) -> Result<(), Failed> {
    let mut policy = policy(&iahome());
    policy["modules"][0]["routes"][0]["body"] =
        json!({ "media_types": ["image/png"], "max_bytes": BOUND, "chunked": "cut" });
    let gate = Gate::start(binary, &policy);
    let mut stream = TcpStream::connect(gate.address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let head = format!(
        "POST /events HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {}\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n",
        token("iahome")
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(&chunk(BOUND))?;
    // The bound itself is no byte too many: the app answers, and goes on.
    until(&mut stream, b"tick")?;
    until(&mut stream, b"tick")?;
    stream.write_all(&chunk(1))?;
    let rest = to_the_end(&mut stream)?;
    if rest.ends_with(b"0\r\n\r\n") {
        return Err("the stream ended as if nothing had been cut".into());
    }
    if !gate.served.envoy.logs("\"reason\":\"body.too_large\"") {
        return Err(format!("no line tells:\n{}", gate.served.envoy.logged()).into());
    }
    // The worker goes on.
    gate.says(&token("iahome"), 200, "")?;
    Ok(gate.is_sound()?)
}

fn chunk(length: usize) -> Vec<u8> {
    [format!("{length:x}\r\n").as_bytes(), &vec![b'x'; length], b"\r\n"].concat()
}

fn until(stream: &mut TcpStream, what: &[u8]) -> Result<(), Failed> {
    let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
    while !seen.windows(what.len()).any(|window| window == what) {
        match stream.read(&mut piece)? {
            0 => return Err(format!("the stream ended: {}", seen.escape_ascii()).into()),
            read => seen.extend(&piece[..read]),
        }
    }
    Ok(())
}

/// What still comes, until Envoy closes or resets the connection.
fn to_the_end(stream: &mut TcpStream) -> Result<Vec<u8>, Failed> {
    let (mut seen, mut piece) = (Vec::new(), [0; 4096]);
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        match stream.read(&mut piece) {
            Ok(0) => return Ok(seen),
            Ok(read) => seen.extend(&piece[..read]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(seen),
            Err(error) => return Err(format!("the answer went on: {error}").into()),
        }
    }
    Err("the answer went on".into())
}
