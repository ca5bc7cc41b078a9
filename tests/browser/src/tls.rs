//! Certificates made for a run: one key, and a certificate for every name, so that no browser takes two
//! sites' connections for one (RFC 9113 §9.1.1).

use std::path::PathBuf;
use std::sync::Arc;

use ct_codecs::{Base64, Encoder};
use rcgen::{CertificateParams, DnType, KeyPair, PublicKeyData};
use tokio_rustls::rustls::ServerConfig;
use vigile_tests::https;

/// The run's key and the folder of its files.
pub struct Certificates {
    key: KeyPair,
    folder: tempfile::TempDir,
}

/// A certificate chain and its key, as files.
pub struct Files {
    pub chain: PathBuf,
    pub key: PathBuf,
}

impl Certificates {
    /// Makes the key.
    pub fn make() -> Self {
        Self { key: KeyPair::generate().unwrap(), folder: tempfile::tempdir().unwrap() }
    }

    /// The SHA-256 of the public key, by which Chromium is told to trust it
    /// (`--ignore-certificate-errors-spki-list`): every other check of TLS stays on.
    pub fn fingerprint(&self) -> String {
        let digest = hmac_sha256::Hash::hash(&self.key.subject_public_key_info());
        Base64::encode_to_string(digest).unwrap()
    }

    /// A certificate for a name, for Envoy.
    pub fn files(&self, name: &str) -> Files {
        let path = |end: &str| self.folder.path().join(format!("{name}.{end}"));
        let files = Files { chain: path("crt"), key: path("key") };
        std::fs::write(&files.chain, self.certificate(name).pem()).unwrap();
        std::fs::write(&files.key, self.key.serialize_pem()).unwrap();
        files
    }

    /// A certificate for a name, for a server of this process.
    pub fn server(&self, name: &str) -> Arc<ServerConfig> {
        https::config(&self.certificate(name), &self.key)
    }

    fn certificate(&self, name: &str) -> rcgen::Certificate {
        let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
        // Firefox refuses two certificates of one issuer with one serial number, which comes from the key.
        parameters.distinguished_name.push(DnType::CommonName, name);
        parameters.self_signed(&self.key).unwrap()
    }
}
