//! One Envoy with a listener for each variant of a case.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::keys::RING;
use vigile_tests::wire::Answer;

use crate::case::{Case, Variant};
use crate::client::{Client, request};
use crate::native;
use crate::policy::{HEADERS, HOST, path, policy};

pub struct Stand {
    pub envoy: Envoy,
}

/// What an answer tells of the request that the app would have seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    Nothing,
    /// The caller's name and Authorization, in headers that cost.
    Identity,
}

/// The headers of `Echo::Identity`.
pub const SEEN_USER: &str = "x-seen-user-id";
pub const SEEN_AUTHORIZATION: &str = "x-seen-authorization";

impl Stand {
    /// For measuring: Envoy as operators run it, and nothing that the variants do not need.
    pub fn start(
        binary: &Binary,
        case: &Case,
        variants: &[Variant],
        workers: usize,
    ) -> Result<Self, String> {
        let config = config(case, variants);
        let envoy = Envoy::start_at_its_pace(binary, &config, &environment(), workers);
        Self { envoy: envoy.map_err(|error| error.0)? }.writing(case)
    }

    /// The same with files that are written at once, for whoever reads them.
    pub fn start_writing_at_once(
        binary: &Binary,
        case: &Case,
        variants: &[Variant],
    ) -> Result<Self, String> {
        let envoy = Envoy::start(binary, &config(case, variants), &environment());
        Self { envoy: envoy.map_err(|error| error.0)? }.writing(case)
    }

    /// Vigile's lines end where Envoy says so: no policy and no listener does.
    fn writing(self, case: &Case) -> Result<Self, String> {
        if case.lines {
            return Ok(self);
        }
        let admin = std::fs::read_to_string(self.envoy.folder().join("admin"));
        let admin = admin.map_err(|error| error.to_string())?;
        let admin = admin.trim().parse().map_err(|_| format!("{admin:?} is no address"))?;
        match envoy::post(admin, "/logging?wasm=critical") {
            Some(answer) if answer.starts_with("HTTP/1.1 200") => Ok(self),
            answer => Err(format!("Envoy keeps its log level: {answer:?}")),
        }
    }

    /// For looking at answers: every case, and what the app would have seen.
    pub fn for_looking(binary: &Binary, cases: &[Case]) -> Result<Self, String> {
        let listeners = cases.iter().flat_map(|case| {
            case.variants().into_iter().map(|variant| listener(case, variant, Echo::Identity))
        });
        let config = envoy::bootstrap(&listeners.collect::<Vec<_>>(), &[]);
        let envoy = Envoy::start(binary, &config, &environment());
        envoy.map(|envoy| Self { envoy }).map_err(|error| error.0)
    }

    /// Asks once, and says what of the answer is not as the case expects.
    pub fn ask(
        &self,
        case: &Case,
        variant: Variant,
        authorization: &str,
    ) -> Result<Answer, String> {
        let said = |problem: String| format!("{}: {problem}", case.listener(variant));
        let address = self.envoy.listener(&case.listener(variant));
        let client = Client::open(address);
        let answer = client.and_then(|mut it| it.send(&request(path(case), authorization)));
        let answer = answer.map_err(|error| said(error.to_string()))?;
        let expected = case.expected(variant);
        let reason = header(&answer, "vigile-reason");
        if (answer.status, reason.as_deref()) != (expected.status, expected.reason) {
            let body = String::from_utf8_lossy(&answer.body);
            return Err(said(format!("{} {reason:?} {body:?}, not {expected:?}", answer.status)));
        }
        let lacking =
            HEADERS.iter().find(|(name, value)| header(&answer, name).as_deref() != Some(value));
        match lacking {
            Some((name, _)) if variant != Variant::None => {
                Err(said(format!("{name} is not as it should be")))
            }
            _ => Ok(answer),
        }
    }

    /// Empties the files to which refusals are written.
    pub fn forget_lines(&self) -> std::io::Result<()> {
        ["envoy.log", "access.log"]
            .into_iter()
            .try_for_each(|name| truncate(&self.envoy.folder().join(name)))
    }
}

fn truncate(file: &Path) -> std::io::Result<()> {
    match file.exists() {
        true => std::fs::OpenOptions::new().write(true).open(file)?.set_len(0),
        false => Ok(()),
    }
}

/// A header of an answer, as text.
pub fn header(answer: &Answer, name: &str) -> Option<String> {
    let (_, value) = answer.headers.iter().find(|(known, _)| known == name)?;
    Some(String::from_utf8_lossy(value).into_owned())
}

/// The variables of the policies; where this process has `VIGILE_SIGNATURES`, Envoy has it too.
pub fn environment() -> BTreeMap<String, String> {
    let mut environment = RING.environment();
    if let Ok(by) = std::env::var("VIGILE_SIGNATURES") {
        environment.insert("VIGILE_SIGNATURES".into(), by);
    }
    environment
}

fn config(case: &Case, variants: &[Variant]) -> Value {
    let listeners = variants.iter().map(|variant| listener(case, *variant, Echo::Nothing));
    envoy::bootstrap(&listeners.collect::<Vec<_>>(), &[])
}

/// The listener of a variant: filters, and an answer by Envoy itself.
pub fn listener(case: &Case, variant: Variant, echo: Echo) -> Value {
    let native = matches!(variant, Variant::Native | Variant::Cached);
    let mut filters = match variant {
        Variant::None => vec![],
        Variant::Native => native::filters(case, false),
        Variant::Cached => native::filters(case, true),
        Variant::Vigile => vec![envoy::vigile(&envoy::as_struct(&policy(case)), &environment())],
    };
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
    }));
    let mut headers = if native { native::response_headers() } else { vec![] };
    if echo == Echo::Identity {
        headers.extend(
            [(SEEN_USER, "%REQ(x-user-id)%"), (SEEN_AUTHORIZATION, "%REQ(authorization)%")]
                .map(|(name, value)| json!({ "header": { "key": name, "value": value } })),
        );
    }
    let mut manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "use_remote_address": true,
        "access_log": if native && case.lines { native::access_log() } else { json!([]) },
        "http_filters": filters,
        "route_config": { "virtual_hosts": [{
            "name": "bench",
            "domains": [HOST],
            "response_headers_to_add": headers,
            "routes": [{ "match": { "prefix": "/" }, "direct_response": { "status": 200, "body": { "inline_string": "ok\n" } } }],
        }] },
    });
    if native {
        manager["local_reply_config"] = native::local_replies();
    }
    json!({
        "name": case.listener(variant),
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
        "filter_chains": [{ "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }] }],
    })
}
