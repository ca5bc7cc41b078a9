//! The same in Envoy's own filters: `jwt_authn` or `api_key_auth`, `rbac`, headers by the virtual host, and
//! an access log of refusals in the form of Vigile's lines.

use jwt_simple::prelude::{ECDSAP256PublicKeyLike, ES256KeyPair, Ed25519KeyPair, RS256KeyPair};
use serde_json::{Value, json};
use vigile_policy::Algorithm;
use vigile_tests::keys::{RING, SERVICE_API_KEY};

use crate::case::{Case, Presented};
use crate::policy::{CLIENT, HEADERS, NETWORKS, PUBLIC};
use crate::tokens::{MODULE, base64, key};

/// The filters that stand in Vigile's place.
pub fn filters(case: &Case, cache: bool) -> Vec<Value> {
    match case.presented {
        Presented::Tokens(algorithm, ..) => vec![jwt_authn(algorithm, cache), rbac(true)],
        Presented::Nothing => vec![jwt_authn(Algorithm::Hs256, cache), rbac(true)],
        Presented::ApiKey => vec![api_key_auth(), rbac(false)],
    }
}

fn jwt_authn(algorithm: Algorithm, cache: bool) -> Value {
    let jwks = json!({ "keys": [jwk(algorithm)] });
    let mut provider = json!({
        "local_jwks": { "inline_string": jwks.to_string() },
        "forward": false,
        "require_expiration": true,
        "claim_to_headers": [{ "header_name": "x-user-id", "claim_name": "sub" }],
        "payload_in_metadata": "payload",
    });
    if cache {
        provider["jwt_cache_config"] = json!({ "jwt_cache_size": 1000 });
    }
    filter(
        "jwt_authn",
        "JwtAuthentication",
        json!({
            "providers": { "iahome": provider },
            "rules": [
                { "match": { "path": PUBLIC } },
                { "match": { "prefix": "/" }, "requires": { "provider_name": "iahome" } },
            ],
        }),
    )
}

fn api_key_auth() -> Value {
    filter(
        "api_key_auth",
        "ApiKeyAuth",
        json!({
            "credentials": [{ "key": SERVICE_API_KEY, "client": CLIENT }],
            "key_sources": [{ "header": "authorization" }],
            "forwarding": { "header": "x-user-id", "hide_credentials": true },
        }),
    )
}

fn rbac(by_module: bool) -> Value {
    let address = |network: &str| {
        let (prefix, length) = network.split_once('/').expect("a network");
        let length: u32 = length.parse().expect("a length");
        json!({ "remote_ip": { "address_prefix": prefix, "prefix_len": length } })
    };
    let addresses = json!({ "or_ids": { "ids": NETWORKS.map(address) } });
    let module = json!({ "sourced_metadata": { "metadata_matcher": {
        "filter": "envoy.filters.http.jwt_authn",
        "path": [{ "key": "payload" }, { "key": "moduleName" }],
        "value": { "string_match": { "exact": MODULE } },
    } } });
    let ids = if by_module { vec![addresses, module] } else { vec![addresses] };
    let anything = json!([{ "any": true }]);
    filter(
        "rbac",
        "RBAC",
        json!({ "rules": { "action": "ALLOW", "policies": {
        "guarded": { "permissions": anything, "principals": [{ "and_ids": { "ids": ids } }] },
        "public": { "permissions": [{ "url_path": { "path": { "exact": PUBLIC } } }], "principals": anything },
    } } }),
    )
}

fn filter(name: &str, message: &str, mut config: Value) -> Value {
    config["@type"] =
        format!("type.googleapis.com/envoy.extensions.filters.http.{name}.v3.{message}").into();
    json!({ "name": format!("envoy.filters.http.{name}"), "typed_config": config })
}

/// What the virtual host sets.
pub fn response_headers() -> Vec<Value> {
    let set = |(name, value): (&str, &str)| json!({ "header": { "key": name, "value": value }, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD" });
    HEADERS.map(set).into()
}

/// The same on refusals, which no virtual host reaches (seen on 1.40).
pub fn local_replies() -> Value {
    json!({ "mappers": [{ "filter": refusals(), "headers_to_add": response_headers() }] })
}

fn refusals() -> Value {
    let value = json!({ "default_value": 400, "runtime_key": "refused" });
    json!({ "status_code_filter": { "comparison": { "op": "GE", "value": value } } })
}

/// A line per refusal, with what Vigile's line says.
pub fn access_log() -> Value {
    json!([{
        "name": "envoy.access_loggers.file",
        "filter": refusals(),
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": "@folder@/access.log",
            "log_format": { "json_format": {
                "timestamp": "%START_TIME(%Y-%m-%dT%H:%M:%SZ)%",
                "level": "WARNING",
                "event": "request.refused",
                "module": MODULE,
                "reason": "%RESPONSE_CODE_DETAILS%",
                "ip": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
                "method": "%REQ(:METHOD)%",
                "path": "%PATH(NQ)%",
                "request_id": "%REQ(X-REQUEST-ID)%",
                "mode": "enforce",
            } },
        },
    }])
}

/// The key that verifies, in JSON (RFC 7517, RFC 8037).
fn jwk(algorithm: Algorithm) -> Value {
    let private = RING.private(key(algorithm).0);
    let mut jwk = match algorithm {
        Algorithm::Hs256 => json!({ "kty": "oct", "k": base64(private.as_bytes()) }),
        Algorithm::Rs256 => {
            let public = RS256KeyPair::from_pem(private).expect("PEM").public_key().to_components();
            json!({ "kty": "RSA", "n": base64(&public.n), "e": base64(&public.e) })
        }
        Algorithm::Es256 => {
            let public = ES256KeyPair::from_pem(private).expect("PEM").public_key();
            let point = public.public_key().to_bytes_uncompressed();
            json!({ "kty": "EC", "crv": "P-256", "x": base64(&point[1..33]), "y": base64(&point[33..]) })
        }
        Algorithm::EdDsa => {
            let public = Ed25519KeyPair::from_pem(private).expect("PEM").public_key();
            json!({ "kty": "OKP", "crv": "Ed25519", "x": base64(&public.to_bytes()) })
        }
        other => panic!("no case is signed with {other}"),
    };
    jwk["alg"] = algorithm.name().into();
    jwk
}
