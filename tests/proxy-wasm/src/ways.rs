//! How a host answers.

use std::collections::BTreeMap;

/// What a call gets in place of what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Status(u32),
    Trap,
}

/// The manners of a host.
#[derive(Clone, Debug, Default)]
pub struct Ways {
    /// What calls get that are not answered, by their names.
    pub instead: BTreeMap<String, Answer>,
    /// What it tells under a path, parts joined by dots.
    pub properties: BTreeMap<String, Vec<u8>>,
    /// What it tells under any other path.
    pub any_property: Option<Vec<u8>>,
    /// It keeps what it is told under a path: filter state.
    pub keeps_properties: bool,
    /// `source.address` ends with the port.
    pub port_in_address: bool,
    /// The map of headers has `:path` and its like as well.
    pub pseudo_headers_in_map: bool,
    /// `:authority` is this, whatever Host says.
    pub server_name: Option<String>,
    /// Names of headers come in lower case.
    pub lower_case: bool,
    /// More headers than this are left out of the map.
    pub most_headers: Option<usize>,
    /// It says with the head whether a body follows.
    pub tells_of_bodies: bool,
    /// It writes nothing into the map, whatever it was handed.
    pub garbled_map: Option<Vec<u8>>,
    /// Its clock, in nanoseconds since 1970, where that is not this machine's.
    pub clock: Option<u64>,
}

impl Ways {
    /// nginx with `ngx_wasm_module`, no memory set up for `shared_data`.
    pub fn nginx() -> Self {
        let traps =
            ["proxy_call_foreign_function", "proxy_get_shared_data", "proxy_set_shared_data"];
        let traps = traps.map(|name| (name.to_owned(), Answer::Trap));
        Self {
            instead: traps.into(),
            most_headers: Some(100),
            server_name: Some("nginx.example:8080".into()),
            ..Self::default()
        }
    }

    /// A host that says that it is Envoy, and does as Envoy does.
    pub fn envoy() -> Self {
        Self {
            properties: [("xds.node.user_agent_name".into(), b"envoy".to_vec())].into(),
            keeps_properties: true,
            port_in_address: true,
            pseudo_headers_in_map: true,
            lower_case: true,
            tells_of_bodies: true,
            ..Self::default()
        }
    }

    /// The same with another answer to a call.
    pub fn but(mut self, call: &str, answer: Answer) -> Self {
        self.instead.insert(call.to_owned(), answer);
        self
    }
}
