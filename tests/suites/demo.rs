//! `vigile demo`, as `./build.sh demo` starts it: its addresses answer as it says, and nothing of it is left
//! behind.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};
use vigile_tests::wire::{self, Answer};
use vigile_tests::{envoy, tools};

fn main() {
    let arguments = Arguments::from_args();
    let name = "demo/its addresses answer and it leaves nothing behind";
    let trial = match tools::envoys() {
        Ok(_) => Trial::test(name, the_demo),
        Err(missing) => tools::skipped(name, missing),
    };
    libtest_mimic::run(&arguments, vec![trial]).exit();
}

const PATIENCE: Duration = Duration::from_secs(60);

/// A running demo.
struct Demo {
    child: Child,
    output: BufReader<ChildStdout>,
    said: String,
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Only where a check failed is it still there. Asked to, it ends its Envoy.
        if matches!(self.child.try_wait(), Ok(None)) {
            signal(&self.child, "TERM");
            let _ = self.child.wait();
        }
    }
}

impl Demo {
    fn start() -> Self {
        let mut child = Command::new(tools::vigile())
            .args(["demo", "--port", "0", "--envoy"])
            .arg(envoy::newest().path)
            .arg("--wasm")
            .arg(envoy::module())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("vigile can be run");
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output, said: String::new() }
    }

    /// Reads until a line holds this.
    fn read_until(&mut self, wanted: &str) {
        loop {
            let mut line = String::new();
            let read = self.output.read_line(&mut line).unwrap();
            self.said.push_str(&line);
            assert!(read > 0, "the demo ended without {wanted:?}:\n{}", self.said);
            if line.contains(wanted) {
                return;
            }
        }
    }

    /// The first address that it printed for a host.
    fn address(&self, host: &str) -> (String, SocketAddr) {
        let (_, rest) = self.said.split_once(&format!("http://{host}:")).expect("an address");
        let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
        (format!("{host}:{port}"), ([127, 0, 0, 1], port.parse().unwrap()).into())
    }
}

fn signal(child: &Child, name: &str) {
    let _ = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
}

fn ask((host, address): &(String, SocketAddr), line: &str, headers: &str) -> Answer {
    let mut stream = TcpStream::connect(address).expect("the address answers");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    wire::read(&mut stream, false).expect("an answer")
}

fn header(answer: &Answer, name: &str) -> String {
    let value = answer.headers.iter().find(|(known, _)| known == name);
    value.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
}

const IN_A_FRAME: &str =
    "Sec-Fetch-Dest: iframe\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: cross-site\r\n";

fn the_demo() -> Result<(), Failed> {
    let mut demo = Demo::start();
    demo.read_until("Ctrl-C stops everything");
    let platform = demo.address("iahome.localhost");
    let module = demo.address("stablediffusion.localhost");

    let page = ask(&platform, "GET /", "");
    assert_eq!((page.status, header(&page, "cache-control").as_str()), (200, "no-store"));
    assert!(String::from_utf8_lossy(&page.body).contains(&module.0), "the page names the module");
    assert_eq!(ask(&platform, "GET /vigile-frame.js", "").status, 200);

    let refused = ask(&module, "GET /", "Sec-Fetch-Dest: document\r\n");
    assert_eq!(
        (refused.status, header(&refused, "vigile-reason").as_str()),
        (403, "embed.top_level")
    );
    demo.read_until("GET /: embed.top_level");
    for (kind, reason) in
        [("expired", "token.expired"), ("forged", "token.signature"), ("foreign", "token.module")]
    {
        let framed = ask(&module, &format!("GET /?token={}", token(&platform, kind)), IN_A_FRAME);
        assert_eq!(header(&framed, "vigile-reason"), reason);
    }
    let framed = ask(&module, &format!("GET /?token={}", token(&platform, "good")), IN_A_FRAME);
    assert_eq!((framed.status, header(&framed, "location").as_str()), (303, "/?vigile-opened"));
    let cookie = header(&framed, "set-cookie");
    let cookie = format!("{IN_A_FRAME}Cookie: {}\r\n", cookie.split(';').next().unwrap());
    let app = ask(&module, "GET /", &cookie);
    assert!(app.status == 200 && String::from_utf8_lossy(&app.body).contains("alice"));

    let folder =
        demo.said.split("tail -f ").nth(1).and_then(|rest| rest.split("/access.log").next());
    let folder = folder.expect("where the access log is").to_owned();
    let log = std::fs::read_to_string(format!("{folder}/access.log"))?;
    assert!(log.contains("embed.top_level") && !log.contains("token="), "{log}");
    signal(&demo.child, "TERM");
    demo.read_until("Stopping Envoy");
    assert!(demo.child.wait()?.success());
    assert!(!std::path::Path::new(&folder).exists(), "{folder} is left");
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect(module.1).is_ok() {
        assert!(Instant::now() < deadline, "Envoy is left");
    }
    Ok(())
}

fn token(platform: &(String, SocketAddr), kind: &str) -> String {
    let answer = ask(platform, &format!("POST /tokens?kind={kind}"), "");
    let answer: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    answer["token"].as_str().expect("a token").to_owned()
}
