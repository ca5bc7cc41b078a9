//! Every command of a sample's README, run as it stands there, in one shell from the first to the last.
//!
//! A command's `# → text` is what it must print. Ports are others, so that tests can run side by side, and
//! the provider of the OCR service is nobody: no test calls the Internet.

use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};
use vigile_tests::{envoy, policies, snippets, tools};

/// The ports that samples and their READMEs name.
const PORTS: [u16; 8] = [8443, 8080, 9901, 7860, 8765, 8801, 8000, 8081];

/// What stands in a README before a command's output.
const PRINTS: &str = "# → ";

fn main() {
    let arguments = Arguments::from_args();
    libtest_mimic::run(&arguments, policies::samples().into_iter().map(trial).collect()).exit();
}

fn trial(sample: String) -> Trial {
    let venv = match sample.as_str() {
        // What its app needs, every Python has.
        "ocr" | "shared-limits" => "ocr",
        "assistant" | "orchestrator" => "assistant",
        "stable-diffusion" => "gradio-6",
        _ => panic!("envoy/{sample} has no Python named here"),
    };
    let needed = || {
        tools::envoys()?;
        ["bash", "curl", "openssl"]
            .map(|name| tools::program(name, name))
            .into_iter()
            .collect::<Result<Vec<_>, _>>()?;
        tools::venv(venv)
    };
    let name = format!("envoy/{sample}/README.md");
    match needed() {
        Ok(python) => Trial::test(name, move || run(&sample, &python)),
        Err(missing) => tools::skipped(name, missing),
    }
}

fn run(sample: &str, python: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let moved = Moved::new();
    let here = stage(folder.path(), sample, python, &moved)?;
    let readme = std::fs::read_to_string(here.join("README.md"))?;
    let commands = commands(&readme);
    std::fs::write(here.join("run.sh"), script(&commands, &moved))?;
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", folder.path().join("bin").display());
    let Output { status, stdout, stderr } = Command::new("bash")
        .arg("run.sh")
        .current_dir(&here)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    let wanted = readme.matches(PRINTS.trim_end()).count();
    let compared = said.lines().filter(|line| line.starts_with("as printed: ")).count();
    println!("envoy/{sample}: {} commands, {compared} outputs compared", commands.len());
    match status.success() && wanted > 0 && compared == wanted {
        true => Ok(()),
        false => Err(format!("{status}, {compared} outputs of {wanted} as printed\n{said}").into()),
    }
}

/// Other ports, and another place for the provider.
struct Moved {
    ports: Vec<(u16, u16)>,
}

impl Moved {
    fn new() -> Self {
        Self { ports: PORTS.map(|port| (port, tools::free_port())).into() }
    }

    /// In a command: `:8765`, `PORT=7860`, `--port 8000`.
    fn in_command(&self, command: &str) -> String {
        self.ports.iter().fold(command.to_owned(), |text, (from, to)| {
            ["127.0.0.1:", "example.org:", "PORT=", "--port "].iter().fold(text, |text, before| {
                text.replace(&format!("{before}{from}"), &format!("{before}{to}"))
            })
        })
    }

    /// In a config that `vigile init` or `vigile render` wrote, by sed.
    fn in_config(&self) -> String {
        let ports = self.ports.iter().map(|(from, to)| format!("s/\\b{from}\\b/{to}/g;"));
        let nobody = tools::free_port();
        let provider = format!(
            "s/address: \"api.openai.com\", port_value: 443 /address: 127.0.0.1, port_value: {nobody} /;"
        );
        ports.chain([provider]).collect()
    }
}

/// The sample's folder as in a checkout, with `vigile`, `envoy` and `python3` on a path of their own.
fn stage(root: &Path, sample: &str, python: &Path, moved: &Moved) -> std::io::Result<PathBuf> {
    let here = root.join("envoy").join(sample);
    for folder in [&here, &root.join("bin"), &root.join("dist")] {
        std::fs::create_dir_all(folder)?;
    }
    for entry in std::fs::read_dir(policies::project().join("envoy").join(sample))? {
        let file = entry?.path();
        if file.is_file() {
            std::fs::copy(&file, here.join(file.file_name().unwrap()))?;
        }
    }
    let example = ".env.example";
    std::fs::copy(
        policies::project().join("envoy").join(example),
        root.join("envoy").join(example),
    )?;
    symlink(envoy::module(), root.join("dist/vigile.wasm"))?;
    let command = |name: &str, text: String| {
        let file = root.join("bin").join(name);
        std::fs::write(&file, format!("#!/bin/bash\nset -o pipefail\n{text}\n"))?;
        tools::make_executable(&file)
    };
    // Envoys of other tests run beside it, and two that can restart hot would need an id each.
    let envoy = envoy::newest().path;
    command("envoy", format!("exec {} --disable-hot-restart \"$@\"", envoy.display()))?;
    // A link to the interpreter would lose its environment.
    command("python3", format!("exec {} \"$@\"", python.display()))?;
    let (vigile, moves) = (tools::vigile(), moved.in_config());
    command(
        "vigile",
        format!(
            "case $1 in init | render) {0} \"$@\" | sed '{moves}'; exit ;; esac\nexec {0} \"$@\"",
            vigile.display()
        ),
    )?;
    Ok(here)
}

/// The commands as one script, which ends where one of them prints something else.
fn script(commands: &[String], moved: &Moved) -> String {
    let mut script = String::from("set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null' EXIT\n");
    for command in commands {
        let command = moved.in_command(command);
        let Some((command, wanted)) = command.split_once(PRINTS) else {
            let _ = writeln!(script, "{command}");
            continue;
        };
        let wanted = format!("'{}'", wanted.trim().replace('\'', r"'\''"));
        let _ = writeln!(
            script,
            "said=$( {{ {command}\n}} 2>&1 ) || true\n\
             case \"$said\" in\n\
             *{wanted}*) echo 'as printed:' {wanted} ;;\n\
             *) printf 'wanted: %s\\nprinted: %s\\n' {wanted} \"$said\"; exit 1 ;;\n\
             esac"
        );
    }
    script
}

/// The commands of the `sh` blocks, lines that continue joined.
fn commands(readme: &str) -> Vec<String> {
    let blocks = snippets::all(readme).into_iter().filter(|snippet| snippet.language == "sh");
    let text: String = blocks.map(|snippet| snippet.text).collect();
    let mut commands: Vec<String> = Vec::new();
    let mut open = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match (open, commands.last_mut()) {
            (true, Some(command)) => {
                let _ = write!(command, "\n{line}");
            }
            _ => commands.push(line.to_owned()),
        }
        open = line.ends_with('\\');
    }
    commands
}
