//! `envoy/stable-diffusion` with other names.

use vigile_policy::Origin;

use super::{Quota, STABLE_DIFFUSION, Unwritten, filled, quota};

/// The names in the sample that a user changes.
#[derive(Clone, Debug)]
pub struct StableDiffusion {
    /// The module's name: what its tokens name as `moduleName`.
    pub module: String,
    /// The host that browsers ask for.
    pub host: String,
    /// Where the platform's pages come from.
    pub platform: Origin,
    /// The address of the app behind Envoy, and its port.
    pub upstream: (String, u16),
    /// The folder of `fullchain.pem` and `privkey.pem`.
    pub tls: String,
    /// The path of the module file.
    pub wasm: String,
    /// The port for https, and the one for http that leads there.
    pub ports: (u16, u16),
    /// The generations that are counted, if any.
    pub quota: Option<Quota>,
}

impl StableDiffusion {
    /// The config with these names.
    ///
    /// # Errors
    /// Where the sample lacks a block that was to be changed, or a name holds what YAML could read in another way.
    pub fn config(&self) -> Result<String, Unwritten> {
        let ((host, port), (https, http)) = (&self.upstream, self.ports);
        filled(
            &quota::with(STABLE_DIFFUSION, self.quota)?,
            [
                ("STABLE_DIFFUSION_MODULE", self.module.clone()),
                ("STABLE_DIFFUSION_HOST", self.host.clone()),
                ("STABLE_DIFFUSION_PLATFORM", self.platform.to_string()),
                ("STABLE_DIFFUSION_UPSTREAM_HOST", host.clone()),
                ("STABLE_DIFFUSION_UPSTREAM_PORT", port.to_string()),
                ("STABLE_DIFFUSION_HTTPS_PORT", https.to_string()),
                ("STABLE_DIFFUSION_PUBLIC_HTTPS_PORT", https.to_string()),
                ("STABLE_DIFFUSION_HTTP_PORT", http.to_string()),
                ("STABLE_DIFFUSION_TLS_FOLDER", self.tls.clone()),
                ("VIGILE_WASM_FILE", self.wasm.clone()),
            ],
        )
    }
}
