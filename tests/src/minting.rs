//! The platform's side: its server in four languages, run as docs/platform.md prints it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::policies::project;
use crate::snippets::Snippet;
use crate::tools;

/// A language in which a platform's server may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    Python,
    Node,
    Php,
    /// Compiled with the tests: `tests/platform/mint.rs`.
    Rust,
}

/// What a token is signed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Secret,
    Pair,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Secret => "shared secret",
            Self::Pair => "key pair",
        }
    }

    /// The variable from which the platform signs.
    pub const fn variable(self) -> &'static str {
        match self {
            Self::Secret => "IAHOME_JWT_SECRET",
            Self::Pair => "IAHOME_SIGNING_KEY",
        }
    }
}

/// What `mint` gives, in every language.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minted {
    pub token: String,
    /// The token's life in seconds (RFC 6749 §5.1).
    pub expires_in: i64,
}

/// A folder with the files of the document in it, as a developer would have copied them.
pub struct Workshop {
    folder: tempfile::TempDir,
    /// The program of the Rust snippets.
    program: PathBuf,
}

impl Runtime {
    pub const ALL: [Self; 4] = [Self::Python, Self::Node, Self::Php, Self::Rust];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Php => "php",
            Self::Rust => "rust",
        }
    }

    /// The file of the snippet that mints with a shared secret, and of the one with a key pair.
    pub const fn files(self) -> [&'static str; 2] {
        match self {
            Self::Python => ["mint.py", "mint_pair.py"],
            Self::Node => ["mint.mjs", "mint_pair.mjs"],
            Self::Php => ["mint.php", "mint_pair.php"],
            Self::Rust => ["mint_secret.rs", "mint_pair.rs"],
        }
    }

    /// Whether a run in CI fails where it is not here, rather than skip it.
    pub const fn is_required_in_ci(self) -> bool {
        !matches!(self, Self::Php)
    }

    /// Why it cannot run here.
    pub fn missing(self) -> Option<String> {
        match self {
            Self::Python => PYTHON.as_ref().err().cloned(),
            Self::Node => tools::program("node", "nodejs").and_then(|_| NODE_MODULES.clone()).err(),
            Self::Php => tools::program("php", "php-cli").err(),
            Self::Rust => None,
        }
    }
}

/// A Python with PyJWT, or why there is none.
static PYTHON: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| tools::venv("platform"));

/// The folder that jose is in, or why there is none.
static NODE_MODULES: LazyLock<Result<PathBuf, String>> =
    LazyLock::new(|| tools::node_modules("platform-node", "tests/platform"));

impl Workshop {
    /// Writes every snippet that has a file, beside the script that the document names.
    pub fn with(snippets: &[Snippet], program: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        for snippet in snippets {
            if let Some(file) = &snippet.file {
                write(file, &snippet.text);
            }
        }
        write("package.json", r#"{ "type": "module" }"#);
        if let Ok(modules) = &*NODE_MODULES {
            std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).unwrap();
        }
        Self { folder, program: program.into() }
    }

    /// Adds a file of the project.
    pub fn copy(&self, file: &str) {
        let from = project().join(file);
        let to = self.folder.path().join(from.file_name().unwrap());
        std::fs::copy(&from, to).unwrap_or_else(|error| panic!("{file}: {error}"));
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Runs a program in the folder, with these variables and no others but `PATH`.
    pub fn run(
        &self,
        program: &Path,
        arguments: &[&str],
        variables: &BTreeMap<String, String>,
    ) -> Result<String, String> {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .envs(variables)
            .output()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match output.status.success() {
            true => Ok(text(&output.stdout)),
            false => Err(format!("{}{}", text(&output.stdout), text(&output.stderr))),
        }
    }

    /// Calls `mint` of a snippet. Nothing is added to it but the call.
    pub fn mint(
        &self,
        runtime: Runtime,
        file: &str,
        [subject, module]: [&str; 2],
        variables: &BTreeMap<String, String>,
    ) -> Result<Minted, String> {
        let name = file.split('.').next().unwrap();
        let call = match runtime {
            Runtime::Python => format!(
                "import json, sys\nfrom {name} import mint\nprint(json.dumps(mint(*sys.argv[1:])))"
            ),
            Runtime::Node => format!(
                "import {{ mint }} from './{file}';\nconsole.log(JSON.stringify(await mint(...process.argv.slice(1))));"
            ),
            Runtime::Php => {
                format!("require '{file}'; echo json_encode(mint(...array_slice($argv, 1)));")
            }
            Runtime::Rust => name.to_owned(),
        };
        let (program, before): (PathBuf, &[&str]) = match runtime {
            Runtime::Python => (PYTHON.clone()?, &["-c"]),
            Runtime::Node => ("node".into(), &["--input-type=module", "--eval"]),
            Runtime::Php => ("php".into(), &["-r"]),
            Runtime::Rust => (self.program.clone(), &[]),
        };
        let arguments = [before, &[call.as_str(), subject, module]].concat();
        let printed = self.run(&program, &arguments, variables)?;
        serde_json::from_str(&printed).map_err(|error| format!("{error}: {printed}"))
    }
}
