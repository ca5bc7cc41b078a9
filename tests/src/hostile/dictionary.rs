//! The words that hostile requests are made of; what stands there more often comes more often.

use std::sync::LazyLock;

pub static METHODS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    vec![
        "GET", "GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "DELETE", "PUT", "get", "CONNECT",
        "",
    ]
});

/// The headers that Vigile reads or writes, and names that fold to them.
pub static NAMES: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "authorization authorization authorization x-api-key x-token cookie cookie cookie origin referer
     accept accept-language sec-fetch-dest sec-fetch-mode sec-fetch-site upgrade sec-websocket-protocol x-request-id
     x-justification x-user-id x_user_id x--user.id xuserid x-user-plan x-gate x-roles x-number x-provider
     path authority x-http-method-override x_http_method_override x-http-method x-original-url
     x_rewrite_url x-forwarded-proto x-forwarded-for connection te content-length content-type content-encoding
     proxy-authorization"
        .split_whitespace()
        .collect()
});

/// Values of every kind of header, a line each.
pub static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "
iframe
frame
document
empty
navigate
cors
cross-site
same-site
same-origin
none
https://iahome.fr
https://evil.example
null
https://iahome.fr/x?y
text/html
text/html;q=0.9, */*
application/json
fr
fr-FR,en;q=0.5
en;q=0
websocket
WebSocket, h2c
https
http
root
admin
because the customer asked for it
short
Basic dXNlcjpwdw==
gzip
identity
Bearer
bearer a.b.c
DELETE
<script>x9</script>
\u{202e}é"
        .lines()
        .collect()
});

/// What is put into paths.
pub static TRICKS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let words = "/ / // /./ /../ /..;/ %2f %252f %2e%2e %5c \\ ;a=b %3b %00 %2500 # %23 %3f é %zz a b x admin
                 ADMIN health %61dmin page";
    words.split_whitespace().chain([" ", "\t"]).collect()
});

/// What browsers say of a request: destination, mode, site, and who asks.
pub static SAID: [&[(&str, &str)]; 12] = [
    &[],
    &[("accept", "text/html")],
    &[
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "cross-site"),
    ],
    &[
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "same-origin"),
    ],
    &[("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate"), ("sec-fetch-site", "none")],
    &[
        ("sec-fetch-dest", "document"),
        ("sec-fetch-mode", "navigate"),
        ("sec-fetch-site", "cross-site"),
        ("referer", "https://evil.example/x9"),
    ],
    &[
        ("sec-fetch-dest", "document"),
        ("sec-fetch-mode", "navigate"),
        ("referer", "https://iahome.fr/card"),
    ],
    &[("sec-fetch-dest", "empty"), ("sec-fetch-mode", "cors"), ("sec-fetch-site", "same-origin")],
    &[
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://iahome.fr"),
    ],
    &[
        ("sec-fetch-dest", "empty"),
        ("sec-fetch-mode", "cors"),
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ],
    &[("upgrade", "websocket"), ("connection", "upgrade"), ("origin", "https://evil.example")],
    &[("upgrade", "websocket"), ("connection", "upgrade")],
];
