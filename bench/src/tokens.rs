//! What callers present, made for this run.

use std::collections::BTreeMap;

use ct_codecs::{Base64UrlSafeNoPadding, Encoder};
use jwt_simple::prelude::HS512Key;
use serde_json::json;
use vigile::mint::{Claims, Signer};
use vigile_policy::Algorithm;
use vigile_tests::keys::{self, RING, SERVICE_API_KEY};

use crate::case::{Case, Kind, Presented};

/// The module that tokens are for, and the one that they are not for.
pub const MODULE: &str = "stablediffusion";
const ANOTHER: &str = "ocr";

/// The key of the ring that signs with an algorithm, and the variable that policies read it from.
pub fn key(algorithm: Algorithm) -> (&'static str, &'static str) {
    match algorithm {
        Algorithm::Hs256 => ("iahome", "IAHOME_JWT_SECRET"),
        Algorithm::Rs256 => ("rsa", "RSA_PUBLIC_KEY"),
        Algorithm::Es256 => ("p256", "P256_PUBLIC_KEY"),
        Algorithm::EdDsa => ("ed25519", "ED25519_PUBLIC_KEY"),
        other => panic!("no case is signed with {other}"),
    }
}

/// Tokens that were made already: an RSA signature takes milliseconds.
#[derive(Default)]
pub struct Mint(BTreeMap<(Algorithm, Kind), Vec<String>>);

impl Mint {
    /// The values of Authorization that a case presents, `limit` of them at most; an empty one stands for none.
    pub fn presented(&mut self, case: &Case, limit: usize) -> Vec<String> {
        match case.presented {
            Presented::Tokens(algorithm, kind, count) => {
                let tokens = self.tokens(algorithm, kind, count.min(limit));
                tokens.iter().map(|token| format!("Bearer {token}")).collect()
            }
            Presented::ApiKey => vec![format!("Bearer {SERVICE_API_KEY}")],
            Presented::Nothing => vec![String::new()],
        }
    }

    fn tokens(&mut self, algorithm: Algorithm, kind: Kind, count: usize) -> &[String] {
        let made = self.0.entry((algorithm, kind)).or_default();
        let maker = Maker::new(algorithm, kind);
        (made.len()..count).for_each(|number| made.push(maker.make(number)));
        &made[..count]
    }
}

struct Maker {
    signer: Signer,
    kind: Kind,
    now: i64,
    /// Of another token, whose signature holds.
    header: String,
    signature: String,
}

impl Maker {
    fn new(algorithm: Algorithm, kind: Kind) -> Self {
        let signs_with = match kind {
            Kind::OtherAlgorithm => Algorithm::Hs384,
            _ => algorithm,
        };
        let secret = RING.private(key(algorithm).0);
        let signer = Signer::new(signs_with, secret.as_bytes()).expect("a key of the ring");
        let now = keys::now();
        let token = signer.sign(&claims(Kind::Good, usize::MAX, now)).expect("a signature");
        let parts: Vec<&str> = token.split('.').collect();
        let [header, _, signature] = parts[..] else { panic!("three parts") };
        let (header, signature) = (header.to_owned(), signature.to_owned());
        Self { signer, kind, now, header, signature }
    }

    fn make(&self, number: usize) -> String {
        let claims = claims(self.kind, number, self.now);
        match self.kind {
            Kind::Garbage => garbage(),
            Kind::Forged => {
                let claims = base64(&serde_json::to_vec(&claims).expect("JSON"));
                format!("{}.{claims}.{}", self.header, self.signature)
            }
            _ => self.signer.sign(&claims).expect("a signature"),
        }
    }
}

fn claims(kind: Kind, number: usize, now: i64) -> Claims {
    let module = if kind == Kind::OtherModule { ANOTHER } else { MODULE };
    // Envoy's own filter accepts a minute more.
    let expires = if kind == Kind::Expired { now - 600 } else { now + 24 * 3600 };
    let claims = json!({
        "sub": format!("user-{number}"),
        "moduleName": module,
        "roles": ["user"],
        "iat": now - 3600,
        "exp": expires,
    });
    claims.as_object().expect("an object").clone()
}

/// As long as a token of HS256.
fn garbage() -> String {
    let random = |length: usize| {
        let bytes = [(); 4].map(|()| HS512Key::generate().to_bytes()).concat();
        base64(&bytes[..length])
    };
    format!("{}.{}.{}", random(27), random(100), random(32))
}

pub fn base64(bytes: &[u8]) -> String {
    Base64UrlSafeNoPadding::encode_to_string(bytes).expect("text")
}
