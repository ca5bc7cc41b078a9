//! The samples deployed elsewhere: nothing in them is one machine's own, what is missing is told by its
//! name, and two environments of one sample have nothing in common.

mod environments {
    pub(crate) mod deployed;
    pub(crate) mod own;
}

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::LazyLock;

use environments::{deployed, own};
use libtest_mimic::{Arguments, Failed, Trial};
use vigile::sample::{example, places};
use vigile_tests::policies::{project, samples};
use vigile_tests::tools;

/// The variables of a deployment.
pub(crate) type Values = BTreeMap<String, String>;

static VIGILE: LazyLock<PathBuf> = LazyLock::new(tools::vigile);

fn main() {
    let arguments = Arguments::from_args();
    let mut trials: Vec<Trial> = templates()
        .into_iter()
        .flat_map(|file| {
            let (name, other) = (file.clone(), file.clone());
            [
                Trial::test(format!("{file}/what_is_missing_is_named"), move || missing(&name)),
                Trial::test(format!("{file}/nothing_is_its_own"), move || own::nothing(&other)),
            ]
        })
        .collect();
    trials.push(Trial::test("env.example/has_what_is_needed_and_no_secret", nothing_too_much));
    let needed = tools::envoys().and_then(|_| tools::program("curl", "curl"));
    trials.push(match needed {
        Ok(curl) => Trial::test("two_side_by_side", move || deployed::side_by_side(&curl)),
        Err(missing) => tools::skipped("two_side_by_side", missing),
    });
    libtest_mimic::run(&arguments, trials).exit();
}

/// Every YAML file of every sample, as `envoy/ocr/envoy.yaml`.
fn templates() -> Vec<String> {
    let files = |sample: String| {
        let folder = std::fs::read_dir(project().join("envoy").join(&sample)).unwrap();
        let names = folder.map(|file| file.unwrap().file_name().into_string().unwrap());
        let yaml: Vec<String> = names.filter(|name| name.ends_with(".yaml")).collect();
        yaml.into_iter().map(move |name| format!("envoy/{sample}/{name}"))
    };
    samples().into_iter().flat_map(files).collect()
}

pub(crate) fn text(file: &str) -> String {
    std::fs::read_to_string(project().join(file)).unwrap()
}

/// `vigile render` with these values in an env file, and with no others.
pub(crate) fn render(file: &str, values: &Values) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let env_file = folder.path().join("env");
    let lines: String = values.iter().map(|(name, value)| format!("{name}='{value}'\n")).collect();
    std::fs::write(&env_file, lines).unwrap();
    Command::new(&*VIGILE)
        .args(["render", file, "--env-file"])
        .arg(&env_file)
        .current_dir(project())
        .env_clear()
        .output()
        .unwrap()
}

/// Without any one of its variables there is no config, and the variable is named.
fn missing(file: &str) -> Result<(), Failed> {
    let whole = render(file, &example());
    if !whole.status.success() {
        return Err(String::from_utf8_lossy(&whole.stderr).into_owned().into());
    }
    let text = text(file);
    let names: BTreeSet<&str> = places(&text).map(|(_, name)| name).collect();
    if names.is_empty() && file.ends_with("/envoy.yaml") {
        return Err("nothing in it comes from the environment".into());
    }
    for name in names {
        let mut values = example();
        values.remove(name).ok_or_else(|| format!("the example lacks {name}"))?;
        let Output { status, stdout, stderr } = render(file, &values);
        let said = String::from_utf8_lossy(&stderr).into_owned();
        let told = said.lines().count() == 1 && said.contains(&format!("${{{name}}} is not set"));
        if status.code() != Some(1) || !stdout.is_empty() || !told {
            return Err(format!("without {name}: {status}, {said}").into());
        }
    }
    Ok(())
}

/// Every variable of the example is of use in a sample: as a place, with a value; or as one that Envoy hands
/// over, and of these only a list of addresses has one.
fn nothing_too_much() -> Result<(), Failed> {
    let texts: Vec<String> = templates().iter().map(|file| text(file)).collect();
    let places: BTreeSet<&str> =
        texts.iter().flat_map(|text| places(text)).map(|(_, name)| name).collect();
    let handed = |name: &str| texts.iter().any(|text| text.contains(&format!("env: {name}")));
    for (name, value) in example() {
        let is_list = value.parse::<std::net::IpAddr>().is_ok();
        let fits = match places.contains(name.as_str()) {
            true => !value.is_empty() && !handed(&name),
            false => handed(&name) && (value.is_empty() || is_list),
        };
        if !fits {
            return Err(format!("{name}={value}").into());
        }
    }
    Ok(())
}
