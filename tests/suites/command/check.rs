//! `vigile check`: statuses, forms, and what it reads.

use serde_json::Value;

use super::{LONG, file, vigile, vigile_reading};

const GOOD: &str = "tests/check/good/frame.yaml";

/// A policy with a warning, and one with two errors.
const WARNED: &str = "vigile: 1
issuers: [{ name: a, algorithms: [HS256], keys: [{ secret: { env: A } }] }]
modules: [{ name: m, module_claim: none, routes: [{ path: /**, token: { issuer: a } }] }]
";
const GOOD_POLICY: &str = "vigile: 1
modules: [{ name: m, routes: [{ path: /**, public: true }] }]
";
const WRONG: &str = "vigile: 1
modules:
  - name: m m
    routes:
      - path: /**
        pubic: true
";

#[test]
fn the_status_says_what_was_found() {
    let (_one, warned) = file("warned.yaml", WARNED);
    let (_other, wrong) = file("wrong.yaml", WRONG);
    vigile(&["check", GOOD], &[]).ends_with(0).says("nothing found");
    vigile(&["check", &warned], &[]).ends_with(2).says("1 warning");
    vigile(&["check", &wrong], &[]).ends_with(1).says("2 errors");
    vigile(&["check", GOOD, &warned, &wrong], &[]).ends_with(1).says("2 errors, 1 warning");
    vigile(&["check", "no-such-file.yaml"], &[])
        .ends_with(1)
        .says("no-such-file.yaml:1:1: error: this file cannot be read");
    vigile(&["check", "tests"], &[])
        .ends_with(1)
        .says("tests:1:1: error: this file cannot be read");
}

#[test]
fn lines_are_what_editors_jump_to() {
    let (_folder, wrong) = file("wrong.yaml", WRONG);
    let stdout = vigile(&["check", &wrong], &[]).stdout;
    let lines: Vec<&str> = stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{stdout}");
    assert!(lines[0].starts_with(&format!("{wrong}:3:5: error: modules[0].name: ")));
    assert!(lines[1].starts_with(&format!(
        "{wrong}:6:9: error: modules[0].routes[0].pubic: there is no such key; did you mean"
    )));
}

/// Where the space behind a colon lacks, key and value are one key to YAML.
#[test]
fn no_key_shows_a_secret() {
    const HIDDEN: &str = "s3cr3t-Value-0123456789abcdefghijklmnop";
    let policy = format!(
        "vigile: 1
issuers: [{{ name: a, algorithms: [HS256], keys: [{{ secret:{HIDDEN}, secret:{HIDDEN} }}] }}]
modules: [{{ name: m, forward: {{ authorization:Bearer {HIDDEN} }}, routes: [{{ path: /**, token: {{ issuer: a }} }}] }}]
"
    );
    let (_folder, wrong) = file("wrong.yaml", &policy);
    for form in ["text", "json"] {
        let ran = vigile(&["check", &wrong, "--format", form], &[]).ends_with(1);
        assert!(!ran.stdout.contains("s3cr3t") && !ran.stderr.contains("s3cr3t"), "{}", ran.stdout);
        ran.says("does a space lack behind it?");
    }
}

/// Whatever else could be said of a template would be about what it is not.
#[test]
fn a_template_is_to_be_rendered_first() {
    for (sample, place) in [
        ("ocr/envoy.yaml", "11:64"),
        ("ocr/level-3.yaml", "10:12"),
        ("stable-diffusion/envoy.yaml", "8:64"),
    ] {
        let sample = format!("envoy/{sample}");
        let ran = vigile(&["check", &sample], &[]).ends_with(1);
        assert!(ran.stdout.starts_with(&format!("{sample}:{place}: error: ${{")), "{ran:?}");
        assert!(ran.stdout.contains(" is not filled in: this is a template."), "{ran:?}");
        assert!(ran.stdout.contains("vigile render FILE --env-file .env"), "{ran:?}");
        assert_eq!(ran.stderr, "1 error\n");
    }
    let explained = vigile(&["explain", "envoy/ocr/envoy.yaml", "--get", "/"], &[]);
    explained.ends_with(1).says("this is a template");
    // In a script it is the script's own, and in a comment nobody's.
    let script = "script: \"`${HOME}`; a(${B})\"\n";
    let (_folder, good) = file("good.yaml", &format!("# ${{NAME}}\n{GOOD_POLICY}{script}"));
    vigile(&["check", &good], &[]).ends_with(1).says("script: there is no such key");
}

/// Whoever writes it fills it in by other means than `vigile render`.
#[test]
fn templates_of_others_are_to_be_rendered_first() {
    for (name, place) in
        [("{{ .Values.name }}", "3:11"), ("\"{{ .Values.name }}\"", "3:12"), ("${NAME:-x}", "3:11")]
    {
        let text = GOOD_POLICY.replace("[{ name: m, routes", "\n  - { routes");
        let text = text
            .replace("}] }]", "}] }\n")
            .replace("- { routes", &format!("- name: {name}\n    routes"));
        let text = text.replace(" }\n", "\n");
        let (_folder, template) = file("t.yaml", &text);
        let ran = vigile(&["check", &template], &[])
            .ends_with(1)
            .says("this is a template. Render it first");
        assert!(ran.stdout.contains(&format!("t.yaml:{place}: error: ")), "{text}\n{ran:?}");
    }
    let (_folder, chart) =
        file("t.yaml", &format!("{{{{- if .Values.on }}}}\n{GOOD_POLICY}{{{{- end }}}}\n"));
    vigile(&["check", &chart], &[])
        .ends_with(1)
        .says("t.yaml:1:1: error: ")
        .says("helm template CHART");
    vigile(&["explain", &chart, "--get", "/"], &[]).ends_with(1).says("this is a template");
    // Two braces that are a map in a map, or a word of something else.
    let (_folder, good) =
        file("good.yaml", &format!("{GOOD_POLICY}script: \"t = {{{{1, 2}}, {{3}}}}\"\n"));
    vigile(&["check", &good], &[]).ends_with(1).says("script: there is no such key");
}

/// Envoy reads the same file.
#[test]
fn a_tab_behind_a_colon_is_a_space() {
    let (_folder, tabs) = file("tabs.yaml", &GOOD_POLICY.replace(": ", ":\t"));
    vigile(&["check", &tabs], &[]).ends_with(0);
    vigile(&["explain", &tabs, "--get", "/"], &[]).ends_with(0).says("allowed.public");
    let (_folder, indented) = file("tabs.yaml", "vigile: 1\nmodules:\n\t- name: m\n");
    vigile(&["check", &indented], &[])
        .ends_with(1)
        .says("tabs.yaml:3:2: error: ")
        .says("indent with spaces");
    let (_folder, behind) = file("tabs.yaml", "vigile: 1\nmodules:\n  -\tname: m\n");
    vigile(&["check", &behind], &[])
        .ends_with(1)
        .says("Envoy takes no key behind a tab: write spaces");
}

#[test]
fn machines_get_json() {
    let (_folder, wrong) = file("wrong.yaml", WRONG);
    let ran = vigile(&["check", "--format", "json", GOOD, &wrong], &[]).ends_with(1);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        (&json["errors"], &json["warnings"], &json["notes"]),
        (&2.into(), &0.into(), &0.into())
    );
    let second = &json["findings"][1];
    assert_eq!(second["file"], wrong.as_str());
    assert_eq!((&second["line"], &second["column"]), (&6.into(), &9.into()));
    assert_eq!(
        (second["severity"].as_str(), second["kind"].as_str()),
        (Some("error"), Some("policy"))
    );
    assert_eq!(second["path"], "modules[0].routes[0].pubic");
    let fine = vigile(&["check", "--format", "json", GOOD], &[]).fine();
    assert_eq!(serde_json::from_str::<Value>(&fine).unwrap()["findings"], Value::Array(Vec::new()));
}

#[test]
fn the_standard_input_is_a_file() {
    let good = vigile_tests::policies::project().join("tests/check/good/string.json");
    let good = std::fs::read(good).unwrap();
    vigile_reading(&["check", "-"], &[], WRONG.as_bytes()).ends_with(1).says("-:6:9: error: ");
    vigile_reading(&["check", "-"], &[], &good).ends_with(0);
}

#[test]
fn values_are_judged_where_they_are_asked_for() {
    let arguments = ["check", "--env", GOOD];
    vigile(&["check", GOOD], &[]).ends_with(0);
    vigile(&arguments, &[("IAHOME_JWT_SECRET", LONG)]).ends_with(0);
    vigile(&arguments, &[])
        .ends_with(1)
        .says("85:37: error: issuers[0].keys[0].secret: the variable IAHOME_JWT_SECRET is not set");
    vigile(&arguments, &[("IAHOME_JWT_SECRET", "do-not-show")])
        .ends_with(1)
        .says("this secret is too short");
    vigile(&arguments, &[("IAHOME_JWT_SECRET", &format!("{LONG}\n"))])
        .ends_with(1)
        .says("ends with a newline");
}

#[test]
fn hostile_files_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let deep = "{a: ".repeat(500_000);
    let blocks: String = (0..3_000).map(|depth| format!("{}- \n", " ".repeat(depth))).collect();
    let files: [(&str, &[u8]); 6] = [
        ("empty.yaml", b""),
        ("binary.yaml", &[0, 159, 146, 150, 255]),
        ("deep.yaml", deep.as_bytes()),
        ("deep.json", deep.as_bytes()),
        ("blocks.yaml", blocks.as_bytes()),
        (
            "numbers.yaml",
            b"vigile: 99999999999999999999999999999999\nremember_tokens: 1e999\nmodules: -0x0\n",
        ),
    ];
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        vigile(&["check", "--env", &path.display().to_string()], &[])
            .ends_with(1)
            .says(": error: ");
        vigile(&["explain", &path.display().to_string(), "--get", "/"], &[])
            .ends_with(1)
            .says("vigile: ");
    }
}

/// Where these are read to their end, memory has one.
#[cfg(target_os = "linux")]
#[test]
fn files_without_an_end_are_errors() {
    for command in [&["check", "/dev/zero"][..], &["explain", "/dev/zero", "--get", "/"]] {
        vigile(command, &[]).ends_with(1).says("this is larger than 16 MB");
    }
}

/// Variables that are no text are nobody's secret, and no reason to panic.
#[cfg(unix)]
#[test]
fn variables_that_are_no_text_are_passed_over() {
    use std::os::unix::ffi::OsStrExt;
    let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    let output = std::process::Command::new(&*super::BINARY)
        .args(["check", "--env", "tests/check/good/frame.yaml"])
        .current_dir(vigile_tests::policies::project())
        .env_clear()
        .env("ODD", odd)
        .env("IAHOME_JWT_SECRET", LONG)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
