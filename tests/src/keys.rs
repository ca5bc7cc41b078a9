//! Keys made for this run, and the environment that policies read them from. None is ever written down.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use jwt_simple::prelude::{ES256KeyPair, ES384KeyPair, Ed25519KeyPair, RS256KeyPair};
use serde_json::{Value, json};
use vigile::mint::{Claims, Signer};
use vigile_policy::Algorithm;

use crate::case::{Mangle, Recipe};

/// The keys of a run.
pub struct Ring {
    secrets: BTreeMap<&'static str, String>,
    pairs: BTreeMap<&'static str, Pair>,
}

struct Pair {
    private: String,
    public: String,
}

/// The keys of this process.
pub static RING: LazyLock<Ring> = LazyLock::new(Ring::generate);

impl Ring {
    fn generate() -> Self {
        let secret = || jwt_simple::prelude::HS512Key::generate().to_bytes().repeat(2);
        let printable = || {
            use ct_codecs::{Base64UrlSafeNoPadding, Encoder};
            Base64UrlSafeNoPadding::encode_to_string(secret()).unwrap()
        };
        let secrets = ["iahome", "iahome-next", "partner", "stranger", "assistant", "orchestrator"];
        let mut pairs = BTreeMap::new();
        for name in ["rsa", "rsa-stranger"] {
            let pair = RS256KeyPair::generate(2048).unwrap();
            let public = pair.public_key().to_pem().unwrap();
            pairs.insert(name, Pair { private: pair.to_pem().unwrap(), public });
        }
        let pair = ES256KeyPair::generate();
        pairs.insert(
            "p256",
            Pair { private: pair.to_pem().unwrap(), public: pair.public_key().to_pem().unwrap() },
        );
        let published = ES256KeyPair::from_jwk(RFC7515_A3).unwrap();
        pairs.insert(
            "rfc7515",
            Pair { private: published.to_pem().unwrap(), public: String::new() },
        );
        let published = Ed25519KeyPair::from_jwk(RFC8037_A1).unwrap();
        pairs.insert("rfc8037", Pair { private: published.to_pem(), public: String::new() });
        let pair = ES384KeyPair::generate();
        pairs.insert(
            "p384",
            Pair { private: pair.to_pem().unwrap(), public: pair.public_key().to_pem().unwrap() },
        );
        let pair = Ed25519KeyPair::generate();
        pairs
            .insert("ed25519", Pair { private: pair.to_pem(), public: pair.public_key().to_pem() });
        Self { secrets: secrets.into_iter().map(|name| (name, printable())).collect(), pairs }
    }

    fn signer(&self, name: &str, algorithm: Option<&str>) -> Signer {
        let (default, key) = match (self.secrets.get(name), self.pairs.get(name)) {
            (Some(secret), _) => ("HS256", secret.as_str()),
            (None, Some(pair)) => match name {
                "p256" | "rfc7515" => ("ES256", pair.private.as_str()),
                "p384" => ("ES384", pair.private.as_str()),
                "ed25519" | "rfc8037" => ("EdDSA", pair.private.as_str()),
                _ => ("RS256", pair.private.as_str()),
            },
            (None, None) => panic!("no key is named {name}"),
        };
        let algorithm =
            Algorithm::from_name(algorithm.unwrap_or(default)).expect("a known algorithm");
        Signer::new(algorithm, key.as_bytes()).unwrap()
    }

