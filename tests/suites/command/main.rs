//! The command line as its users have it: the real binary, its outputs and its exit statuses.

mod check;
mod explain;
mod init;
mod key;
mod readme;
mod reasons;
mod render;
mod token;
mod unit;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// What every secret holds that these tests hand over. No output may.
const SECRET: &str = "do-not-show";

/// A secret that is long enough for everything.
const LONG: &str = "do-not-show-0123456789-0123456789-0123456789-0123456789-0123456789";

/// The binary: `VIGILE`, or built here.
static BINARY: LazyLock<PathBuf> = LazyLock::new(vigile_tests::tools::vigile);

/// How a command ended, and what it printed.
#[derive(Debug)]
struct Ran {
    exit: i32,
    stdout: String,
    stderr: String,
}

/// Runs `vigile` with these arguments and variables, and nothing else.
fn vigile(arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    vigile_reading(arguments, variables, b"")
}

/// The same with something on the standard input.
fn vigile_reading(arguments: &[&str], variables: &[(&str, &str)], input: &[u8]) -> Ran {
    let mut child = Command::new(&*BINARY)
        .args(arguments)
        .current_dir(vigile_tests::policies::project())
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("vigile can be run");
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    // A command that does not read its input may be gone before all of it is written.
    let _ = writer.join().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("outputs are text");
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    let exit = output.status.code().expect("an exit status");
    let ran = Ran { exit, stdout, stderr };
    assert!(!ran.stderr.contains("panicked"), "{arguments:?} {ran:?}");
    assert!(!format!("{ran:?}").contains(SECRET), "a secret is shown: {arguments:?} {ran:?}");
    ran
}

impl Ran {
    /// The standard output of a command that went well.
    #[track_caller]
    fn fine(self) -> String {
        assert_eq!(self.exit, 0, "{self:?}");
        self.stdout
    }

    #[track_caller]
    fn ends_with(self, exit: i32) -> Self {
        assert_eq!(self.exit, exit, "{self:?}");
        self
    }

    #[track_caller]
    fn says(self, part: &str) -> Self {
        let all = format!("{}{}", self.stdout, self.stderr);
        assert!(all.contains(part), "{part:?} in\n{all}");
        self
    }
}

/// A file that lives as long as the test.
fn file(name: &str, text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn wrong_usage_has_a_status_of_its_own() {
    for arguments in [
        &[][..],
        &["no-such-command"],
        &["check"],
        &["check", "--no-such-option", "x"],
        &["check", "--format", "xml", "x"],
        &["explain", "x"],
        &["explain", "tests/check/good/policy.yaml", "--get", "ftp://a/"],
        &["explain", "x", "--get", "/", "--from", "nowhere"],
        &["explain", "x", "--get", "/", "--at", "yesterday"],
        &["explain", "tests/check/good/policy.yaml", "--get", "/", "--header", "no colon"],
        &["key", "--bytes", "8"],
        &["key", "--prefix", "a b"],
        &["key", "--sha256", "--prefix", "a"],
        &["token", "--alg", "HS256"],
        &["token", "--alg", "none", "--secret-env", "A"],
        &["token", "--alg", "HS256", "--secret", LONG],
        &["token", "--alg", "HS256", "--secret-env", "A", "--key-env", "B"],
        &["token", "--alg", "HS256", "--secret-env", "A", "--claim", "no-equals-sign"],
    ] {
        let ran = vigile(arguments, &[]).ends_with(64);
        assert!(!ran.stderr.is_empty() && ran.stdout.is_empty(), "{arguments:?}");
    }
}

/// A secret that was put in the wrong place is not repeated; every output is looked through for it.
#[test]
fn no_argument_that_may_be_a_secret_is_repeated() {
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{LONG}\n{LONG}==\n-----END PRIVATE KEY-----");
    for wrong in [LONG, &format!("--secret={LONG}"), &pem] {
        for arguments in [
            &["token", "--alg", "HS256", "--secret-env", wrong][..],
            &["token", "--alg", "HS256", "--secret-file", wrong],
            &["token", "--alg", "ES256", "--key-env", wrong],
            &["token", "--alg", "HS256", "--secret-env", "S", wrong],
            &["token", "--alg", wrong, "--secret-env", "S"],
            &["token", "--alg", "HS256", "--secret-env", "S", "--claim", wrong],
            &["token", "--alg", "HS256", "--secret-env", "S", "--expires", wrong],
            &["explain", "tests/check/good/policy.yaml", "--get", "/", "--header", "A: b", wrong],
            &["explain", "tests/check/good/policy.yaml", "--get", "/", "--header", wrong],
            &["explain", "tests/check/good/policy.yaml", "--get", "/", "--from", wrong],
            &["explain", "tests/check/good/policy.yaml", "--get", "/", "--at", wrong],
            &["explain", "tests/check/good/policy.yaml", "--get", "/", "--dest", wrong],
            &["key", wrong],
            &["key", "--prefix", &format!("{wrong} ")],
            &["init", "ocr", "--upstream", wrong],
        ] {
            let ran = vigile(arguments, &[("S", LONG)]);
            assert!([1, 64].contains(&ran.exit), "{ran:?}");
        }
    }
}

#[test]
fn help_shows_examples_and_statuses() {
    let top = vigile(&["--help"], &[]).fine();
    assert!(top.contains("Exit status:") && top.contains("64  wrong usage"), "{top}");
    for command in ["check", "explain", "render", "token", "key", "reasons"] {
        assert!(top.contains(&format!("  {command} ")), "{top}");
        let help = vigile(&[command, "--help"], &[]).fine();
        assert!(help.contains("Examples:\n  "), "{help}");
    }
    for command in ["check", "explain", "render"] {
        assert!(vigile(&[command, "--help"], &[]).fine().contains("Exit status:\n  0 "));
    }
    assert!(vigile(&["--version"], &[]).fine().starts_with("vigile 0."));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let mut child = Command::new(&*BINARY)
        .args(["reasons", "--markdown"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), b"".as_slice()));
}
