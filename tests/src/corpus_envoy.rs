//! A real Envoy as a runner: a listener per policy and encoding, all of them in one VM.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpStream};

use serde_json::{Value, json};

use crate::app::App;
use crate::conversation::Ready;
use crate::envoy::{self, Binary, Envoy, NotStarted};
use crate::outcome::Outcome;
use crate::policies::Policy;

/// Makes a policy an Any.
pub type Encode = fn(&Value) -> Value;

/// How a policy reaches the filter.
pub const ENCODINGS: [(&str, Encode); 2] =
    [("struct", envoy::as_struct), ("json", envoy::as_string)];

/// Envoy with every policy of the corpus, and the app behind it.
pub struct Corpus {
    envoy: Envoy,
    app: App,
}

impl Corpus {
    pub fn start(
        binary: &Binary,
        policies: &BTreeMap<String, Policy>,
        environment: &BTreeMap<String, String>,
    ) -> Result<Self, NotStarted> {
        let (app, upstream) = App::start();
        let listeners: Vec<Value> = policies
            .iter()
            .flat_map(|(name, policy)| {
                ENCODINGS.iter().map(move |(encoding, encode)| (name, policy, encoding, encode))
            })
            .map(|(name, policy, encoding, encode)| {
                listener(
                    name,
                    encoding,
                    policy,
                    &envoy::vigile(&encode(&policy.json()), environment),
                )
            })
            .collect();
        let config = envoy::bootstrap(&listeners, &[with_trailers(upstream)]);
        Ok(Self { envoy: Envoy::start(binary, &config, environment)?, app })
    }

    /// Sends a request to the listener of a policy, and gathers what came of it from the answer, the app
    /// and the logs.
    pub fn send(&self, policy: &str, encoding: &str, ready: &Ready, wants_log: bool) -> Outcome {
        self.app.answers(&ready.id, &ready.upstream);
        let name = listener_name(policy, encoding);
        let socket = self.envoy.folder().join(socket_name(&name));
        let answer = match socket.exists() {
            true => crate::wire::exchange_over(&socket, ready),
            false if ready.leaves => crate::wire::leave(self.envoy.listener(&name), ready),
            false => crate::wire::exchange(self.envoy.listener(&name), ready),
        };
        let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", ready.id));
        let access = match ready.raw.as_ref().is_none_or(|raw| holds(raw, &ready.id)) {
            true => self.envoy.access(&ready.id),
            false => None,
        };
        let word =
            |name: &str| access.as_ref().and_then(|line| line[name].as_str()).map(str::to_owned);
        let upstream = self.app.saw(&ready.id);
        let log = if wants_log { self.envoy.audit(&ready.id) } else { None };
        Outcome {
            reason: word("reason"),
            verdict: word("verdict"),
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
            upstream,
            log,
            access,
        }
    }

    /// The same for a case: what it holds is under way as long as `held` lives.
    pub fn play(
        &self,
        policy: &str,
        encoding: &str,
        ready: &Ready,
        wants_log: bool,
        held: &mut Vec<TcpStream>,
    ) -> Outcome {
        if ready.held {
            held.push(self.hold(policy, encoding, ready));
            return Outcome::default();
        }
        self.send(policy, encoding, ready, wants_log)
    }

    /// Sends a request that the app does not answer, and waits until the app has it.
    fn hold(&self, policy: &str, encoding: &str, ready: &Ready) -> TcpStream {
        self.app.answers(&ready.id, &ready.upstream);
        let to = self.address(policy, encoding);
        let stream = crate::wire::begin(to, ready).unwrap_or_else(|e| panic!("{}: {e}", ready.id));
        let patience = std::time::Instant::now();
        while !self.app.has_seen(&ready.id) {
            assert!(patience.elapsed().as_secs() < 20, "{}: it never reached the app", ready.id);
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        stream
    }

    pub fn envoy(&self) -> &Envoy {
        &self.envoy
    }

    /// Where a listener listens.
    pub fn address(&self, policy: &str, encoding: &str) -> SocketAddr {
        self.envoy.listener(&listener_name(policy, encoding))
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

fn listener_name(policy: &str, encoding: &str) -> String {
    format!("{policy}@{encoding}")
}

fn socket_name(listener: &str) -> String {
    format!("{}.sock", listener.replace(['/', '@'], "-"))
}

/// The app, which is sent trailers as well.
fn with_trailers(app: SocketAddr) -> Value {
    let mut cluster = envoy::cluster("app", app);
    cluster["typed_extension_protocol_options"] = json!({
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": { "http_protocol_options": { "enable_trailers": true } },
        },
    });
    cluster
}

/// A listener that hides nothing from the filter: paths as they come, many and large headers, HTTP/1.0,
/// and callers that choose their address by the PROXY protocol.
fn listener(policy_name: &str, encoding: &str, policy: &Policy, filter: &Value) -> Value {
    let name = listener_name(policy_name, encoding);
    let address = match policy.listener.unix {
        true => {
            json!({ "pipe": { "path": format!("@folder@/{}", socket_name(&name)) } })
        }
        false => json!({ "socket_address": { "address": "127.0.0.1", "port_value": 0 } }),
    };
    let mut manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "corpus",
        "use_remote_address": policy.listener.edge,
        "generate_request_id": false,
        "preserve_external_request_id": true,
        "max_request_headers_kb": 192,
        "common_http_protocol_options": { "max_headers_count": 3000 },
        "http_protocol_options": { "accept_http_10": true, "enable_trailers": true },
        "upgrade_configs": [{ "upgrade_type": "websocket" }],
        "access_log": envoy::access_log(),
        "route_config": { "virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": [
                { "match": { "connect_matcher": {} }, "route": { "cluster": "app" } },
                { "match": { "prefix": "/" }, "route": { "cluster": "app" } },
            ],
            // As the samples do, for what Envoy answers before Vigile: it must not stand there twice.
            "response_headers_to_add": [{
                "header": { "key": "x-content-type-options", "value": "nosniff" },
                "append_action": "ADD_IF_ABSENT",
            }],
        }] },
        "http_filters": [filter, {
            "name": "envoy.filters.http.router",
            "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
        }],
    });
    if policy.listener.server {
        manager["server_header_transformation"] = json!("PASS_THROUGH");
    }
    if policy.listener.trusted {
        manager["original_ip_detection_extensions"] = json!([{
            "name": "envoy.http.original_ip_detection.xff",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.http.original_ip_detection.xff.v3.XffConfig",
                "xff_trusted_cidrs": { "cidrs": [{ "address_prefix": "127.0.0.0", "prefix_len": 8 }] },
            },
        }]);
    }
    let mut listener = json!({
        "name": name,
        "address": address,
        "filter_chains": [{ "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }] }],
    });
    if !policy.listener.unix {
        listener["listener_filters"] = json!([{
            "name": "envoy.filters.listener.proxy_protocol",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
                "allow_requests_without_proxy_protocol": true,
            },
        }]);
    }
    listener
}
