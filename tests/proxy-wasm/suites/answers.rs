//! Whatever a host answers, the module does not break down, and lets nobody in whom it would not.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};
use vigile_proxy_wasm_tests::host::Compiled;
use vigile_proxy_wasm_tests::{Answer, Host, Ways};
use vigile_tests::case::{Recipe, Upstream, Values};
use vigile_tests::conversation::Ready;
use vigile_tests::envoy;
use vigile_tests::keys::RING;
use vigile_tests::outcome::{Outcome, values};

static MODULE: LazyLock<Compiled> = LazyLock::new(|| Compiled::of(&envoy::module()));

/// Every `WasmResult` that a host may answer, and numbers that are none.
const STATUSES: [u32; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 255, 1 << 31, u32::MAX];

/// The calls that the filter makes; the SDK knows more of them.
const CALLS: [&str; 20] = [
    "proxy_log",
    "proxy_get_current_time_nanoseconds",
    "proxy_set_tick_period_milliseconds",
    "proxy_set_effective_context",
    "proxy_close_stream",
    "proxy_get_buffer_bytes",
    "proxy_get_header_map_pairs",
    "proxy_set_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_add_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_remove_header_map_value",
    "proxy_get_property",
    "proxy_set_property",
    "proxy_get_shared_data",
    "proxy_set_shared_data",
    "proxy_send_local_response",
    "proxy_define_metric",
    "proxy_increment_metric",
    "proxy_call_foreign_function",
];

fn policy() -> Value {
    json!({
        "vigile": 1,
        "log": { "events": "all" },
        "issuers": [{ "name": "iahome", "algorithms": ["HS256", "RS256"], "keys": [
            { "secret": { "env": "IAHOME_JWT_SECRET" } },
            { "public_key": { "env": "RSA_PUBLIC_KEY" } },
        ] }],
        "modules": [{
            "name": "api",
            "hosts": ["ai.example.org"],
            "forward": { "x-user-id": { "claim": "sub" } },
            "module_claim": "none",
            "headers": { "x-frame-options": "DENY" },
            "routes": [
                { "path": "/public", "public": true },
                { "path": "/here", "addresses": ["127.0.0.0/8"] },
                { "path": "/**", "token": { "issuer": "iahome" } },
            ],
        }],
    })
}

/// The same with what only Envoy can do.
fn envoys_policy() -> Value {
    let mut policy = policy();
    let route = json!({ "path": "/one", "methods": ["POST"], "token": { "issuer": "iahome" }, "concurrency": 1,
        "body": { "json": { "a": { "type": "string" } } } });
    policy["modules"][0]["routes"].as_array_mut().unwrap().insert(0, route);
    policy
}

fn environment() -> BTreeMap<String, String> {
    RING.environment()
}

fn start(ways: Ways, policy: &Value) -> Result<Host, String> {
    Host::start(&MODULE, ways, policy.to_string().as_bytes(), &environment())
        .unwrap_or_else(|trapped| panic!("{}", trapped.0))
}

fn request(path: &str, token: Option<&str>) -> Ready {
    let recipe = |key: &str| Recipe { key: Some(key.into()), ..Recipe::default() };
    let mut headers = vec![("X-User-Id".to_owned(), b"admin".to_vec())];
    headers.extend(token.map(|key| {
        ("authorization".to_owned(), format!("Bearer {}", RING.mint(&recipe(key))).into_bytes())
    }));
    Ready {
        method: "GET".into(),
        path: path.into(),
        host: "ai.example.org".into(),
        scheme: "https".into(),
        from: None,
        headers,
        body: Vec::new(),
        chunked: None,
        trailers: false,
        held: false,
        leaves: false,
        raw: None,
        http2: false,
        upstream: Upstream::default(),
        id: "one".into(),
    }
}

/// The requests of every round, and the status of each where all goes well.
fn requests() -> [(Ready, u16); 6] {
    [
        (request("/public", None), 200),
        (request("/", None), 401),
        (request("/", Some("iahome")), 200),
        (request("/", Some("rsa")), 200),
        (request("/", Some("stranger")), 401),
        (request("/here", None), 200),
    ]
}

