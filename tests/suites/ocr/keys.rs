//! The three keys of 001_d9637b39f961e8b1.txt: who sees which of them, and whose address counts.

use std::path::Path;

use serde_json::json;
use vigile::yaml::Yaml;
use vigile_tests::case::whole_numbers;
use vigile_tests::envoy::{self, Envoy};
use vigile_tests::keys::SERVICE_API_KEY;
use vigile_tests::policies::{project, rendered};
use vigile_tests::sample::Sample;

use super::call::{Answer, Call, DJANGO};
use super::provider::FINDING;
use super::six::found;
use super::stage::{PROVIDER_KEY, Setting, Stage, environment};

/// The app never sees the service key; the provider sees its own, once, and no other.
pub(crate) fn who_sees_which(python: &Path) {
    let stage = Stage::as_it_stands(&envoy::newest(), python);
    let call = Call::analyze().from(DJANGO).key(SERVICE_API_KEY).with("x-request-id", "the-one");
    call.send(stage.address()).is(200, &found());
    let app = stage.app_saw();
    assert!(app.contains(&format!("\r\nauthorization: Bearer {PROVIDER_KEY}\r\n")), "{app}");
    assert!(app.contains("wound.jpg") && !app.contains(SERVICE_API_KEY), "{app}");
    let [seen] = &stage.provider.seen()[..] else { panic!("{:?}", stage.provider.seen()) };
    assert_eq!(seen.values("authorization"), [format!("Bearer {PROVIDER_KEY}")]);
    assert_eq!(seen.values("host"), ["api.openai.com"]);
    assert!(!seen.text().contains(SERVICE_API_KEY), "{}", seen.text());
}

/// What the app calls: a completion, at the listener of the provider.
fn completion() -> Call {
    Call::post("/v1/chat/completions", &json!({ "model": "vision" }))
}

#[track_caller]
fn completed(answer: &Answer) {
    assert!(answer.status == 200 && answer.body.contains(FINDING), "{answer:?}");
}

/// Whatever the app sends, the provider is sent its key, over TLS that is the provider's; other paths
/// lead nowhere.
pub(crate) fn egress(python: &Path) {
    let stage = Stage::as_it_stands(&envoy::newest(), python);
    let to = stage.envoy.listener("provider");
    completed(&completion().send(to));
    completed(&completion().key(SERVICE_API_KEY).send(to));
    completed(&completion().key("a").key("b").send(to));
    for seen in stage.provider.seen() {
        assert_eq!(seen.values("authorization"), [format!("Bearer {PROVIDER_KEY}")]);
        assert!(!seen.text().contains(SERVICE_API_KEY), "{}", seen.text());
    }
    assert_eq!(stage.provider.seen().len(), 3);
    Call::get("/dashboard/billing").send(to).says(404, Some("route.unknown"));
    Call::get("/v1/models").with("x_a", "1").send(to).says(400, None);
    assert_eq!(stage.provider.seen().len(), 3);
}

/// A server that is not the provider is sent nothing.
pub(crate) fn another_server(python: &Path) {
    let stage = Stage::with_provider("api.openai.com.example.org", python);
    completion().send(stage.envoy.listener("provider")).says(503, None);
    let answer = Call::analyze().from(DJANGO).key(SERVICE_API_KEY).send(stage.address());
    assert_eq!((answer.status, stage.provider.seen().len()), (502, 0), "{answer:?}");
}

/// The listener for the app stands on loopback, and where an operator opens it, its list of addresses
/// still holds: the key is not lent to anybody.
pub(crate) fn egress_from_outside(python: &Path) {
    let sample = whole_numbers(yaml(&rendered(&file())));
    assert_eq!(
        sample["static_resources"]["listeners"][2]["address"]["socket_address"],
        json!({ "address": "127.0.0.1", "port_value": 8801 })
    );
    let setting = Setting::new(python);
    let mut config = whole_numbers(yaml(setting.place(Sample::read("ocr")).text()));
    // How a test on one machine calls from another: the PROXY protocol, believed of everybody.
    config["static_resources"]["listeners"][2]["listener_filters"] = json!([{
        "name": "envoy.filters.listener.proxy_protocol",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol" },
    }]);
    let envoy = Envoy::start(&envoy::newest(), &config, &environment(4));
    let envoy = envoy.unwrap_or_else(|error| panic!("{}", error.0));
    let to = envoy.listener("provider");
    let stage = setting.complete(envoy, &environment(4));
    completed(&completion().send_by_proxy("127.0.0.1", to));
    for from in ["192.0.2.10", "203.0.113.4", "10.0.0.1"] {
        let call = completion().with("x-forwarded-for", "127.0.0.1");
        call.send_by_proxy(from, to).says(403, Some("address.not_allowed"));
    }
    assert_eq!(stage.provider.seen().len(), 1);
}

fn file() -> std::path::PathBuf {
    project().join("envoy/ocr/envoy.yaml")
}

fn yaml(text: &str) -> serde_json::Value {
    serde_json::to_value(Yaml::parse(text).unwrap().tree()).unwrap()
}

/// Headers that claim an address change nothing, neither for a stranger nor for Django.
pub(crate) fn claimed_addresses(python: &Path) {
    let stage = Stage::as_it_stands(&envoy::newest(), python);
    let names = [
        "x-forwarded-for",
        "x-envoy-external-address",
        "x-real-ip",
        "x-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
        "x-envoy-downstream-service-node",
        "forwarded",
    ];
    let claim = |call: Call, name: &str, address: &str| match name {
        "forwarded" => call.with(name, &format!("for={address};by={address}")),
        _ => call.with(name, address),
    };
    let known = Call::analyze().key(SERVICE_API_KEY);
    for name in names {
        for address in ["127.0.0.2", "127.0.0.2, 127.0.0.3", "::1"] {
            let answer = claim(known.clone(), name, address).send(stage.address());
            answer.says(403, Some("address.not_allowed"));
            assert!(answer.body.contains("Your IP (127.0.0.9)"), "{name}: {answer:?}");
        }
        let django = claim(known.clone().from(DJANGO), name, "203.0.113.4");
        django.send(stage.address()).is(200, &found());
    }
    let all = names.iter().fold(known, |call, name| claim(call, name, "127.0.0.2"));
    all.send(stage.address()).says(403, Some("address.not_allowed"));
    assert_eq!(stage.analyses(), names.len());
    for line in stage.access_log("path", "/v1/analyze-wound", 4 * names.len() + 1) {
        let expected = if line["status"] == 200 { "127.0.0.2" } else { "127.0.0.9" };
        assert_eq!(line["client"], expected, "{line}");
    }
}
