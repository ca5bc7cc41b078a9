//! What a crash of the module does to Envoy's counters, and whether somebody is told.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;
use vigile_tests::breaking;
use vigile_tests::caller::Call;
use vigile_tests::envoy::{self, Binary};
use vigile_tests::policies::project;
use vigile_tests::service::Service;

use super::stage::ASSISTANT;

/// Prometheus is given what this Envoy says before a crash and behind it.
pub(crate) fn is_told(binary: &Binary, promtool: &Path, python: &Path) {
    let service = ASSISTANT.start_with(binary, python, &[], |sample| {
        sample.file(&envoy::module().display().to_string(), &breaking::module())
    });
    assert_eq!(service.send(&Call::get("/health")).status, 200);
    let before = counters(&service);
    let broken = service.send(&Call::get("/health").with("x-crash", "1"));
    assert!(broken.status >= 500, "{broken:?}");
    let deadline = Instant::now() + Duration::from_secs(60);
    while service.send(&Call::get("/health")).status != 200 {
        assert!(Instant::now() < deadline, "the module never came back");
        std::thread::sleep(Duration::from_millis(20));
    }
    let after = counters(&service);
    println!("{}: {before:#?}, behind the crash {after:#?}", binary.version);
    // What is not there before it moves has no increase.
    assert!(before.keys().eq(after.keys()), "{before:#?} {after:#?}");
    promtool_agrees(promtool, &before, &before, false);
    promtool_agrees(promtool, &before, &after, true);
}

/// What Envoy itself counts of the module's VMs.
fn counters(service: &Service) -> BTreeMap<String, String> {
    let page = service.envoy.get("/stats/prometheus");
    let series = page.lines().filter_map(|line| line.rsplit_once(' '));
    let of_the_vm = series.filter(|(name, _)| name.starts_with("envoy_wasm_vigile_vm_"));
    of_the_vm.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// `promtool test rules` with counters that stand at the first values for five minutes, then at the second.
fn promtool_agrees(
    promtool: &Path,
    first: &BTreeMap<String, String>,
    second: &BTreeMap<String, String>,
    is_told: bool,
) {
    let series = first.iter().map(|(name, value)| {
        let values = format!("{value}x4 {}x5", second[name]);
        json!({ "series": name, "values": values })
    });
    let up = json!({ "series": "up{job=\"assistant\"}", "values": "1x10" });
    let alert = json!({
        "exp_labels": { "severity": "critical", "part": "vigile" },
        "exp_annotations": { "summary": "Vigile broke down" },
    });
    let expected = if is_told { vec![alert] } else { Vec::new() };
    let file = json!({
        "rule_files": [project().join("envoy/assistant/alerts.yaml")],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": series.chain([up]).collect::<Vec<_>>(),
            "alert_rule_test": [
                { "alertname": "SYSTEM_ERROR", "eval_time": "6m", "exp_alerts": expected },
            ],
        }],
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crash.test.yaml");
    std::fs::write(&path, file.to_string()).unwrap();
    let output = Command::new(promtool).args(["test", "rules"]).arg(&path).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}\n{file:#}");
}
