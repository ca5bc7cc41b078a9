//! `vigile unit`: the policy as NGINX Unit reads it, or why there is none.

use std::process::Command;

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
    vigile(&["unit", "--host", "unit-two-hops", &path], &[]).fine();
}

#[test]
fn one_policy_of_several_must_be_named() {
    let sample = project().join("envoy/ocr/envoy.yaml");
    let (_folder, path) = file("envoy.yaml", &policies::rendered(&sample));
    let ran = vigile(&["unit", "--host", "unit-two-hops", &path], &[]).ends_with(64);
    assert!(ran.stderr.contains("choose one by --policy or --module"), "{}", ran.stderr);
    vigile(&["unit", "--host", "unit-two-hops", "--module", "ocr", &path], &[]).fine();
}

/// A shell makes the file of `> FILE` before anything is known of the policy; `--output` does not.
#[test]
fn a_file_is_written_as_a_whole_or_not_at_all() {
    let (folder, path) = file("policy.yaml", POLICY);
    let output = folder.path().join("policy.json");
    let shown = output.to_str().unwrap();
    let refused = POLICY.replace("public: true", "addresses: [192.0.2.1]");
    let (_folder, wrong) = file("wrong.yaml", &refused);
    vigile(&["unit", &wrong, "--output", shown], &[]).ends_with(1);
    assert!(!output.exists(), "an empty file, or a policy that Unit cannot honour");
    assert_eq!(vigile(&["unit", &path, "--output", shown], &[]).fine(), "");
    let written = std::fs::read_to_string(&output).unwrap();
    assert_eq!(written, vigile(&["unit", &path], &[]).fine());
    vigile(&["unit", &wrong, "--output", shown], &[]).ends_with(1);
    assert_eq!(std::fs::read_to_string(&output).unwrap(), written);
    let nowhere = folder.path().join("none/policy.json");
    let ran = vigile(&["unit", &path, "--output", nowhere.to_str().unwrap()], &[]).ends_with(1);
    assert!(ran.stderr.contains("none/policy.json: "), "{}", ran.stderr);
    let names = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 2, "something else was left there");
}

/// The examples of the help, as they stand there.
#[test]
fn the_examples_of_the_help_run() {
    let (folder, _) = file("policy.yaml", POLICY);
    let root = folder.path();
    std::fs::create_dir_all(root.join("envoy/ocr")).unwrap();
    std::fs::create_dir(root.join("written")).unwrap();
    for (from, to) in
        [("envoy/ocr/envoy.yaml", "envoy/ocr/envoy.yaml"), ("envoy/.env.example", ".env")]
    {
        std::fs::copy(project().join(from), root.join(to)).unwrap();
    }
    let help = vigile(&["unit", "--help"], &[]).fine();
    let (_, examples) = help.split_once("Examples:\n").unwrap();
    let script = examples.replace("/etc/vigile/", "written/");
    assert!(
        script.contains("written/ocr.json") && script.contains("written/policy.json"),
        "{help}"
    );
    let path = format!("{}:/usr/bin:/bin", super::BINARY.parent().unwrap().display());
    let mut shell = Command::new("sh");
    shell.args(["-ec", &script]).current_dir(root).env_clear().env("PATH", path);
    let ran = shell.output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    for (file, module) in [("policy", "app"), ("ocr", "ocr")] {
        let text = std::fs::read_to_string(root.join(format!("written/{file}.json"))).unwrap();
        let written: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(written["modules"][0]["name"], module);
    }
}