/// Plays them; gives what was forwarded of what would not be, or wrongly.
fn wrong(host: &mut Host, what: &str) -> Vec<String> {
    let play = |(ready, wanted): (Ready, u16)| {
        let path = String::from_utf8_lossy(&ready.path).into_owned();
        match host.exchange(&ready) {
            // To wait for ever is a refusal: where no answer can be given, the app sees nothing.
            Err(trapped) if trapped.0 == "the request waits for ever" => None,
            Err(trapped) => Some(format!("{what}: {path} {}", trapped.0)),
            Ok(outcome) => {
                is_wrong(&outcome, wanted).then(|| format!("{what}: {path} {outcome:?}"))
            }
        }
    };
    requests().into_iter().filter_map(play).collect()
}

fn is_wrong(outcome: &Outcome, wanted: u16) -> bool {
    outcome.upstream.as_ref().is_some_and(|seen| {
        let spoofed = values(&seen.headers, "x-user-id").is_some_and(|user| user == "admin");
        let kept = values(&seen.headers, "authorization").is_some() && wanted == 200;
        let token = kept && seen.path != "/public" && seen.path != "/here";
        wanted != 200 || spoofed || token
    })
}

#[test]
fn all_goes_well_where_the_host_does_as_it_is_asked() {
    for (ways, policy) in [(Ways::nginx(), policy()), (Ways::envoy(), envoys_policy())] {
        let mut host = start(ways, &policy).unwrap();
        for (ready, wanted) in requests() {
            let outcome = host.exchange(&ready).unwrap();
            assert_eq!(outcome.status, wanted, "{:?} {outcome:?}", ready.path);
            assert!(!is_wrong(&outcome, wanted), "{outcome:?}");
        }
    }
}

/// At load: the policy is refused or at work, and the module is whole.
#[test]
fn no_status_breaks_the_module_while_it_loads() {
    for call in CALLS {
        for status in STATUSES {
            for (ways, policy) in [(Ways::nginx(), policy()), (Ways::envoy(), envoys_policy())] {
                let ways = ways.but(call, Answer::Status(status));
                if let Ok(mut host) = start(ways, &policy) {
                    assert_eq!(wrong(&mut host, &format!("{call} {status}")), [""; 0]);
                }
            }
        }
    }
}

/// With requests: nobody comes in who would not, and the app sees neither the caller's identity nor the token.
#[test]
fn no_status_breaks_the_module_or_lets_anybody_in() {
    let worlds = [(Ways::nginx(), policy()), (Ways::envoy(), envoys_policy())];
    for (ways, policy) in worlds {
        let mut host = start(ways.clone(), &policy).unwrap();
        for call in CALLS {
            for status in STATUSES {
                host.changes(ways.clone().but(call, Answer::Status(status)));
                assert_eq!(wrong(&mut host, &format!("{call} {status}")), [""; 0]);
            }
        }
    }
}

/// The list of calls is that of the module, but for those that the SDK alone knows: they trap here, so that a call
/// of one of them would be seen.
#[test]
fn the_calls_are_those_of_the_module() {
    let imports = MODULE.imports();
    for call in CALLS {
        assert!(imports.iter().any(|import| import == call), "{call}");
    }
}

/// nginx's module traps on a foreign function, and where no memory was set up for shared data.
#[test]
fn another_host_is_asked_for_nothing_that_it_may_trap_on() {
    let calls = [
        "call_foreign_function",
        "get_shared_data",
        "set_shared_data",
        "set_property",
        "set_tick_period_milliseconds",
    ];
    let mut ways = Ways::nginx();
    for call in calls {
        ways = ways.but(&format!("proxy_{call}"), Answer::Trap);
    }
    let mut host = start(ways, &policy()).unwrap();
    assert_eq!(wrong(&mut host, "traps"), [""; 0]);
    assert!(host.log().contains("allowed.address"), "{}", host.log());
}

/// One host answers whatever it is asked, with nothing. Envoy itself has no name while it validates a config.
#[test]
fn what_only_envoy_can_do_is_refused_aloud_elsewhere() {
    let nothing = || Some(Vec::new());
    let says = |name: &str| [("xds.node.user_agent_name".to_owned(), name.into())].into();
    let others = [
        Ways::nginx(),
        Ways { any_property: nothing(), ..Ways::nginx() },
        Ways { any_property: nothing(), ..Ways::envoy() },
        Ways { properties: says("another"), ..Ways::envoy() },
    ];
    for ways in others {
        let log = start(ways, &envoys_policy()).err().expect("a policy that is refused");
        assert!(log.contains("modules[0].routes[0].body: this host cannot hold a body"), "{log}");
        assert!(log.contains("modules[0].routes[0].concurrency: this host cannot count"), "{log}");
        assert!(log.contains("this host does not say that it is Envoy"), "{log}");
    }
    for name in ["envoy", ""] {
        let ways = Ways { properties: says(name), ..Ways::envoy() };
        assert!(start(ways, &envoys_policy()).is_ok(), "{name}");
    }
}

