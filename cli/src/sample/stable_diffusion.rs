//! `envoy/stable-diffusion` with other names.

use vigile_policy::Origin;

use super::{NotFound, STABLE_DIFFUSION, replaced};

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
}

impl StableDiffusion {
    /// The config with these names.
    ///
    /// # Errors
    /// Where the sample lacks a name that was to be replaced.
    pub fn config(&self) -> Result<String, NotFound> {
        let (address, port) = &self.upstream;
        let words = [
            ("stablediffusion.regispailler.fr", "@host@"),
            ("https://iahome.fr", "@platform@"),
            ("name: stablediffusion", "name: @module@"),
            ("stat_prefix: stablediffusion", "stat_prefix: @module@"),
            ("address: 192.0.2.20, port_value: 7860", "address: @upstream@"),
            ("Gradio on 192.0.2.20:7860", "Gradio on @shown@"),
            ("/etc/envoy/tls", "@tls@"),
            ("/etc/envoy/vigile.wasm", "@wasm@"),
            ("port_value: 8443", "port_value: @https@"),
            ("port_redirect: 8443", "port_redirect: @https@"),
            ("port_value: 8080", "port_value: @http@"),
        ];
        let (https, http) = self.ports;
        let names = [
            ("@host@", self.host.clone()),
            ("@platform@", self.platform.to_string()),
            ("@module@", self.module.clone()),
            ("@upstream@", format!("{address}, port_value: {port}")),
            ("@shown@", format!("{address}:{port}")),
            ("@tls@", self.tls.clone()),
            ("@wasm@", self.wasm.clone()),
            ("@https@", https.to_string()),
            ("@http@", http.to_string()),
        ];
        let names: Vec<(&str, &str)> =
            names.iter().map(|(mark, name)| (*mark, name.as_str())).collect();
        replaced(&replaced(STABLE_DIFFUSION, &words)?, &names)
    }
}
