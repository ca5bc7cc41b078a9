//! A module that breaks down: those that are released do not by themselves.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use crate::policies;

/// The module of the same crate with the feature `crash`, which the header `x-crash` brings down; built once,
/// small optimisation will do.
pub fn module() -> PathBuf {
    static MODULE: OnceLock<PathBuf> = OnceLock::new();
    let built = MODULE.get_or_init(|| {
        let folder = policies::project().join("target/crash");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--release", "--package", "vigile-filter"])
            .args(["--features", "crash", "--target", "wasm32-wasip1", "--target-dir"])
            .arg(&folder)
            .envs([
                ("CARGO_PROFILE_RELEASE_LTO", "off"),
                ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
                ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
            ])
            .current_dir(policies::project())
            .status()
            .expect("cargo runs");
        assert!(status.success(), "the module with the feature crash was not built");
        folder.join("wasm32-wasip1/release/vigile_filter.wasm")
    });
    built.clone()
}
