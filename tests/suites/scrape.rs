//! docs/operating.md: the listener that Prometheus is given reaches one page, for one address; the alerts
//! are about metrics that Envoy has, and fire when they should.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use vigile::check::{Format, check};
use vigile::yaml::Yaml;
use vigile_tests::asking::ask;
use vigile_tests::case::whole_numbers;
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::gate::{HOST, iahome, policy, same};
use vigile_tests::keys::RING;
use vigile_tests::{policies, snippets, tools};

type Test = fn(&Binary) -> Result<(), Failed>;

fn main() {
    let arguments = Arguments::from_args();
    let tests: [(&str, Test); 2] = [
        ("by a listed address", by_a_listed_address),
        ("alerts are about what there is", about_what_there_is),
    ];
    let needed = tools::envoys().and_then(|_| tools::program("curl", "curl"));
    let mut trials: Vec<Trial> = tests
        .into_iter()
        .flat_map(|(name, test)| match &needed {
            Ok(_) => envoy::binaries().iter().map(|binary| trial(binary, name, test)).collect(),
            Err(missing) => vec![tools::skipped(name, missing)],
        })
        .collect();
    trials.push(match tools::program("promtool", "prometheus") {
        Ok(promtool) => Trial::test("alerts fire", move || alerts_fire(&promtool)),
        Err(missing) => tools::skipped("alerts fire", missing),
    });
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(binary: &Binary, name: &str, test: Test) -> Trial {
    let binary = binary.clone();
    Trial::test(format!("{}/{name}", binary.version), move || test(&binary))
}

fn snippet(file: &str) -> String {
    let document = std::fs::read_to_string(policies::project().join("docs/operating.md")).unwrap();
    snippets::text(&snippets::all(&document), file).to_owned()
}

fn yaml(text: &str) -> Value {
    let yaml =
        Yaml::parse(text).unwrap_or_else(|error| panic!("{} {}", error.place, error.problem));
    whole_numbers(serde_json::to_value(yaml.tree()).unwrap())
}

/// The listener as it is printed, beside a gate that refuses and a limit; with 127.0.0.9 for Prometheus.
fn start(binary: &Binary) -> Result<Envoy, Failed> {
    let admin = envoy::free_port();
    let mut text = snippet("metrics.yaml");
    let placed = [
        ("address: 0.0.0.0, port_value: 9902", "address: 127.0.0.1, port_value: 0".to_owned()),
        ("port_value: 9901", format!("port_value: {admin}")),
        ("addresses: [192.0.2.90]", "addresses: [127.0.0.9]".to_owned()),
        ("/etc/envoy/vigile.wasm", envoy::module().display().to_string()),
    ];
    for (old, new) in placed {
        assert_eq!(text.matches(old).count(), 1, "{old} stands there once");
        text = text.replace(old, &new);
    }
    let printed = yaml(&text)["static_resources"].clone();
    let mut gate =
        envoy::plain_listener(&envoy::as_struct(&policy(&iahome())), &RING.environment());
    let manager = &mut gate["filter_chains"][0]["filters"][0]["typed_config"];
    manager["http_filters"].as_array_mut().unwrap().insert(0, limit());
    let nowhere = ([127, 0, 0, 1], envoy::free_port()).into();
    let (listeners, clusters) = (&printed["listeners"], &printed["clusters"]);
    let mut config = envoy::bootstrap(
        &[listeners[0].clone(), gate],
        &[clusters[0].clone(), envoy::cluster("app", nowhere)],
    );
    config["admin"]["address"]["socket_address"]["port_value"] = admin.into();
    config["stats_config"] = sample_stats();
    Envoy::start(binary, &config, &RING.environment()).map_err(|error| error.0.into())
}

fn limit() -> Value {
    let kind =
        "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit";
    let all = json!({ "default_value": { "numerator": 100 } });
    json!({ "name": "envoy.filters.http.local_ratelimit", "typed_config": {
        "@type": kind, "stat_prefix": "gate", "filter_enabled": all, "filter_enforced": all,
        "token_bucket": { "max_tokens": 2, "tokens_per_fill": 1, "fill_interval": "3600s" },
    } })
}

/// The labels of the samples: the section of that name.
fn sample_stats() -> Value {
    let sample = policies::project().join("envoy/ocr/envoy.yaml");
    let text = std::fs::read_to_string(sample).unwrap();
    let (_, rest) = text.split_once("\nstats_config:\n").expect("the sample has stats_tags");
    let lines = rest.lines().take_while(|line| line.starts_with(' '));
    yaml(&lines.collect::<Vec<_>>().join("\n"))
}

/// What curl is answered: status, Vigile's reason, and the body where it is wanted.
fn scrape(
    envoy: &Envoy,
    from: &str,
    path: &str,
    more: &[&str],
) -> Result<(String, String), Failed> {
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--path-as-is", "--interface", from])
        .args(["--write-out", "\n%{http_code} %header{vigile-reason}"])
        .args(more)
        .arg(format!("http://{}{path}", envoy.listener("metrics")))
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, said) = text.rsplit_once('\n').ok_or("nothing was said")?;
    Ok((said.trim().to_owned(), body.to_owned()))
}

