//! Envoy's `verify_signature`: RSA and ECDSA by BoringSSL, where Envoy has it.
//!
//! It is a foreign function, of which a host may have none or another of the same name: so it is tried once
//! at load with a signature that holds and one that does not, and asked for what it told apart alone. It
//! has no PSS, no Ed25519 and no HMAC; these stay in the module (observed on Envoy 1.36 to 1.40). Only Envoy is
//! asked: nginx's `ngx_wasm_module` traps on the name of a function that it does not have.

use vigile_abi as abi;
use vigile_policy::{Asked, Family};

use crate::host::Kind;

const NAME: &str = "verify_signature";

/// `module` keeps all of it in the module: to compare, or where the host's is not wanted.
const VARIABLE: &str = "VIGILE_SIGNATURES";

/// A key, and its signature of the same message. Their private keys were thrown away.
struct Sample {
    family: Family,
    name: &'static str,
    hash: &'static str,
    public_key: &'static [u8],
    signature: &'static [u8],
}

const MESSAGE: &[u8] = include_bytes!("../probe/message");

const SAMPLES: [Sample; 3] = [
    Sample {
        family: Family::Rsa,
        name: "RSA",
        hash: "sha256",
        public_key: include_bytes!("../probe/rsa.spki"),
        signature: include_bytes!("../probe/rsa.signature"),
    },
    Sample {
        family: Family::P256,
        name: "P-256",
        hash: "sha256",
        public_key: include_bytes!("../probe/p256.spki"),
        signature: include_bytes!("../probe/p256.signature"),
    },
    Sample {
        family: Family::P384,
        name: "P-384",
        hash: "sha384",
        public_key: include_bytes!("../probe/p384.spki"),
        signature: include_bytes!("../probe/p384.signature"),
    },
];

/// What the host verifies.
pub(crate) struct Signatures(Vec<&'static Sample>);

impl Signatures {
    pub(crate) fn probe(host: Kind) -> Self {
        let unwanted = std::env::var(VARIABLE).is_ok_and(|word| word == "module");
        let asks = host == Kind::Envoy && !unwanted;
        Self(SAMPLES.iter().filter(|sample| asks && is_told_apart(sample)).collect())
    }

    /// For the line at load.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|sample| sample.name).collect()
    }

    /// What the host says; `None` where it is not asked, or has no answer.
    pub(crate) fn holds(&self, asked: &Asked<'_>) -> Option<bool> {
        let known = self.0.iter().any(|sample| sample.family == asked.family);
        known.then(|| host_says(asked)).flatten()
    }
}

fn is_told_apart(sample: &Sample) -> bool {
    let says = |message| {
        host_says(&Asked {
            family: sample.family,
            hash: sample.hash,
            public_key: sample.public_key,
            message,
            signature: sample.signature.into(),
        })
    };
    says(MESSAGE) == Some(true) && says(b"Vigile was never asked this") == Some(false)
}

/// `VerifySignatureArguments` and the result's first field (Envoy's
/// `source/extensions/common/wasm/ext/verify_signature.proto`).
fn host_says(asked: &Asked<'_>) -> Option<bool> {
    let fields = [asked.hash.as_bytes(), asked.public_key, &asked.signature, asked.message];
    let mut arguments =
        Vec::with_capacity(fields.iter().map(|field| field.len().saturating_add(4)).sum());
    for (number, field) in (1_u8..).zip(fields) {
        arguments.push(number << 3 | 2);
        length(&mut arguments, field.len());
        arguments.extend_from_slice(field);
    }
    let said = abi::call(NAME, &arguments).ok()?;
    Some(said.starts_with(&[0x08, 0x01]))
}

/// A varint.
fn length(out: &mut Vec<u8>, mut length: usize) {
    loop {
        let low = u8::try_from(length & 0x7f).unwrap_or_default();
        length >>= 7;
        if length == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}
