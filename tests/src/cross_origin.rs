//! What a page of another site may do: the preflights of Envoy's `cors` filter, and who may read an answer.

use crate::caller::{Answer, Call};
use crate::service::Service;

/// What a sample's `cors` filter says to a page that may call.
#[derive(Clone, Copy, Debug)]
pub struct Cors<'c> {
    /// A listed origin.
    pub origin: &'c str,
    pub methods: &'c str,
    pub headers: &'c str,
}

/// Origins that nobody lists and that resemble a listed one, `https://assistant.example.org`.
pub fn strangers(listed: &str) -> Vec<String> {
    let name = listed.strip_prefix("https://").expect("https");
    vec![
        "https://evil.example".into(),
        "null".into(),
        format!("http://{name}"),
        format!("https://{name}.evil.example"),
        format!("https://evil-{name}"),
        format!("https://evil.{name}"),
        format!("https://{name}:8443"),
        format!("https://{name}/"),
        format!("https://{name}, https://evil.example"),
        String::new(),
    ]
}

impl Cors<'_> {
    /// A page of a listed origin is told what it may; one of any other is told nothing. Neither question
    /// reaches the app, whatever it is about.
    #[track_caller]
    pub fn preflights(&self, service: &Service, method: &str, path: &str) {
        let before = service.requests();
        let answer = service.send(&Call::preflight(method, path, self.origin));
        answer.says(200, None);
        answer.has(&[
            ("access-control-allow-origin", self.origin),
            ("access-control-allow-methods", self.methods),
            ("access-control-allow-headers", self.headers),
            ("access-control-allow-credentials", "true"),
            ("access-control-max-age", "600"),
        ]);
        for stranger in strangers(self.origin) {
            let answer = service.send(&Call::preflight(method, path, &stranger));
            not_allowed(&answer);
            // Without an origin it is no preflight (Fetch §3.2.2), and Vigile judges it as what it is.
            match stranger.is_empty() {
                true => assert!(matches!(answer.status, 401 | 404 | 405), "{answer:?}"),
                false => answer.says(200, None),
            }
        }
        assert_eq!(service.requests(), before);
    }

    /// An answer can be read by a page of the listed origin, limits and reason included, and by no other.
    /// `call` is made for each anew.
    #[track_caller]
    pub fn read_by_its_own(&self, service: &Service, status: u16, call: impl Fn() -> Call) {
        let answer = service.send(&call().origin(self.origin));
        assert_eq!(answer.status, status, "{answer:?}");
        answer.has(&[
            ("access-control-allow-origin", self.origin),
            ("access-control-allow-credentials", "true"),
            (
                "access-control-expose-headers",
                "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Vigile-Reason",
            ),
        ]);
        for stranger in strangers(self.origin) {
            not_allowed(&service.send(&call().origin(&stranger)));
        }
        not_allowed(&service.send(&call()));
    }
}

/// Without this header a browser lets the page neither call nor read. (To a stranger's preflight Envoy says
/// which methods there are all the same.)
#[track_caller]
fn not_allowed(answer: &Answer) {
    assert_eq!(answer.header("access-control-allow-origin"), None, "{answer:?}");
}
