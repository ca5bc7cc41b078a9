//! Signatures that Envoy verifies for the module, and the same in the module: they must agree on every one.
//!
//! ECDSA signatures are written anew for Envoy, as DER: a number that begins with zeros, or with a high bit,
//! takes another form there, which one in a hundred does.

use std::collections::BTreeMap;

use ct_codecs::{Base64UrlSafeNoPadding, Decoder, Encoder};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use vigile_tests::asking::Connection;
use vigile_tests::case::Recipe;
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::gate::{HOST, same, sound};
use vigile_tests::keys::RING;
use vigile_tests::ticker;

/// A key of the ring, its algorithm, the variable of its public key, and how many tokens of it are tried.
const KINDS: [(&str, &str, &str, usize); 7] = [
    ("p256", "ES256", "P256_PUBLIC_KEY", 600),
    ("p384", "ES384", "P384_PUBLIC_KEY", 300),
    ("rsa", "RS256", "RSA_PUBLIC_KEY", 20),
    ("rsa", "RS384", "RSA_PUBLIC_KEY", 20),
    ("rsa", "RS512", "RSA_PUBLIC_KEY", 20),
    ("rsa", "PS256", "RSA_PUBLIC_KEY", 5),
    ("ed25519", "EdDSA", "ED25519_PUBLIC_KEY", 5),
];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for binary in envoy::binaries() {
        for by_host in [true, false] {
            let binary = binary.clone();
            let by = if by_host { "Envoy" } else { "the module" };
            let name = format!("{}/verified by {by}", binary.version);
            trials.push(Trial::test(name, move || agree(&binary, by_host)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn agree(binary: &Binary, by_host: bool) -> Result<(), Failed> {
    let mut environment = RING.environment();
    if !by_host {
        environment.insert("VIGILE_SIGNATURES".into(), "module".into());
    }
    let app = ticker::start();
    let filter = envoy::vigile(&envoy::as_struct(&policy()), &environment);
    let route = json!({ "match": { "prefix": "/" }, "route": { "cluster": "app" } });
    let listener = envoy::listener("gate", 0, &filter, &route);
    let config = envoy::bootstrap(&[listener], &[envoy::cluster("app", app)]);
    let envoy = Envoy::start(binary, &config, &environment).map_err(|error| error.0)?;
    let said = match by_host {
        true => "\"verified_by_host\":[\"RSA\",\"P-256\",\"P-384\"]",
        false => "\"verified_by_host\":[]",
    };
    if !envoy.logs(said) {
        return Err(format!("the log lacks {said}:\n{}", envoy.logged()).into());
    }
    let mut connection = Connection::open(envoy.listener("gate"));
    let mut asked = 0;
    for (key, alg, _, count) in KINDS {
        let path = format!("/{}", alg.to_lowercase());
        // Software is slow, and agrees with itself: some are enough.
        let count = if by_host { count } else { count.min(20) };
        for number in 0..count {
            let token = mint(key, alg, number);
            same(&connection.get(HOST, &path, &token).status, &200)
                .map_err(|problem| format!("{alg}, {token}: {problem}"))?;
            for (what, forged) in forged(&token, alg, number) {
                let answer = connection.get(HOST, &path, &forged);
                same(&(answer.status, reason(&answer.headers).as_str()), &(401, "token.signature"))
                    .map_err(|problem| format!("{alg}, {what}, {forged}: {problem}"))?;
                asked += 1;
            }
            asked += 1;
        }
    }
    println!("{}: {asked} tokens", binary.version);
    Ok(sound(&envoy)?)
}

/// Nothing is remembered: every token is verified.
fn policy() -> Value {
    let issuer = |(_, alg, variable, _): (&str, &str, &str, usize)| json!({ "name": alg, "algorithms": [alg], "keys": [{ "public_key": { "env": variable } }] });
    let route = |(_, alg, _, _): (&str, &str, &str, usize)| json!({ "path": format!("/{}", alg.to_lowercase()), "token": { "issuer": alg } });
    json!({
        "vigile": 1,
        "remember_tokens": 0,
        "issuers": KINDS.map(issuer),
        "modules": [{ "name": "any", "hosts": [HOST], "module_claim": "none", "routes": KINDS.map(route) }],
    })
}

fn mint(key: &str, alg: &str, number: usize) -> String {
    let subject = Some(format!("user-{number}"));
    RING.mint(&Recipe {
        key: Some(key.into()),
        alg: Some(alg.into()),
        subject,
        ..Recipe::default()
    })
}

/// The token with signatures that nobody made: a bit turned, and now and then numbers that are none.
fn forged(token: &str, alg: &str, number: usize) -> BTreeMap<&'static str, String> {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let signature = Base64UrlSafeNoPadding::decode_to_vec(signature, None).unwrap();
    let with = |signature: &[u8]| {
        format!("{message}.{}", Base64UrlSafeNoPadding::encode_to_string(signature).unwrap())
    };
    let mut turned = signature.clone();
    let at = (number * 7) % turned.len();
    turned[at] ^= 1 << (number % 8);
    let mut all = BTreeMap::from([("a bit turned", with(&turned))]);
    if number != 0 {
        return all;
    }
    all.insert("cut short", with(&signature[..signature.len() - 1]));
    all.insert("one byte more", with(&[&signature[..], &[0]].concat()));
    all.insert("a byte", with(&[1]));
    all.insert("zeros", with(&vec![0; signature.len()]));
    all.insert("ones", with(&vec![0xff; signature.len()]));
    if alg.starts_with("ES") {
        let (r, s) = signature.split_at(signature.len() / 2);
        let zero = vec![0; r.len()];
        all.insert("r is zero", with(&[&zero[..], s].concat()));
        all.insert("s is zero", with(&[r, &zero[..]].concat()));
        all.insert("r and s changed places", with(&[s, r].concat()));
        // What X.509 would have is no signature of JOSE.
        all.insert("DER", with(&[&[0x30, 0x44, 2, 32], r, &[2, 32], s].concat()));
    }
    if alg == "EdDSA" {
        let (r, s) = signature.split_at(32);
        all.insert("s beyond the order", with(&[r, &beyond_the_order(s)].concat()));
        let mut neutral = [0; 32];
        neutral[0] = 1;
        all.insert("r of order 1", with(&[&neutral[..], s].concat()));
        all.insert("r of order 1, and s is zero", with(&[&neutral[..], &[0; 32]].concat()));
    }
    all
}

/// The order of the base point (RFC 8032 §5.1), lowest byte first.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The same number to whoever does not look at its size: one signature more, which RFC 8032 §8.4 refuses.
fn beyond_the_order(s: &[u8]) -> Vec<u8> {
    let mut carried = 0;
    let sums = s.iter().zip(ORDER).map(|(one, other)| {
        carried += u16::from(*one) + u16::from(other);
        let low = carried & 0xff;
        carried >>= 8;
        low as u8
    });
    sums.collect()
}

fn reason(headers: &[(String, Vec<u8>)]) -> String {
    let found = headers.iter().find(|(name, _)| name == "vigile-reason");
    found.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).unwrap_or_default()
}
