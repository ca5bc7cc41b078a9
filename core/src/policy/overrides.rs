//! Overrides: headers by which a client would have an app see another method or path than Vigile judged (docs/rules.md,
//! rule 3).

/// Their names, in the order of their letters and digits alone.
///
/// Methods: Google's, Microsoft's and IBM's spelling, which Express's method-override, Symfony, Laravel, Rack and others read.
/// Paths that take the place of the request's: IIS and its modules, and what copies them (Symfony, Zend: `X-Original-URL`,
/// `X-Rewrite-URL`), Azure (`X-MS-Original-URL`, `X-WAWS-Unencoded-URL`), the WSGI snippets for Vercel (`X-Matched-Path`,
/// `X-Invoke-Path`, `X-Real-Path`). Prefixes that are cut off the path, or put before it: gunicorn (`SCRIPT_NAME`,
/// `PATH_INFO`), Werkzeug, Spring, Traefik (`X-Forwarded-Prefix`, `X-Replaced-Path`), the snippet for WSGI that calibre-web,
/// klaus and many others carry (`X-Script-Name`), mod_wsgi and Plack (`X-Forwarded-Script-Name`, `X-Traversal-Path`), Knox
/// and NiFi (`X-Forwarded-Context`, `X-ProxyContextPath`), Home Assistant (`X-Ingress-Path`).
pub const OVERRIDES: [&str; 26] = [
    "path-info",
    "script-name",
    "x-forwarded-context",
    "x-forwarded-path",
    "x-forwarded-prefix",
    "x-forwarded-script-name",
    "x-forwarded-uri",
    "x-http-method",
    "x-http-method-override",
    "x-ingress-path",
    "x-invoke-path",
    "x-matched-path",
    "x-method-override",
    "x-ms-original-url",
    "x-original-path",
    "x-original-pathname",
    "x-original-uri",
    "x-original-url",
    "x-proxycontextpath",
    "x-real-path",
    "x-replaced-path",
    "x-rewrite-uri",
    "x-rewrite-url",
    "x-script-name",
    "x-traversal-path",
    "x-waws-unencoded-url",
];

/// The override that an app could take a header for: CGI, WSGI and Rack read `X_HTTP_Method_Override` as the same.
pub fn override_named(name: &str) -> Option<&'static str> {
    let first = letters(name).next()?;
    if name.starts_with(':') || !matches!(first, b'p' | b's' | b'x') {
        return None;
    }
    let at = OVERRIDES.binary_search_by(|known| letters(known).cmp(letters(name))).ok()?;
    OVERRIDES.get(at).copied()
}

fn letters(name: &str) -> impl Iterator<Item = u8> {
    name.bytes().filter(u8::is_ascii_alphanumeric).map(|byte| byte.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{OVERRIDES, letters, override_named};

    #[test]
    fn each_is_found_however_it_is_spelt() {
        assert!(OVERRIDES.is_sorted_by(|one, other| letters(one).lt(letters(other))));
        for name in OVERRIDES {
            for spelt in
                [name.to_owned(), name.replace('-', "_"), name.to_uppercase(), format!("-{name}.")]
            {
                assert_eq!(override_named(&spelt), Some(name));
            }
        }
        for other in
            ["", "-", ":path-info", "x-forwarded-for", "x-script-names", "xx-script-name", "path"]
        {
            assert_eq!(override_named(other), None, "{other}");
        }
    }
}
