//! `vigile unit`: the policy as NGINX Unit reads it, or why there is none.

use vigile_policy::{Draft, Host, Tree};
use vigile_tests::policies::{self, project};

use super::{file, vigile};

const POLICY: &str = "
vigile: 1
modules:
  - name: app
    routes:
      - path: /**
        public: true
";

#[test]
fn what_it_writes_is_the_policy() {
    let (_folder, path) = file("policy.yaml", POLICY);
    let json = vigile(&["unit", &path], &[]).fine();
    let [unit, envoy] = [Host::UNIT, Host::ENVOY].map(|host| {
        let draft = Draft::read(json.as_bytes()).unwrap();
        draft.resolve(&Default::default(), host).unwrap().policy().digest().to_owned()
    });
    assert_eq!(unit, envoy);
    assert!(json.contains("\"/**\""), "{json}");
}

#[test]
fn the_policy_of_an_envoy_config_is_found() {
    let sample = project().join("envoy/stable-diffusion/envoy.yaml");
    let (_folder, path) = file("envoy.yaml", &policies::rendered(&sample));
    let json = vigile(&["unit", &path], &[]).fine();
    let written: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(written["modules"][0]["name"], "stablediffusion");
    let tree = policies::load("envoy/stable-diffusion").tree;
    assert_eq!(written, serde_json::to_value(&tree).unwrap());
    assert!(matches!(tree, Tree::Map(_)));
}

#[test]
fn what_unit_cannot_honour_is_told_and_nothing_is_written() {
    let refused = POLICY.replace("public: true", "addresses: [192.0.2.1]");
    let (_folder, path) = file("policy.yaml", &refused);
    let ran = vigile(&["unit", &path], &[]).ends_with(1);
    assert_eq!(ran.stdout, "");
    let problem = "policy.yaml:7:9: error: modules[0].routes[0].addresses: this host does not know";
    assert!(ran.stderr.contains(problem), "{}", ran.stderr);
    vigile(&["unit", "--two-hops", &path], &[]).fine();
}

#[test]
fn one_policy_of_several_must_be_named() {
    let sample = project().join("envoy/ocr/envoy.yaml");
    let (_folder, path) = file("envoy.yaml", &policies::rendered(&sample));
    let ran = vigile(&["unit", "--two-hops", &path], &[]).ends_with(64);
    assert!(ran.stderr.contains("choose one by --policy or --module"), "{}", ran.stderr);
    vigile(&["unit", "--two-hops", "--module", "ocr", &path], &[]).fine();
}
