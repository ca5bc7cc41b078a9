//! Origins (RFC 6454) and the hosts in them.

use std::fmt;

/// A scheme, a host and a port: what a browser means by "the same site asked".
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    scheme: Scheme,
    host: Host,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Scheme {
    Https,
    Http,
    /// A scheme of an extension or of an app on the device: one of [`APP_SCHEMES`].
    App(&'static str),
}

/// The schemes of pages that come with an extension or with an app on the device, and are sent as `Origin` like those of the
/// web: browser extensions, Capacitor and Ionic, Tauri, Electron's usual name, and panels in VS Code.
pub const APP_SCHEMES: [&str; 8] = [
    "chrome-extension",
    "moz-extension",
    "safari-web-extension",
    "capacitor",
    "ionic",
    "tauri",
    "app",
    "vscode-webview",
];

/// A host and a port as a request names them: case folded, the final dot and nothing else ignored.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Host {
    /// In lower case.
    pub name: String,
    /// The port, where one is named.
    pub port: Option<u16>,
}

impl Host {
    /// Reads `example.org`, `EXAMPLE.org.:8443`, `192.0.2.1:80`, `[2001:db8::1]:443`.
    pub fn parse(authority: &[u8]) -> Option<Self> {
        let authority = std::str::from_utf8(authority).ok()?;
        let (name, port) = match authority.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, Some(port)),
            _ => (authority, None),
        };
        let port = match port {
            Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(port.parse().ok()?)
            }
            Some(_) => return None,
            None => None,
        };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        is_host(&name).then_some(Self { name, port })
    }

    /// Whether the name can only mean this machine (RFC 6761 §6.3, and loopback addresses).
    pub(crate) fn is_local(&self) -> bool {
        let name = self.name.as_str();
        name == "localhost"
            || name.ends_with(".localhost")
            || name == "127.0.0.1"
            || name == "[::1]"
    }
}

/// Letters, digits, `-`, `_` and dots between them, or an IPv6 address in brackets.
fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    match name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.len() <= 253 && name.split('.').all(label),
    }
}

impl Origin {
    /// Reads `https://iahome.fr` or `http://localhost:7860`; `null`, a path or a wildcard is no origin.
    ///
    /// ```
    /// use vigile_core::Origin;
    /// assert_eq!(Origin::parse(b"HTTPS://iahome.fr:443"), Origin::parse(b"https://iahome.fr"));
    /// assert_eq!(Origin::parse(b"null"), None);
    /// ```
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (scheme, authority) = text.split_once("://")?;
        let host = Host::parse(authority.as_bytes())?;
        match scheme.to_ascii_lowercase().as_str() {
            "https" => Some(Self::new(true, host)),
            "http" => Some(Self::new(false, host)),
            other => {
                let scheme = APP_SCHEMES.into_iter().find(|known| *known == other)?;
                Some(Self { scheme: Scheme::App(scheme), host })
            }
        }
    }

    /// The origin of a page at this host; the scheme's own port goes without saying.
    pub(crate) fn new(secure: bool, host: Host) -> Self {
        let own = if secure { 443 } else { 80 };
        let port = host.port.filter(|port| *port != own);
        let scheme = if secure { Scheme::Https } else { Scheme::Http };
        Self { scheme, host: Host { port, ..host } }
    }

    /// Tells whether nobody on the way can write its pages: https, and what lies on the device.
    pub fn is_secure(&self) -> bool {
        self.scheme != Scheme::Http
    }

    /// Tells whether its pages come from the web, and not with an extension or an app.
    pub fn is_of_the_web(&self) -> bool {
        matches!(self.scheme, Scheme::Https | Scheme::Http)
    }

    /// Tells whether its host is below the host of `parent`, by the same scheme and port.
    pub(crate) fn is_below(&self, parent: &Self) -> bool {
        let above = self.host.name.strip_suffix(parent.host.name.as_str());
        let is_name =
            above.and_then(|above| above.strip_suffix('.')).is_some_and(|name| !name.is_empty());
        is_name && self.scheme == parent.scheme && self.host.port == parent.host.port
    }

    /// The host's name.
    pub fn host_name(&self) -> &str {
        &self.host.name
    }

    /// Whether its pages stand at this host, whatever the scheme and the port.
    pub(crate) fn is_at(&self, host: &Host) -> bool {
        self.host.name == host.name
    }

    /// Whether it can only be this machine.
    pub fn is_local(&self) -> bool {
        self.host.is_local()
    }

    /// The origin of an address, as a Referer gives it: what follows the authority is cut.
    pub(crate) fn of_address(address: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(address).ok()?;
        let (scheme, rest) = text.split_once("://")?;
        let authority = rest.split(['/', '?', '#', '\\']).next()?;
        Self::parse(format!("{scheme}://{authority}").as_bytes())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Https => "https",
            Scheme::Http => "http",
            Scheme::App(scheme) => scheme,
        };
        write!(f, "{scheme}://{}", self.host.name)?;
        self.host.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Host, Origin};

    #[test]
    fn a_host_is_what_its_name_says() {
        let host = |text: &str| Host::parse(text.as_bytes()).map(|host| (host.name, host.port));
        assert_eq!(host("Example.ORG.:8443"), Some(("example.org".into(), Some(8443))));
        assert_eq!(host("[2001:db8::1]:443"), Some(("[2001:db8::1]".into(), Some(443))));
        assert_eq!(host("[::1]"), Some(("[::1]".into(), None)));
        for bad in
            ["", ".", "a..b", "a b", "a/b", "a@b", "a:b", "a:99999", "[::1", "é.fr", "a:", "a,b"]
        {
            assert_eq!(host(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_origin_has_neither_path_nor_user() {
        for bad in [
            "https://a/",
            "https://u@a",
            "https://*.a",
            "//a",
            "a",
            "null",
            "ftp://a",
            "https://",
            "tauri:",
        ] {
            assert_eq!(Origin::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn pages_of_extensions_and_apps_have_origins() {
        for one in ["chrome-extension://abcdefghijklmnopabcdefghijklmnop", "tauri://localhost"] {
            let origin = Origin::parse(one.as_bytes());
            assert_eq!(origin.as_ref().map(ToString::to_string).as_deref(), Some(one));
            assert!(origin.is_some_and(|origin| origin.is_secure() && !origin.is_of_the_web()));
        }
        assert_ne!(Origin::parse(b"tauri://localhost"), Origin::parse(b"https://localhost"));
    }

    #[test]
    fn a_host_below_another_ends_like_it() {
        let parent = Origin::parse(b"https://iahome.fr").unwrap();
        let below = |one: &str| Origin::parse(one.as_bytes()).unwrap().is_below(&parent);
        assert!(below("https://a.iahome.fr") && below("https://a.b.iahome.fr"));
        for other in [
            "https://iahome.fr",
            "https://aiahome.fr",
            "http://a.iahome.fr",
            "https://a.iahome.fr:444",
            "https://iahome.fr.evil.example",
        ] {
            assert!(!below(other), "{other}");
        }
    }

    #[test]
    fn a_referer_gives_its_origin() {
        let origin = Origin::of_address(b"https://iahome.fr/card?x=https://evil.example");
        assert_eq!(origin, Origin::parse(b"https://iahome.fr"));
        assert_eq!(
            Origin::of_address(b"https://iahome.fr\\@evil.example"),
            Origin::parse(b"https://iahome.fr")
        );
        assert_eq!(Origin::of_address(b"https://iahome.fr@evil.example/"), None);
    }
}
