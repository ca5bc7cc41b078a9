//! `envoy/ocr` with other names, at one of the levels of its document.

use super::{OCR, OCR_LEVELS, Unwritten, blocks, filled};

/// The names in the sample that a user changes.
#[derive(Clone, Debug)]
pub struct Ocr {
    /// The level of 001_d9637b39f961e8b1.txt, 1 to 4.
    pub level: usize,
    /// Log only: the first step of the migration.
    pub observe: bool,
    /// The module's name.
    pub module: String,
    /// The address of the app behind Envoy, and its port.
    pub upstream: (String, u16),
    /// The host of the provider whose key Vigile adds.
    pub provider: String,
    /// The folder of `fullchain.pem` and `privkey.pem`.
    pub tls: String,
    /// The path of the module file.
    pub wasm: String,
}

impl Ocr {
    /// The config with these names.
    ///
    /// # Errors
    /// Where the sample lacks a block that was to be changed, or a name holds what YAML could read in
    /// another way.
    pub fn config(&self) -> Result<String, Unwritten> {
        let (host, port) = &self.upstream;
        let text = filled(
            &self.at_its_level()?,
            [
                ("OCR_MODULE", self.module.clone()),
                ("OCR_UPSTREAM_HOST", host.clone()),
                ("OCR_UPSTREAM_PORT", port.to_string()),
                ("OCR_PROVIDER_HOST", self.provider.clone()),
                ("OCR_TLS_FOLDER", self.tls.clone()),
                ("VIGILE_WASM_FILE", self.wasm.clone()),
            ],
        )?;
        if self.observe { self.observed(&text) } else { Ok(text) }
    }

    /// The first policy is the service's; the second adds the provider's key, and has nothing to observe.
    /// Level 4's limits are Envoy's: they count, and refuse nobody.
    fn observed(&self, text: &str) -> Result<String, Unwritten> {
        let text = blocks::with_line(text, "vigile: 1", "mode: observe")?;
        let enforced = |numerator| {
            format!("filter_enforced: {{ default_value: {{ numerator: {numerator} }} }}")
        };
        match OCR_LEVELS.len() < self.level {
            true => blocks::replaced(&text, &enforced(100), &enforced(0)),
            false => Ok(text),
        }
    }

    fn at_its_level(&self) -> Result<String, Unwritten> {
        let Some(policy) = self.level.checked_sub(1).and_then(|level| OCR_LEVELS.get(level)) else {
            return Ok(OCR.to_owned());
        };
        let text = blocks::with_body(OCR, "value:", policy)?;
        let text = blocks::without(&text, "local_reply_config:")?;
        let text = blocks::without(&text, "- name: envoy.filters.http.local_ratelimit")?;
        blocks::without(&text, "typed_per_filter_config:")
    }
}
