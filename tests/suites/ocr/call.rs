//! A call of the service, as Django or a stranger makes it.

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use socket2::{Domain, Socket, Type};
use vigile_tests::keys::{SERVICE_API_KEY, SERVICE_API_KEY_NEXT};
use vigile_tests::wire;

use super::stage::PROVIDER_KEY;

/// Where Django calls from: `ALLOWED_IPS` has it and one more.
pub(crate) const DJANGO: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// Where nobody who is known calls from.
pub(crate) const STRANGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

const IMAGE: &[u8] = b"\xff\xd8\xff\xe0 a wound \xff\xd9";

/// A request on its way.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    method: &'static str,
    path: String,
    from: Ipv4Addr,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Call {
    /// GET from a stranger.
    pub(crate) fn get(path: &str) -> Self {
        let headers = Vec::new();
        Self { method: "GET", path: path.into(), from: STRANGER, headers, body: Vec::new() }
    }

    /// POST from a stranger, with JSON.
    pub(crate) fn post(path: &str, json: &Value) -> Self {
        let call = Self { method: "POST", body: json.to_string().into(), ..Self::get(path) };
        call.with("content-type", "application/json")
    }

    /// `curl -X POST …/v1/analyze-wound -F "wound_image=@wound.jpg"`, from a stranger.
    pub(crate) fn analyze() -> Self {
        Self::analyze_image(IMAGE)
    }

    /// The same with this image.
    pub(crate) fn analyze_image(image: &[u8]) -> Self {
        let head = "--wound\r\nContent-Disposition: form-data; name=\"wound_image\"; filename=\"wound.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n";
        let body = [head.as_bytes(), image, b"\r\n--wound--\r\n"].concat();
        let call = Self { method: "POST", body, ..Self::get("/v1/analyze-wound") };
        call.with("content-type", "multipart/form-data; boundary=wound")
    }

    #[must_use]
    pub(crate) fn from(self, from: Ipv4Addr) -> Self {
        Self { from, ..self }
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub(crate) fn key(self, key: &str) -> Self {
        self.with("authorization", &format!("Bearer {key}"))
    }

    /// On a connection of its own. No answer may hold a key.
    pub(crate) fn send(&self, to: SocketAddr) -> Answer {
        self.try_send(to).unwrap_or_else(|error| panic!("{self:?}: {error}"))
    }

    /// The same, where it may be that nobody answers.
    pub(crate) fn try_send(&self, to: SocketAddr) -> std::io::Result<Answer> {
        let mut stream = connect(self.from, to)?;
        self.send_on(&mut stream, "close")
    }

    /// The same behind the line by which a proxy tells whom it speaks for (PROXY protocol, version 1).
    pub(crate) fn send_by_proxy(&self, client: &str, to: SocketAddr) -> Answer {
        let mut stream = connect(self.from, to).unwrap();
        write!(stream, "PROXY TCP4 {client} 127.0.0.1 50000 80\r\n").unwrap();
        self.send_on(&mut stream, "close").unwrap()
    }

    /// On a connection that is there already.
    pub(crate) fn send_on(
        &self,
        stream: &mut TcpStream,
        connection: &str,
    ) -> std::io::Result<Answer> {
        stream.write_all(&self.bytes(connection))?;
        let wire::Answer { status, headers, body } = wire::read(stream, false)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let headers = headers.iter().map(|(name, value)| (name.clone(), text(value))).collect();
        let answer = Answer { status, headers, body: text(&body) };
        for key in [SERVICE_API_KEY, SERVICE_API_KEY_NEXT, PROVIDER_KEY] {
            assert!(!format!("{answer:?}").contains(key), "an answer holds a key: {answer:?}");
        }
        Ok(answer)
    }

    fn bytes(&self, connection: &str) -> Vec<u8> {
        let own = format!(
            "{} {} HTTP/1.1\r\nHost: ocr.example.org\r\nConnection: {connection}\r\nContent-Length: {}\r\n",
            self.method,
            self.path,
            self.body.len()
        );
        let headers: String =
            self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        [own.as_bytes(), headers.as_bytes(), b"\r\n", &self.body].concat()
    }
}

/// A connection from an address of this machine.
pub(crate) fn connect(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect(&to.into())?;
    socket.set_read_timeout(Some(Duration::from_secs(30)))?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

impl Answer {
    /// Every value of a header, joined.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values = self.headers.iter().filter(|(known, _)| known == name);
        let values: Vec<&str> = values.map(|(_, value)| value.as_str()).collect();
        (!values.is_empty()).then(|| values.join(" + "))
    }

    /// Whether the connection ends with it.
    pub(crate) fn is_last(&self) -> bool {
        self.header("connection").as_deref() == Some("close")
    }

    /// Asserts the status, and the whole body as JSON: each member, in its order.
    #[track_caller]
    pub(crate) fn is(&self, status: u16, body: &Value) {
        let json: Value = serde_json::from_str(&self.body).unwrap_or_default();
        assert_eq!((self.status, json.to_string()), (status, body.to_string()), "{self:?}");
        assert_eq!(self.header("content-type").as_deref(), Some("application/json"), "{self:?}");
    }

    /// Asserts the status, and the reason where Vigile refused.
    #[track_caller]
    pub(crate) fn says(&self, status: u16, reason: Option<&str>) {
        let said = self.header("vigile-reason");
        assert_eq!((self.status, said.as_deref()), (status, reason), "{self:?}");
    }
}
