//! What Chromium sent, from its own log of the network.

use std::path::Path;

use serde_json::Value;

/// The requests of a browser that has ended.
pub struct NetLog {
    requests: Vec<Sent>,
}

/// The headers of one request as they left the browser, `name: value`, in its order; HTTP/2 puts
/// `:path` among them, and of HTTP/1.1 the request line stands first.
#[derive(Clone, Debug)]
pub struct Sent {
    pub headers: Vec<String>,
}

impl NetLog {
    /// Reads `--log-net-log`'s file.
    pub fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let log: Value = serde_json::from_str(&text).unwrap();
        let number = |name: &str| log["constants"]["logEventTypes"][name].as_i64().unwrap();
        let kinds = [
            number("HTTP_TRANSACTION_HTTP2_SEND_REQUEST_HEADERS"),
            number("HTTP_TRANSACTION_SEND_REQUEST_HEADERS"),
        ];
        let events = log["events"].as_array().unwrap().iter();
        let sent =
            events.filter(|event| event["type"].as_i64().is_some_and(|it| kinds.contains(&it)));
        let requests: Vec<Sent> = sent.filter_map(|event| Sent::read(&event["params"])).collect();
        assert!(!requests.is_empty(), "the net log knows of no request");
        Self { requests }
    }

    /// The requests that went to a host.
    pub fn to<'l>(&'l self, host: &'l str) -> impl Iterator<Item = &'l Sent> {
        self.requests.iter().filter(move |sent| sent.host() == Some(host))
    }

    /// Every header line, of whatever request.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.requests.iter().flat_map(|sent| sent.headers.iter().map(String::as_str))
    }
}

impl Sent {
    fn read(parameters: &Value) -> Option<Self> {
        let headers = parameters["headers"].as_array()?.iter();
        let headers = headers.filter_map(|header| header.as_str().map(str::to_owned));
        let line = parameters["line"].as_str().map(|line| line.trim().to_owned());
        Some(Self { headers: line.into_iter().chain(headers).collect() })
    }

    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|header| {
            let (known, value) = header.split_once(": ")?;
            known.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    fn host(&self) -> Option<&str> {
        self.header(":authority").or_else(|| self.header("host"))
    }

    /// The path, with the query.
    pub fn path(&self) -> &str {
        let line = || self.headers.first().and_then(|line| line.split(' ').nth(1));
        self.header(":path").or_else(line).unwrap_or_default()
    }
}
