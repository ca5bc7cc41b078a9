//! What the suites need from this system, and what becomes of a test where it is missing.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Trial;

use crate::envoy::{self, Binary};
use crate::policies::project;

pub use crate::envoy::free_port;

/// The Python of a virtual environment with what `tests/tools/NAME.txt` pins; it is made where it is not
/// there yet.
///
/// # Errors
/// What is missing, and the command that installs it.
pub fn venv(name: &str) -> Result<PathBuf, String> {
    installed("python-venv", name, &format!("tests/tools/{name}.txt"))
}

/// The `node_modules` with what a folder's `package-lock.json` pins; it is made likewise.
///
/// # Errors
/// What is missing, and the command that installs it.
pub fn node_modules(name: &str, folder: &str) -> Result<PathBuf, String> {
    installed("node-modules", name, folder)
}

fn installed(script: &str, name: &str, pinned: &str) -> Result<PathBuf, String> {
    let tools = project().join("tests/tools");
    let mut command = Command::new(tools.join(script));
    command.arg(name).arg(project().join(pinned));
    let output = command.output().map_err(|error| format!("tests/tools/{script}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let said = text(&output.stderr);
    match output.status.success() {
        true => {
            said.lines().for_each(|line| println!("{line}"));
            Ok(text(&output.stdout).into())
        }
        false => Err(format!("no {name}: {}", said.lines().last().unwrap_or("no word why"))),
    }
}

/// The Envoys that were installed, the newest last.
///
/// # Errors
/// The command that installs them.
pub fn envoys() -> Result<Vec<Binary>, String> {
    match std::env::var_os("VIGILE_ENVOYS") {
        Some(_) => Ok(envoy::binaries()),
        None => Err("no VIGILE_ENVOYS: ./build.sh test installs them".to_owned()),
    }
}

/// A program of this system.
///
/// # Errors
/// The Debian package that brings it.
pub fn program(name: &str, package: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name));
    let mut found = found.filter(|file| file.is_file());
    found.next().ok_or_else(|| format!("no {name} here: apt-get install {package}"))
}

/// A trial that needs something; without it, it is skipped.
pub fn with<T: Send + 'static>(
    name: impl Into<String>,
    needed: Result<T, String>,
    run: impl FnOnce(T) + Send + 'static,
) -> Trial {
    match needed {
        Ok(needed) => Trial::test(name, move || {
            run(needed);
            Ok(())
        }),
        Err(missing) => skipped(name, missing),
    }
}

/// A test that cannot run here: it is skipped and says why. Where `CI` is set it fails, for nothing may
/// be skipped there.
pub fn skipped(name: impl Into<String>, reason: impl Into<String>) -> Trial {
    let (name, reason) = (name.into(), reason.into());
    match std::env::var_os("CI") {
        Some(_) => Trial::test(name, move || Err(reason.into())),
        None => passed_over(name, &reason),
    }
}

/// A test that may be skipped anywhere: it is extra.
pub fn passed_over(name: impl Into<String>, reason: &str) -> Trial {
    let name = name.into();
    println!("skipped: {name}: {reason}");
    Trial::test(name, || Ok(())).with_ignored_flag(true)
}

/// The command line: `VIGILE`, or built here.
pub fn vigile() -> PathBuf {
    if let Some(path) = std::env::var_os("VIGILE") {
        return path.into();
    }
    let build = escargot::CargoBuild::new().package("vigile").bin("vigile");
    build.run().expect("vigile can be built").path().to_owned()
}

/// Lets everybody run a file.
///
/// # Errors
/// Where the file is not there, or not this user's.
pub fn make_executable(file: &Path) -> std::io::Result<()> {
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755))
}
