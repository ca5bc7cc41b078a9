//! Many addresses: they neither give anybody a second sixth call nor take a first one from anybody.

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use vigile_tests::caller::Call;
use vigile_tests::envoy::Binary;

use super::stage::{ASSISTANT, LOGIN, PASSWORD, REGISTER, client, login};

const ADDRESSES: u16 = 10_000;
const THREADS: u16 = 4;

/// 10,000 addresses of this machine, which call the listener as it stands. What they ask for is refused by
/// Vigile (405), behind the limit.
pub(crate) fn ten_thousand(binary: &Binary, python: &Path) {
    let service = ASSISTANT.start(binary, python);
    let register = Call::post("/auth/register", &json!({})).from(client(1));
    REGISTER.exhaust(&service, &register);
    LOGIN.exhaust(&service, &login("superuser", PASSWORD).from(client(1)));
    let before = service.requests();
    let started = Instant::now();
    let gate = &service.gate;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for n in (0..ADDRESSES).filter(|n| n % THREADS == thread) {
                    let mut line = gate.line(client(100 + n));
                    for path in ["/auth/register", "/auth/login"] {
                        let answer = gate.send_on(&mut line, &Call::get(path));
                        answer.says(405, Some("method.not_allowed"));
                    }
                }
            });
        }
    });
    println!("Envoy {}: {ADDRESSES} addresses in {:.1?}", binary.version, started.elapsed());
    // Within the hour, no fourth.
    REGISTER.refused(&service.send(&register));
    assert_eq!(service.requests(), before);
    // Five of a new bucket would be more than what came meanwhile, one each twelve seconds; on a machine so
    // slow that they are not, the registrations above have told it.
    let meanwhile = 1 + started.elapsed().as_secs() / u64::from(LOGIN.every());
    let mut passed = 0;
    while service.send(&login("superuser", PASSWORD).from(client(1))).status == 200 {
        passed += 1;
    }
    assert!(passed <= meanwhile, "{passed} of {meanwhile}");
}

/// An IPv6 client has a whole network of addresses (a /64): it is one client.
pub(crate) fn one_network(python: &Path) {
    // How a test on one machine calls from another: the PROXY protocol, believed of everybody.
    let service = ASSISTANT.start_changed(python, |sample| {
        let own = "      per_connection_buffer_limit_bytes: 1048576\n";
        let proxy = "      listener_filters: [{ name: p, typed_config: { \"@type\": type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol } }]\n";
        sample.with(own, &format!("{own}{proxy}"))
    });
    let register = |from: &str| {
        let proxy = format!("PROXY TCP6 {from} ::1 50000 443\r\n");
        let call = Call::post("/auth/register", &json!({}));
        service.gate.send_on(&mut service.gate.line_behind(client(1), &proxy), &call)
    };
    for n in 1..=3 {
        assert_eq!(register(&format!("2001:db8:0:1::{n}")).status, 422);
    }
    REGISTER.refused(&register("2001:db8:0:1:ffff::4"));
    assert_eq!(register("2001:db8:0:2::1").status, 422);
}

/// Behind a load balancer that is named, the address that it adds counts, and none that its client claims.
pub(crate) fn behind_a_load_balancer(python: &Path) {
    let service = ASSISTANT.start_changed(python, |sample| {
        let own = "# Behind a load balancer, name it instead: see README.md.\n                use_remote_address: true\n";
        let named = "use_remote_address: false\n                original_ip_detection_extensions: [{ name: envoy.http.original_ip_detection.xff, typed_config: { \"@type\": type.googleapis.com/envoy.extensions.http.original_ip_detection.xff.v3.XffConfig, xff_trusted_cidrs: { cidrs: [{ address_prefix: 127.0.0.0, prefix_len: 8 }] } } }]\n";
        let believed = "vigile: 1\n                            client_address: envoy\n";
        sample.with(own, named).with("vigile: 1\n", believed)
    });
    let register = |forwarded: &str| {
        let call = Call::post("/auth/register", &json!({})).with("x-forwarded-for", forwarded);
        service.send(&call.from(client(1)))
    };
    for n in 1..=3 {
        assert_eq!(register(&format!("203.0.113.{n}, 198.51.100.7")).status, 422);
    }
    REGISTER.refused(&register("198.51.100.7"));
    REGISTER.refused(&register("203.0.113.4, 198.51.100.7"));
    assert_eq!(register("198.51.100.7, 198.51.100.8").status, 422);
}
