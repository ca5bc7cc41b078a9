//! The counters are those that docs/operating.md names: all of them there from the start, none that a
//! client could make, and each counts what it says. The samples' `stats_tags` turn them into labels.

use std::collections::{BTreeMap, BTreeSet};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use vigile::yaml::Yaml;
use vigile_policy::Reason;
use vigile_tests::asking::ask;
use vigile_tests::attack;
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::gate::same;
use vigile_tests::keys::RING;
use vigile_tests::policies;

const HOST: &str = "stablediffusion.regispailler.fr";

fn main() {
    let arguments = Arguments::from_args();
    let trials = envoy::binaries()
        .into_iter()
        .map(|binary| Trial::test(format!("{}/metrics", binary.version), move || metrics(&binary)));
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

fn metrics(binary: &Binary) -> Result<(), Failed> {
    let (envoy, policy) = start(binary)?;
    let gate = envoy.listener("plain");
    let before = counters(&envoy);
    same(&before.keys().cloned().collect(), &documented(&policy))?;
    same(&before.values().sum(), &0)?;
    for _ in 0..3 {
        same(&ask(gate, HOST, ""), &(204, String::new()))?; // observed
        same(&ask(gate, "enforced.example.org", ""), &(401, "token.missing".to_owned()))?;
        same(&ask(gate, "reason.module.vigile.example", ""), &(204, String::new()))?;
    }
    let counted = |what: &str, module: &str, reason: &str| {
        let name = format!("vigile.{what}.module.{module}.reason.{reason}");
        same(&counters(&envoy).get(&name), &Some(&3)).map_err(|error| format!("{name}: {error}"))
    };
    counted("requests", "stablediffusion", "allowed_observed")?;
    counted("would_refuse", "stablediffusion", "token_missing")?;
    counted("requests", "enforced", "token_missing")?;
    counted("requests", "_", "allowed_observed")?;
    counted("would_refuse", "_", "module_unknown")?;
    for shot in attack::forms("x").iter().chain(&attack::too_much("x")) {
        attack::fire(gate, shot, true);
    }
    let after = counters(&envoy);
    same(&after.len(), &before.len())?;
    let scraped = envoy.get("/stats/prometheus");
    let labelled = scraped.lines().any(|line| {
        line.contains("vigile_requests{")
            && line.contains("module=\"enforced\"")
            && line.contains("reason=\"token_missing\"")
            && line.ends_with(" 3")
    });
    if !labelled {
        let lines: Vec<_> = scraped.lines().filter(|line| line.contains("token_missing")).collect();
        return Err(format!("no labels: {lines:#?}").into());
    }
    println!("Envoy {}: {} counters", binary.version, after.len());
    Ok(())
}

fn start(binary: &Binary) -> Result<(Envoy, Value), Failed> {
    let environment = RING.environment();
    let policy = policies::load("observe").json();
    let listener = envoy::plain_listener(&envoy::as_struct(&policy), &environment);
    let mut config = envoy::bootstrap(&[listener], &[]);
    config["stats_config"] = stats_config();
    let envoy = Envoy::start(binary, &config, &environment).map_err(|error| error.0)?;
    Ok((envoy, policy))
}

/// As the sample has it.
fn stats_config() -> Value {
    let sample = policies::project().join("envoy/stable-diffusion/envoy.yaml");
    let yaml = Yaml::parse(&policies::rendered(&sample));
    let tree = yaml.unwrap_or_else(|error| panic!("{} {}", error.place, error.problem)).tree();
    let whole = serde_json::to_value(tree).unwrap();
    let tags = whole["stats_config"].clone();
    assert!(!tags.is_null(), "the sample has stats_tags");
    tags
}

/// Vigile's counters, without the prefix of Envoy's and with the tags back in their places.
fn counters(envoy: &Envoy) -> BTreeMap<String, u64> {
    let stats = envoy.get("/stats?filter=vigile");
    let line = |line: &str| {
        let (name, value) = line.strip_prefix("wasmcustom.")?.split_once(": ")?;
        Some((name.to_owned(), value.parse().ok()?))
    };
    stats.lines().filter_map(line).collect()
}

/// By docs/operating.md: every module and `_`, every reason; what would be refused where it is observed.
fn documented(policy: &Value) -> BTreeSet<String> {
    let modules = policy["modules"].as_array().unwrap();
    let observes = |module: &Value| module["mode"].as_str() != Some("enforce");
    let nobody = json!({ "name": "_" });
    let mut names = BTreeSet::new();
    for module in modules.iter().chain([&nobody]) {
        let name = module["name"].as_str().unwrap();
        for reason in Reason::ALL {
            let code = reason.code().replace('.', "_");
            names.insert(format!("vigile.requests.module.{name}.reason.{code}"));
            if reason.refuses() && observes(module) {
                names.insert(format!("vigile.would_refuse.module.{name}.reason.{code}"));
            }
        }
    }
    names
}