#[test]
fn bytes_that_are_no_map_are_no_request() {
    let maps: [&[u8]; 6] =
        [b"", b"\0", &[0xff; 4], &[0xff; 64], &[0; 4], b"\x01\0\0\0\x02\0\0\0\0\0\0\0\xff\xff\0\0"];
    for (ways, policy) in [(Ways::nginx(), policy()), (Ways::envoy(), envoys_policy())] {
        let mut host = start(ways.clone(), &policy).unwrap();
        for map in maps {
            host.changes(Ways { garbled_map: Some(map.into()), ..ways.clone() });
            let outcome = host.exchange(&request("/", Some("iahome"))).unwrap();
            assert!(outcome.upstream.is_none(), "{map:?}: {outcome:?}");
        }
    }
}

/// nginx hands over 100 headers, of which its later releases have pseudo-headers among them.
#[test]
fn headers_that_are_left_out_are_no_request() {
    let few = Ways { most_headers: Some(20), ..Ways::nginx() };
    let later = Ways { pseudo_headers_in_map: true, server_name: None, ..Ways::nginx() };
    let mut host = start(Ways::nginx(), &policy()).unwrap();
    let mut ready = request("/", Some("iahome"));
    let own: Vec<_> = ready.headers.drain(..).collect();
    let rounds = [
        (Ways::nginx(), 80, 200),
        (Ways::nginx(), 95, 503),
        (Ways::nginx(), 300, 503),
        (few, 80, 503),
        (later.clone(), 80, 200),
        (later, 93, 503),
    ];
    for (ways, more, status) in rounds {
        host.changes(ways);
        let many = (0..more).map(|number| (format!("x-{number}"), b"1".to_vec()));
        let last = [("X_User_Id".to_owned(), b"admin".to_vec())];
        ready.headers = own.iter().cloned().chain(many).chain(last).collect();
        let outcome = host.exchange(&ready).unwrap();
        assert_eq!(outcome.status, status, "{more} more");
        let spoofed = outcome.upstream.and_then(|seen| values(&seen.headers, "x_user_id"));
        assert_eq!(spoofed, None, "{more} more");
    }
}

/// Of two names for one request none is believed: later releases of nginx's module have its own among the headers.
#[test]
fn an_authority_that_is_not_the_host_is_no_request() {
    let mut host = start(Ways::nginx(), &policy()).unwrap();
    host.changes(Ways { pseudo_headers_in_map: true, ..Ways::nginx() });
    let outcome = host.exchange(&request("/public", None)).unwrap();
    assert_eq!(outcome.reason.as_deref(), Some("request.malformed"));
}

/// nginx decodes `:path`, and sends the app what came.
#[test]
fn a_path_that_the_host_changed_is_no_path() {
    let mut host = start(Ways::nginx(), &policy()).unwrap();
    for (raw, status) in [("/public", 200), ("/admin/%2e%2e/public", 400)] {
        let mut ways = Ways::nginx();
        ways.properties.insert("request.path".into(), raw.into());
        host.changes(ways);
        assert_eq!(host.exchange(&request("/public", None)).unwrap().status, status, "{raw}");
    }
}

/// One host has no clock, another gives the nanoseconds of the second alone: nothing would ever end.
#[test]
fn without_a_clock_everything_has_ended() {
    let mut host = start(Ways::nginx(), &policy()).unwrap();
    for clock in [0, 999_999_999, 1_000_000_000_000_000_000, u64::MAX] {
        host.changes(Ways { clock: Some(clock), ..Ways::nginx() });
        let outcome = host.exchange(&request("/", Some("iahome"))).unwrap();
        assert_eq!(outcome.reason.as_deref(), Some("token.expired"), "{clock}");
    }
}

/// The words for caches are seen, however the app spells them.
#[test]
fn answers_are_read_in_any_spelling() {
    let mut host = start(Ways::nginx(), &policy()).unwrap();
    let mut ready = request("/", Some("iahome"));
    let public = Values::One("public, max-age=60".into());
    ready.upstream.headers.insert("cache-control".into(), public);
    let outcome = host.exchange(&ready).unwrap();
    assert_eq!(values(&outcome.headers, "cache-control").as_deref(), Some("private, max-age=60"));
}
