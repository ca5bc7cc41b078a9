//! Every command of a sample's README, run as it stands there; only ports are others.
//!
//! A line's `# → text` is what its output must hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use vigile_tests::{envoy, policies, tools};

/// The ports that samples and their READMEs name.
const PORTS: [&str; 7] = ["8443", "8080", "9901", "7860", "8765", "8801", "8000"];

fn main() {
    let arguments = Arguments::from_args();
    let samples = [("stable-diffusion", "gradio"), ("ocr", "ocr")];
    let trials = samples.into_iter().map(|(sample, venv)| match tools::venv(venv) {
        Ok(python) => Trial::test(format!("envoy/{sample}"), move || run(sample, &python)),
        Err(missing) => tools::skipped(format!("envoy/{sample}"), missing),
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn run(sample: &str, python: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let here = stage(folder.path(), sample, python)?;
    let text = std::fs::read_to_string(here.join("README.md"))?;
    let script = script(&text);
    std::fs::write(here.join("run.sh"), &script)?;
    let output = Command::new("bash")
        .arg("run.sh")
        .current_dir(&here)
        .env_clear()
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", folder.path().join("bin").display()))
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    match output.status.success() {
        true => Ok(()),
        false => Err(said.chars().rev().take(3000).collect::<String>().chars().rev().collect::<String>().into()),
    }
}

/// The sample's folder as in a checkout, with `vigile`, `envoy` and `python3` on a path of their own.
fn stage(root: &Path, sample: &str, python: &Path) -> std::io::Result<PathBuf> {
    let project = policies::project();
    let here = root.join("envoy").join(sample);
    std::fs::create_dir_all(&here)?;
    std::fs::create_dir_all(root.join("bin"))?;
    std::fs::create_dir_all(root.join("dist"))?;
    for entry in std::fs::read_dir(project.join("envoy").join(sample))? {
        let file = entry?.path();
        if file.is_file() {
            std::fs::copy(&file, here.join(file.file_name().unwrap()))?;
        }
    }
    symlink(envoy::module(), root.join("dist/vigile.wasm"))?;
    symlink(tools::vigile(), root.join("bin/vigile"))?;
    symlink(envoy::newest().path, root.join("bin/envoy"))?;
    // A link to the interpreter would lose its environment.
    let wrapper = format!("#!/bin/sh\nexec {} \"$@\"\n", python.display());
    std::fs::write(root.join("bin/python3"), wrapper)?;
    tools::make_executable(&root.join("bin/python3"))?;
    Ok(here)
}

/// The commands as one script, with what each must print.
fn script(readme: &str) -> String {
    let mut script = String::from("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n");
    for command in commands(readme) {
        match command.split_once("# → ") {
            None => script.push_str(&format!("{command}\n")),
            Some((command, wanted)) => {
                let wanted = wanted.trim().replace('\'', r"'\''");
                let _ = write!(
                    script,
                    "said=$( {{ {command}\n}} 2>&1 ) || true\ncase \"$said\" in *'{wanted}'*) ;; *) echo 'wanted: {wanted}'; echo \"$said\"; exit 1 ;; esac\n"
                );
            }
        }
    }
    let ports: BTreeMap<&str, u16> = PORTS.into_iter().map(|port| (port, tools::free_port())).collect();
    // vigile init writes the sample's ports: they are moved there as well.
    let moved: String = ports.iter().map(|(from, to)| format!("s/\\b{from}\\b/{to}/g;")).collect();
    let script = script.replace("> local.yaml\n", &format!("> local.yaml\nsed -i '{moved}' local.yaml\n"));
    let (head, tail) = script.split_once("sed -i").unwrap_or((&script, ""));
    let (own, tail) = tail.split_once('\n').unwrap_or(("", tail));
    let replace = |text: &str| ports.iter().fold(text.to_owned(), |text, (from, to)| text.replace(&format!(":{from}"), &format!(":{to}")).replace(&format!("PORT={from}"), &format!("PORT={to}")).replace(&format!("--port {from}"), &format!("--port {to}")));
    format!("{}sed -i{own}\n{}", replace(head), replace(tail))
}

/// The commands of the `sh` blocks, lines that continue joined.
fn commands(readme: &str) -> Vec<String> {
    let blocks = readme.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    let text: String = blocks.collect::<Vec<_>>().join("\n");
    let mut commands: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match (open, commands.last_mut()) {
            (true, Some(command)) => command.push_str(&format!("\n{line}")),
            _ => commands.push(line.to_owned()),
        }
        open = line.ends_with('\\');
    }
    commands
}
