//! A client that reads an answer as it comes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// An answer whose body is still to be read.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    stream: BufReader<TcpStream>,
}

/// A connection on which a request was sent.
pub struct Asked(TcpStream);

/// Sends a request without a body. `lines`: its first line, and its headers.
pub fn ask(to: SocketAddr, lines: &[&str]) -> Asked {
    ask_of(to, "app.example.org", lines)
}

/// The same for another host.
pub fn ask_of(to: SocketAddr, host: &str, lines: &[&str]) -> Asked {
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let [first, headers @ ..] = lines else { panic!("no request") };
    let mut head = format!("{first} HTTP/1.1\r\nhost: {host}\r\n");
    headers.iter().for_each(|line| head.push_str(&format!("{line}\r\n")));
    write!(stream, "{head}\r\n").unwrap();
    Asked(stream)
}

/// GET of a path, to its end.
pub fn get(to: SocketAddr, path: &str) -> (Answer, String) {
    let mut answer = ask(to, &[&format!("GET {path}"), "connection: close"]).answer();
    let body = String::from_utf8(answer.rest()).unwrap();
    (answer, body)
}

impl Asked {
    /// The connection, for a body.
    pub fn stream(&self) -> TcpStream {
        self.0.try_clone().unwrap()
    }

    pub fn answer(self) -> Answer {
        let mut stream = BufReader::new(self.0);
        let mut line = || {
            let mut line = String::new();
            stream.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        let first = line();
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no answer, but {first:?}"));
        let lines = std::iter::from_fn(|| Some(line()).filter(|line| !line.is_empty()));
        let pair = |line: String| line.split_once(": ").map(|(n, v)| (n.to_owned(), v.to_owned()));
        let headers = lines.filter_map(pair).collect();
        Answer { status, headers, stream }
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The next chunk; empty for the last one, `None` where the body broke off.
    pub fn chunk(&mut self) -> Option<Vec<u8>> {
        let mut size = String::new();
        self.stream.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim_end(), 16).ok()?;
        let mut chunk = vec![0; size + 2];
        self.stream.read_exact(&mut chunk).ok()?;
        chunk.truncate(size);
        Some(chunk)
    }

    /// All that comes until the connection ends, chunks put together.
    pub fn rest(&mut self) -> Vec<u8> {
        if self.header("transfer-encoding").is_some() {
            let chunks = std::iter::from_fn(|| self.chunk().filter(|chunk| !chunk.is_empty()));
            return chunks.flatten().collect();
        }
        let mut body = Vec::new();
        let _ = self.stream.read_to_end(&mut body);
        body
    }

    /// How many bytes come until the connection ends.
    pub fn count(mut self) -> u64 {
        std::io::copy(&mut self.stream, &mut std::io::sink()).unwrap_or(0)
    }
}
