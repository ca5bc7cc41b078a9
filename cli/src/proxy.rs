//! What a policy is loaded into.

use vigile_policy::Host;

/// A proxy, and what of a policy it can honour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proxy {
    /// Envoy
    #[default]
    Envoy,
    /// NGINX Unit, which tells no component the caller's address
    Unit,
    /// NGINX Unit behind a route that writes the address into the path (`VIGILE_ADDRESS=path`)
    UnitTwoHops,
}

impl Proxy {
    /// As the core knows it.
    pub fn host(self) -> Host {
        match self {
            Self::Envoy => Host::ENVOY,
            Self::Unit => Host::UNIT,
            Self::UnitTwoHops => Host { peer_address: true, ..Host::UNIT },
        }
    }
}
