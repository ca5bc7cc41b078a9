//! The limits of the sample, as the files of two services say them.

use limitador::limit::Limit;
use serde_json::{Value, json};
use vigile::yaml::Yaml;
use vigile_policy::Tree;

/// `limits.yaml`, of limitador-server: limitador's own reading of it.
pub fn limitador(text: &str) -> Vec<Limit> {
    serde_json::from_value(json(text)).expect("limits that limitador reads")
}

/// `config.yaml`, of envoyproxy/ratelimit: a tree whose branches are the entries of a descriptor. That service
/// is not here: its README and `src/config/config_impl.go` are what this follows.
pub fn ratelimit(text: &str) -> Vec<Limit> {
    let file = json(text);
    let domain = file["domain"].as_str().expect("a domain");
    let mut limits = Vec::new();
    below(&file, &Branch::default(), domain, &mut limits);
    limits
}

/// A place in that tree.
#[derive(Clone, Default)]
struct Branch {
    names: Vec<String>,
    conditions: Vec<String>,
    variables: Vec<String>,
}

fn below(node: &Value, branch: &Branch, domain: &str, limits: &mut Vec<Limit>) {
    for child in node["descriptors"].as_array().into_iter().flatten() {
        for name in child.as_object().unwrap().keys() {
            let known = ["key", "value", "rate_limit", "descriptors"].contains(&name.as_str());
            assert!(known, "{name} is no key of a descriptor");
        }
        let mut branch = branch.clone();
        let key = child["key"].as_str().expect("a key");
        let entry = format!("descriptors[0]['{key}']");
        match child["value"].as_str() {
            Some(value) => {
                branch.names.push(value.to_owned());
                branch.conditions.push(format!("{entry} == '{value}'"));
            }
            None => branch.variables.push(entry),
        }
        if let Some(limit) = child.get("rate_limit") {
            limits.push(of(&branch, limit, domain));
        }
        below(child, &branch, domain, limits);
    }
}

/// A limit counts descriptors that are as long as its branch.
fn of(branch: &Branch, limit: &Value, domain: &str) -> Limit {
    let length = branch.conditions.len() + branch.variables.len();
    let mut conditions = vec![format!("size(descriptors[0]) == {length}")];
    conditions.extend(branch.conditions.iter().cloned());
    let seconds = match limit["unit"].as_str() {
        Some("second") => 1,
        Some("minute") => 60,
        Some("hour") => 3600,
        Some("day") => 86400,
        unit => panic!("{unit:?} is no unit"),
    };
    serde_json::from_value(json!({
        "name": branch.names.join(" "),
        "namespace": domain,
        "max_value": limit["requests_per_unit"].as_u64().expect("a number of requests"),
        "seconds": seconds,
        "conditions": conditions,
        "variables": branch.variables,
    }))
    .unwrap()
}

fn json(text: &str) -> Value {
    let yaml =
        Yaml::parse(text).unwrap_or_else(|error| panic!("{} {}", error.place, error.problem));
    value(yaml.tree())
}

fn value(tree: Tree) -> Value {
    match tree {
        Tree::Null => Value::Null,
        Tree::Flag(flag) => flag.into(),
        Tree::Number(number) if number.fract() == 0.0 && number >= 0.0 => (number as u64).into(),
        Tree::Number(number) => number.into(),
        Tree::Text(text) => text.into(),
        Tree::List(items) => items.into_iter().map(value).collect(),
        Tree::Map(entries) => entries
            .into_iter()
            .map(|(key, tree)| (key, value(tree)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    }
}
