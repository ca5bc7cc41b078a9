//! What was measured, on what, when.

use std::process::Command;
use std::time::SystemTime;

use serde::Serialize;
use vigile_tests::envoy::{self, Binary};
use vigile_tests::policies::project;

use crate::measure::Plan;

#[derive(Clone, Debug, Serialize)]
pub struct Conditions {
    pub date: String,
    pub commit: String,
    pub envoy: String,
    pub kernel: String,
    pub cpu: String,
    pub cores: usize,
    pub wrk: String,
    pub rounds: usize,
    pub slice_ms: u128,
    pub module_bytes: u64,
    /// Whether the module was told to verify all signatures itself (`VIGILE_SIGNATURES`).
    pub signatures: String,
}

impl Conditions {
    pub fn read(binary: &Binary, plan: Plan) -> Result<Self, String> {
        let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let cpus = file("/proc/cpuinfo");
        let models: Vec<&str> =
            cpus.lines().filter(|line| line.starts_with("model name")).collect();
        let model = models.first().and_then(|line| line.split_once(": "));
        let module = std::fs::metadata(envoy::module());
        let module = module.map_err(|error| format!("{}: {error}", envoy::module().display()))?;
        Ok(Self {
            date: humantime::format_rfc3339_seconds(SystemTime::now()).to_string()[..10].to_owned(),
            commit: said("git", &["describe", "--always", "--tags", "--dirty"]),
            envoy: binary.version.clone(),
            kernel: file("/proc/sys/kernel/osrelease").trim().to_owned(),
            cpu: model.map_or("unknown", |(_, name)| name).to_owned(),
            cores: models.len(),
            wrk: said("wrk", &["-v"]).split(" Copyright").next().unwrap_or_default().to_owned(),
            rounds: plan.rounds,
            slice_ms: plan.slice.as_millis(),
            module_bytes: module.len(),
            signatures: std::env::var("VIGILE_SIGNATURES").unwrap_or_else(|_| "host".to_owned()),
        })
    }
}

/// The first line that a program prints.
fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(project()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.unwrap_or_default().lines().next().unwrap_or("unknown").trim().to_owned()
}