    /// Makes a token.
    pub fn mint(&self, recipe: &Recipe) -> String {
        let mut signer =
            self.signer(recipe.key.as_deref().unwrap_or("iahome"), recipe.alg.as_deref());
        if let Some(kid) = &recipe.kid {
            signer = signer.with_kid(kid);
        }
        if recipe.raw_header.is_some() || recipe.raw_claims.is_some() {
            let header =
                recipe.raw_header.clone().unwrap_or(r#"{"alg":"HS256","typ":"JWT"}"#.into());
            let claims = match &recipe.raw_claims {
                Some(raw) => filled(raw),
                None => serde_json::to_string(&claims(recipe)).unwrap(),
            };
            let raw = |text: &str| crate::case::bytes(text);
            return mangle(signer.sign_raw(&raw(&header), &raw(&claims)).unwrap(), recipe);
        }
        let mut claims = claims(recipe);
        if let Some(Mangle::Grow(size)) = recipe.then {
            let bare = signer.sign(&claims).unwrap().len();
            // Base64 makes four characters of three bytes.
            let filling = size.saturating_sub(bare).saturating_sub(16) * 3 / 4;
            claims.insert("filling".into(), "x".repeat(filling).into());
        }
        mangle(signer.sign(&claims).unwrap(), recipe)
    }

    /// A token of these bytes, signed by `iahome`'s secret.
    pub fn signed(&self, header: &[u8], claims: &[u8]) -> String {
        self.signer("iahome", None).sign_raw(header, claims).unwrap()
    }

    /// What signs under this name: a shared secret, or a private key in PEM.
    pub fn private(&self, name: &str) -> &str {
        self.secrets.get(name).unwrap_or_else(|| &self.pairs[name].private)
    }

    /// The variables of every policy of the corpus and of the samples.
    pub fn environment(&self) -> BTreeMap<String, String> {
        let secret = |name: &str| self.secrets[name].clone();
        let public = |name: &str| self.pairs[name].public.trim().to_owned();
        let mut variables: BTreeMap<String, String> = [
            ("IAHOME_JWT_SECRET", secret("iahome")),
            ("PARTNER_JWT_SECRET", secret("partner")),
            ("RSA_PUBLIC_KEY", public("rsa")),
            ("P256_PUBLIC_KEY", public("p256")),
            ("P384_PUBLIC_KEY", public("p384")),
            ("ED25519_PUBLIC_KEY", public("ed25519")),
            ("SERVICE_API_KEY", SERVICE_API_KEY.into()),
            ("SERVICE_API_KEY_NEXT", SERVICE_API_KEY_NEXT.into()),
            ("OPENAI_API_KEY", "sk-proj-made-for-this-run".into()),
            ("ALLOWED_IPS", "192.0.2.10, 198.51.100.0/24".into()),
            ("PLATFORM_ORIGINS", "https://iahome.fr:443".into()),
            ("JARVIS_SECRET_KEY", secret("assistant")),
            ("ASSISTANT_METRICS_FROM", "127.0.0.1, 192.0.2.90".into()),
            ("ORCHESTRATOR_SECRET_KEY", secret("orchestrator")),
            ("LIMITS_JWT_SECRET", secret("partner")),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
        variables.insert("IAHOME_JWT_SECRET_BASE64".into(), {
            use ct_codecs::{Base64, Encoder};
            Base64::encode_to_string(secret("iahome")).unwrap()
        });
        variables
    }
}

/// The form of 001_d9637b39f961e8b1.txt; these are no secrets.
pub const SERVICE_API_KEY: &str = "nuno_service_made-for-the-tests-0123456789abcdef";
pub const SERVICE_API_KEY_NEXT: &str = "nuno_service_the-next-one-of-the-tests-0123456789";

/// Private keys that RFCs publish: their public halves stand in a policy of the corpus.
const RFC7515_A3: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"}"#;
const RFC8037_A1: &str = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;

/// Seconds since 1970.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64
}

/// `10m`, `-2m`.
pub fn seconds(span: &str) -> i64 {
    let (sign, span) = span.strip_prefix('-').map_or((1, span), |span| (-1, span));
    let span = if span == "0" { "0s" } else { span };
    sign * humantime::parse_duration(span).unwrap().as_secs() as i64
}

fn claims(recipe: &Recipe) -> Claims {
    let mut claims = Claims::new();
    let mut at = |name: &str, span: &Option<String>, default: Option<&str>| match span
        .as_deref()
        .or(default)
    {
        Some("never") | None => {}
        Some(span) => {
            claims.insert(name.into(), json!(now() + seconds(span)));
        }
    };
    at("exp", &recipe.expires, Some("10m"));
    at("nbf", &recipe.not_before, None);
    at("iat", &recipe.issued, None);
    match recipe.subject.as_deref() {
        Some("") => {}
        subject => {
            claims.insert("sub".into(), subject.unwrap_or("user-1").into());
        }
    }
    if let Some(module) = &recipe.module {
        claims.insert("moduleName".into(), module.clone().into());
    }
    for (name, value) in &recipe.claims {
        match value {
            Value::Null => claims.remove(name),
            value => claims.insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn filled(raw: &str) -> String {
    raw.replace("{now}", &now().to_string()).replace("{exp}", &(now() + 600).to_string())
}

fn mangle(token: String, recipe: &Recipe) -> String {
    let Some(how) = &recipe.then else { return token };
    let parts: Vec<&str> = token.split('.').collect();
    let [header, claims, signature] = parts[..] else { panic!("three parts") };
    match how {
        Mangle::ForgeSignature => {
            let first = if signature.starts_with('A') { 'B' } else { 'A' };
            format!("{header}.{claims}.{first}{}", &signature[1..])
        }
        Mangle::ChangeClaims => {
            use ct_codecs::{Base64UrlSafeNoPadding, Decoder, Encoder};
            let json =
                String::from_utf8(Base64UrlSafeNoPadding::decode_to_vec(claims, None).unwrap())
                    .unwrap();
            let json = json.replace("user-1", "admin1");
            format!(
                "{header}.{}.{signature}",
                Base64UrlSafeNoPadding::encode_to_string(json).unwrap()
            )
        }
        Mangle::DropSignature => format!("{header}.{claims}."),
        Mangle::Garbage => format!("{header}.!!!.{signature}"),
        Mangle::Pad => format!("{header}=.{claims}.{signature}"),
        Mangle::TrailingBits => {
            let last = signature.chars().last().unwrap();
            let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let next = alphabet.chars().nth(alphabet.find(last).unwrap() + 1).unwrap();
            format!("{header}.{claims}.{}{next}", &signature[..signature.len() - 1])
        }
        Mangle::FourParts => format!("{token}.x"),
        Mangle::Grow(_) => token,
    }
}
