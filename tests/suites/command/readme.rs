//! README.md: its commands run as they stand there, and its policy has no mistake.

use std::process::Command;

use vigile_tests::snippets;

use super::{BINARY, file, vigile};

fn block(kind: &str, holds: &str) -> String {
    let readme = vigile_tests::policies::project().join("README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let mut blocks = snippets::all(&readme).into_iter();
    let found = blocks.find(|block| block.language == kind && block.text.contains(holds));
    found.expect("the README has it").text
}

#[test]
fn the_policy_by_example_is_one() {
    let (_folder, path) = file("policy.yaml", &block("yaml", "vigile: 1"));
    let ran = vigile(&["check", &path], &[]).ends_with(0);
    assert_eq!(ran.stdout, "");
}

#[test]
fn an_env_file_does_as_well() {
    let commands = block("sh", "vigile render");
    let commands = commands.replace("dist/vigile", &BINARY.display().to_string());
    let folder = tempfile::tempdir().unwrap();
    let samples = vigile_tests::policies::project().join("envoy");
    std::os::unix::fs::symlink(samples, folder.path().join("envoy")).unwrap();
    let shell = Command::new("sh").args(["-ec", &commands]).current_dir(&folder).output().unwrap();
    assert!(shell.status.success() && shell.stderr.is_empty(), "{shell:?}");
    let config = folder.path().join("envoy.yaml").display().to_string();
    assert_eq!(vigile(&["check", &config], &[]).ends_with(0).stdout, "");
}

#[test]
fn the_commands_do_what_is_said() {
    let commands = block("sh", "vigile init");
    let (build, commands) = commands.split_once('\n').unwrap();
    assert!(build.starts_with("./build.sh build "), "{build}");
    let commands = commands.replace("dist/vigile", &BINARY.display().to_string());
    let folder = tempfile::tempdir().unwrap();
    let shell = Command::new("sh").args(["-c", &commands]).current_dir(&folder).output().unwrap();
    let (said, errors) =
        [shell.stdout, shell.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).into();
    assert!(errors.contains("Left to do:") && errors.contains("nothing found"), "{errors}");
    assert!(said.contains("embed.top_level"), "{said}{errors}");
    // The last command explains a refusal.
    assert_eq!(shell.status.code(), Some(3), "{said}{errors}");
}
