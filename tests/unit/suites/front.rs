//! `nginx-unit/envoy.yaml` in real Envoys, before Unit: nothing that it lets through ends the process.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use libtest_mimic::Arguments;
use vigile_tests::envoy::Binary;
use vigile_tests::keys::RING;
use vigile_tests::sample::Sample;
use vigile_tests::tools;
use vigile_unit_tests::config::{application, policy, rendered, text};
use vigile_unit_tests::corpus::component;
use vigile_unit_tests::guest::Guest;
use vigile_unit_tests::unit::Unit;

const NAME: &str = "stable-diffusion";

fn main() {
    let arguments = Arguments::from_args();
    let trial = tools::with("nginx-unit/envoy.yaml", tools::envoys(), |envoys| {
        let unit = unit();
        envoys.iter().for_each(|binary| before(binary, &unit));
    });
    libtest_mimic::run(&arguments, vec![trial]).exit();
}

/// Unit without the routes that the README has an operator take out behind this Envoy.
fn unit() -> Unit {
    let secret = RING.environment()["IAHOME_JWT_SECRET"].clone();
    let mut config = rendered(
        "config.json",
        // Envoy tells its own address of a caller on the loopback, which may be one of `.env.example`.
        &[("IAHOME_JWT_SECRET", &secret), ("STABLE_DIFFUSION_OPERATORS", "198.51.100.7")],
    );
    let routes = config["routes"][NAME].as_array_mut().unwrap();
    let taken = routes.extract_if(1..3, |route| {
        let conditions = route["match"].as_object().unwrap();
        conditions.contains_key("query") || conditions.contains_key("uri")
    });
    assert_eq!(taken.count(), 2);
    let policy = policy(NAME, &[]);
    let files = [("stable-diffusion.json", policy.as_str())];
    Unit::start(&Guest::load(&component()), application(&config, NAME, "/etc/vigile", &files))
}

fn before(binary: &Binary, unit: &Unit) {
    let text = text("envoy.yaml", &[]);
    let tls = text.find("- transport_socket:").unwrap();
    let filters = tls + text[tls..].find("filters:").unwrap();
    let plain = format!("{}- {}", &text[..tls], &text[filters..]);
    let sample = Sample::of("nginx-unit", plain);
    let sample = sample.upstream("127.0.0.1:8081", unit.address());
    let sample = sample.upstream("127.0.0.1:8082", unit.address());
    let envoy = sample.start(binary, &BTreeMap::new()).unwrap();
    let to = envoy.listener("https");
    for (target, header, body) in REFUSED {
        let (status, reason) = asked(to, target, header, body);
        let shown = (target.escape_ascii().to_string(), header.escape_ascii().to_string());
        assert_eq!((status, reason), (400, None), "{}: {shown:?}", binary.version);
        assert_eq!(unit.aborts(), 0, "{}: {shown:?}", binary.version);
    }
    for (target, header, body) in PASSED {
        let (status, reason) = asked(to, target, header, body);
        assert_eq!(
            (status, reason.as_deref()),
            (401, Some("token.missing")),
            "{}: {}",
            binary.version,
            target.escape_ascii()
        );
    }
    // Whatever a caller says of his address, Unit has it from Envoy.
    let lie = asked(to, b"/monitoring", b"x-forwarded-for: 198.51.100.7", b"");
    assert_eq!(lie, (403, None), "{}", binary.version);
    assert_eq!(unit.aborts(), 0);
}

type Asked = (&'static [u8], &'static [u8], &'static [u8]);

const REFUSED: [Asked; 14] = [
    (b"/a b", b"", b""),
    (b"/a\x01b", b"", b""),
    (b"/a\x7fb", b"", b""),
    (b"/a\xff", b"", b""),
    (b"/a<", b"", b""),
    (b"/a>", b"", b""),
    (b"/a`", b"", b""),
    (b"/a#\xff", b"", b""),
    (b"/?q=\"", b"", b""),
    (b"/?q=<", b"", b""),
    (b"/?q=\xff", b"", b""),
    (b"/", b"x-a: b\x7f", b""),
    (b"/", b"x-a: b\xff", b""),
    (b"/", b"x-a: b\x01", b""),
];

const CHUNKS: &[u8] = b"3\r\nabc\r\n0\r\n\r\n";

/// To Vigile, who asks for a token.
const PASSED: [Asked; 6] = [
    (b"/?q=a%20b", b"", b""),
    (b"/?q=a+b", b"", b""),
    (b"/?q=%22", b"", b""),
    (b"/a%20b.png", b"", b""),
    (b"/caf%C3%A9.png", b"", b""),
    (b"/upload", b"transfer-encoding: chunked", CHUNKS),
];

/// The status, and Vigile's reason where it gave one.
fn asked(to: SocketAddr, target: &[u8], header: &[u8], body: &[u8]) -> (u16, Option<String>) {
    let method = if body.is_empty() { b"GET " } else { &b"PUT "[..] };
    let host =
        b" HTTP/1.1\r\nhost: stablediffusion.regispailler.fr\r\naccept: application/json\r\n";
    let header = if header.is_empty() { b"x-a: b" } else { header };
    let head = [method, target, host, b"connection: close\r\n", header, b"\r\n\r\n", body];
    let mut stream = TcpStream::connect(to).unwrap();
    stream.write_all(&head.concat()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let reason = answer.lines().find_map(|line| line.strip_prefix("vigile-reason: "));
    (status.unwrap_or_else(|| panic!("no answer, but {answer:?}")), reason.map(str::to_owned))
}
