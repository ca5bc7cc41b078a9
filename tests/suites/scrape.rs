//! docs/operating.md: the listener that Prometheus is given reaches one page of the admin interface, for one
//! address.

use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use vigile::check::{Format, check};
use vigile::yaml::Yaml;
use vigile_tests::asking::ask;
use vigile_tests::case::whole_numbers;
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::gate::{HOST, iahome, policy, same};
use vigile_tests::keys::RING;
use vigile_tests::{policies, snippets, tools};

fn main() {
    let arguments = Arguments::from_args();
    let name = "by a listed address";
    let needed = tools::envoys().and_then(|_| tools::program("curl", "curl"));
    let trials: Vec<Trial> = match needed {
        Ok(_) => envoy::binaries().into_iter().map(|binary| trial(name, binary)).collect(),
        Err(missing) => vec![tools::skipped(name, missing)],
    };
    libtest_mimic::run(&arguments, trials).exit();
}

fn trial(name: &str, binary: Binary) -> Trial {
    Trial::test(format!("{}/{name}", binary.version), move || by_a_listed_address(&binary))
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

/// The listener as it is printed, beside a gate that refuses; with 127.0.0.9 for Prometheus.
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
    let gate = envoy::plain_listener(&envoy::as_struct(&policy(&iahome())), &RING.environment());
    let (listeners, clusters) = (&printed["listeners"], &printed["clusters"]);
    let mut config = envoy::bootstrap(&[listeners[0].clone(), gate], &[clusters[0].clone()]);
    config["admin"]["address"]["socket_address"]["port_value"] = admin.into();
    config["stats_config"] = sample_stats();
    Envoy::start(binary, &config, &RING.environment()).map_err(|error| error.0.into())
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