fn by_a_listed_address(binary: &Binary) -> Result<(), Failed> {
    let found = check(snippet("metrics.yaml").as_bytes(), Format::Yaml, None);
    same(&found.iter().map(|found| found.finding.problem.clone()).collect(), &Vec::new())?;
    let envoy = start(binary)?;
    same(&ask(envoy.listener("plain"), HOST, "").0, &401)?;
    let (said, page) = scrape(&envoy, "127.0.0.9", "/stats/prometheus", &[])?;
    same(&said, &"200".to_owned())?;
    let counted = "vigile_requests{module=\"stablediffusion\",reason=\"token_missing\"} 1";
    assert!(page.lines().any(|line| line == counted), "{page}");
    for name in ["envoy_http_downstream_rq_time_bucket{", "envoy_http_downstream_rq_active{"] {
        assert!(page.contains(name), "no {name}");
    }
    let from_elsewhere = scrape(&envoy, "127.0.0.1", "/stats/prometheus", &[])?.0;
    same(&from_elsewhere, &"403 address.not_allowed".to_owned())?;
    let claimed = ["--header", "x-forwarded-for: 127.0.0.9"];
    same(&scrape(&envoy, "127.0.0.1", "/stats/prometheus", &claimed)?.0, &from_elsewhere)?;
    // The pages beside it are for nobody, Prometheus among them.
    for path in ["/config_dump", "/quitquitquit", "/stats", "/stats/prometheus/../../config_dump"] {
        for more in [&[][..], &["--request", "POST"]] {
            let (said, body) = scrape(&envoy, "127.0.0.9", path, more)?;
            assert!(said.starts_with("404"), "{path}: {said} {body}");
        }
    }
    for path in ["/stats/prometheus%2f..%2f..%2fconfig_dump", "//config_dump", "/stats//prometheus"]
    {
        let (said, body) = scrape(&envoy, "127.0.0.9", path, &[])?;
        assert!(said.starts_with("40"), "{path}: {said} {body}");
    }
    same(&envoy.get("/ready").trim().to_owned(), &"LIVE".to_owned())?;
    Ok(())
}

/// Each metric and each label that an alert names is on the page.
fn about_what_there_is(binary: &Binary) -> Result<(), Failed> {
    let envoy = start(binary)?;
    for _ in 0..4 {
        ask(envoy.listener("plain"), HOST, "");
    }
    // Envoy counts a cluster's answers by their class once there is one: that of the first scrape.
    scrape(&envoy, "127.0.0.9", "/stats/prometheus", &[])?;
    let (_, page) = scrape(&envoy, "127.0.0.9", "/stats/prometheus", &[])?;
    let rules = yaml(&snippet("alerts.yaml"))["groups"][0]["rules"].clone();
    let names: BTreeSet<String> = rules.as_array().unwrap().iter().flat_map(metrics_of).collect();
    same(&names.len(), &4)?;
    for name in names {
        assert!(page.contains(&format!("\n{name}{{")), "no {name}");
    }
    let limited =
        "envoy_http_local_rate_limit_rate_limited{envoy_local_http_ratelimit_prefix=\"gate\"} 2";
    assert!(page.contains(limited), "{page}");
    Ok(())
}

/// What stands before a range: `name[5m]`, `name{…}[5m]`.
fn metrics_of(rule: &Value) -> Vec<String> {
    let text = rule["expr"].as_str().unwrap();
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let metrics = words.filter(|word| word.starts_with("vigile_") || word.starts_with("envoy_"));
    let labels =
        ["envoy_response_code_class", "envoy_cluster_name", "envoy_local_http_ratelimit_prefix"];
    metrics.filter(|word| !labels.contains(word)).map(str::to_owned).collect()
}

/// `promtool test rules`: what is ordinary stays silent, and each alert fires for what it is about alone.
fn alerts_fire(promtool: &Path) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("alerts.yaml"), snippet("alerts.yaml"))?;
    let counter = |series: &str, a_minute: u32| json!({ "series": series, "values": format!("0+{a_minute}x20") });
    let requests = |reason: &str, a_minute| {
        counter(&format!("vigile_requests{{module=\"sd\",reason=\"{reason}\"}}"), a_minute)
    };
    let limited =
        "envoy_http_local_rate_limit_rate_limited{envoy_local_http_ratelimit_prefix=\"chat\"}";
    let errors =
        "envoy_cluster_upstream_rq_xx{envoy_cluster_name=\"app\",envoy_response_code_class=\"5\"}";
    let cases = [
        // A hundred good requests a minute, some ended sessions, a limit now and then.
        (requests("allowed_token", 100), None),
        (requests("token_expired", 10), None),
        (requests("api_key_invalid", 1), None),
        (counter(limited, 2), None),
        (counter("envoy_wasm_vigile_vm_reload", 0), None),
        (requests("token_signature", 10), Some("ForgedCredentials")),
        (requests("api_key_invalid", 10), Some("ForgedCredentials")),
        (requests("token_expired", 60), Some("UnauthorizedAccess")),
        (requests("embed_top_level", 60), Some("UnauthorizedAccess")),
        (counter(limited, 60), Some("RateLimitExceeded")),
        (
            json!({ "series": "envoy_wasm_vigile_vm_reload", "values": "0x10 1x10" }),
            Some("ModuleCrashed"),
        ),
        (counter(errors, 10), Some("AppFails")),
    ];
    let tests = cases.iter().map(|(series, fires)| {
        let expression = "count by (alertname) (ALERTS{alertstate=\"firing\"})";
        let sample = |name: &str| json!({ "labels": format!("{{alertname=\"{name}\"}}"), "value": 1 });
        let firing: Vec<Value> = fires.iter().map(|name| sample(name)).collect();
        json!({ "interval": "1m", "input_series": [series],
            "promql_expr_test": [{ "expr": expression, "eval_time": "15m", "exp_samples": firing }] })
    });
    let file = json!({ "rule_files": ["alerts.yaml"], "evaluation_interval": "1m", "tests": tests.collect::<Vec<_>>() });
    std::fs::write(folder.path().join("test.yaml"), file.to_string())?;
    let output = Command::new(promtool)
        .args(["test", "rules", "test.yaml"])
        .current_dir(folder.path())
        .output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat())
            .into_owned()
            .into()),
    }
}
