//! Which keys of a policy the model reads. A key of the schema that stands in neither list has not been thought of.

/// The keys that the model reads, each by its own name.
pub const REGARDED: [&str; 51] = [
    "addresses",
    "allow",
    "ancestors",
    "any_of",
    "api_key",
    "api_keys",
    "body",
    "client_address",
    "close_at_exp",
    "concurrency",
    "cookie",
    "credentials",
    "deny",
    "embed",
    "env",
    "forward",
    "header",
    "hosts",
    "issuer",
    "issuers",
    "json",
    "keep_credentials",
    "keep_overrides",
    "key",
    "leeway",
    "max_bytes",
    "media_types",
    "methods",
    "min_length",
    "mode",
    "module_claim",
    "modules",
    "name",
    "not_after",
    "not_before",
    "optional",
    "path",
    "paths",
    "public",
    "query",
    "refresh",
    "require_exp",
    "require_headers",
    "roles",
    "roles_claim",
    "routes",
    "sha256",
    "subprotocol",
    "token",
    "trusted_proxies",
    "typ",
];

/// The keys that it passes over, and why it may.
pub const PASSED_OVER: [(&str, &[&str]); 5] = [
    // A signature holds by one of the keys of the ring, or by none; the corpus has which key is whose.
    (
        "keys of issuers",
        &["algorithms", "encoding", "jwk", "jwks", "keys", "kid", "public_key", "secret"],
    ),
    // They refuse more than the model does.
    (
        "what refuses",
        &[
            "audiences",
            "claims",
            "issued_before",
            "jti",
            "max_lifetime",
            "only",
            "origins",
            "path_prefix",
            "revoked",
        ],
    ),
    // Of a body the model knows that it is JSON, and how long it may be; `chat` knows the fields of one.
    (
        "what stands in a body",
        &["chunked", "forbid", "max", "max_length", "min", "pattern", "type"],
    ),
    // An answer of Vigile's own, and what is done to the app's: `verdicts` looks at both for what no policy can choose.
    (
        "answers",
        &[
            "app_cookies",
            "csp",
            "headers",
            "logout",
            "platform",
            "security_headers",
            "shared_cache",
            "status",
        ],
    ),
    (
        "what is told and kept",
        &["claim", "events", "log", "mask", "prefix", "remember_tokens", "vigile"],
    ),
];
