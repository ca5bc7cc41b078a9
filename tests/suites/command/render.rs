//! `vigile render`: all of a config or nothing, and never a value that is not meant to be read.

use super::{LONG, Ran, file, vigile, vigile_reading};

const TEMPLATE: &str = "# for ${NAME}
address: { socket_address: { address: \"${ADDRESS}\", port_value: ${PORT} } }
again: \"${NAME}\"
";

const POLICY: &str = "vigile: 1
issuers: [{ name: a, algorithms: [HS256], keys: [{ secret: { env: KEY } }] }]
modules: [{ name: \"${NAME}\", hosts: [\"${KEY}\"], routes: [{ path: /**, token: { issuer: a } }] }]
";

fn rendered(template: &str, env_file: &str, variables: &[(&str, &str)]) -> Ran {
    let (_folder, template) = file("t.yaml", template);
    let (_other, env_file) = file(".env", env_file);
    vigile(&["render", &template, "--env-file", &env_file], variables)
}

#[test]
fn the_environment_counts_before_the_file() {
    let env_file = "ADDRESS='::1'\nPORT=1 # a comment\nexport NAME=file\nUNUSED='a b'\n";
    let text = rendered(TEMPLATE, env_file, &[("NAME", "own")]).fine();
    let filled = TEMPLATE.replace("${NAME}", "own").replace("${ADDRESS}", "::1");
    assert_eq!(text, filled.replace("${PORT}", "1"));
    let own = [("NAME", "own"), ("ADDRESS", "::1"), ("PORT", "1")];
    assert_eq!(vigile_reading(&["render", "-"], &own, TEMPLATE.as_bytes()).fine(), text);
    assert_eq!(vigile_reading(&["render", "-"], &[], b"a: 1\n").fine(), "a: 1\n");
}

#[test]
fn what_is_missing_is_told_at_once_and_there_is_no_config() {
    let ran = rendered(TEMPLATE, "PORT=\nADDRESS='do-not-show: x'\nA do-not-show\n", &[]);
    let ran = ran.ends_with(1);
    assert_eq!(ran.stdout, "");
    let name = |line: &str| [".env:", "t.yaml:"].iter().find_map(|name| line.find(name));
    let said: Vec<&str> = ran.stderr.lines().map(|line| &line[name(line).unwrap()..]).collect();
    assert!(said[0].starts_with(".env:3: this is no NAME=value"), "{said:?}");
    assert_eq!(said[1], "t.yaml:1: ${NAME} is not set");
    assert!(said[2].starts_with("t.yaml:2: ${ADDRESS} holds more than"), "{said:?}");
    assert_eq!(said[3..], ["t.yaml:2: ${PORT} is empty"]);
    // Whatever is wrong with the file, a config is not half of one.
    let env_file = "ADDRESS=a\nPORT=1\nNAME=n\nNAME=n\n";
    let ran = rendered(TEMPLATE, env_file, &[]).ends_with(1).says(".env:4: NAME stands here again");
    assert_eq!(ran.stdout, "");
}

/// Places that a shell would expand are not guessed at.
#[test]
fn places_that_are_no_names_are_left_to_their_author() {
    for (template, says) in [
        ("a: ${A", "t.yaml:1: ${A has no } on its line: write ${NAME}"),
        ("a: ${A\nb: }\n", "t.yaml:1: ${A has no } on its line"),
        ("a: ${A:-x}\n", "t.yaml:1: ${A:-x} says more than a name, and no shell reads it"),
        ("a: ${a}\n", "t.yaml:1: ${a} is no name: capitals, digits and _"),
    ] {
        let ran = rendered(template, "A=1\n", &[]).ends_with(1).says(says);
        assert_eq!(ran.stdout, "");
    }
}

#[test]
fn a_secret_is_not_filled_in() {
    let env_file = format!("NAME=n\nKEY={LONG}\n");
    for variables in [&[][..], &[("KEY", "host.example.org")]] {
        let ran = rendered(POLICY, &env_file, variables).ends_with(1);
        let ran = ran.says("t.yaml:3: ${KEY} is one of the policy's own variables");
        assert_eq!((ran.stdout.as_str(), ran.stderr.lines().count()), ("", 1), "{ran:?}");
    }
    let other = POLICY.replace("${KEY}", "${HOST}");
    let text = rendered(&other, &format!("{env_file}HOST=h.example.org\n"), &[]).fine();
    assert!(text.contains("hosts: [\"h.example.org\"]") && text.contains("{ env: KEY }"), "{text}");
}

#[test]
fn what_cannot_be_read_is_told() {
    vigile(&["render", "no-such-file"], &[]).ends_with(1).says("no-such-file: ");
    let (_folder, template) = file("t.yaml", TEMPLATE);
    vigile(&["render", &template, "--env-file", "no-such-file"], &[])
        .ends_with(1)
        .says("no-such-file: ");
    vigile_reading(&["render", "-"], &[], &[0xff]).ends_with(1).says("not UTF-8");
    vigile(&["render"], &[]).ends_with(64);
}
