//! `nginx-unit/*.json`: read as Unit would, as far as that can be known without it.
//!
//! Unit refuses a configuration with a member that it does not know. These are its members (Unit 1.35.0,
//! docs.nginx.com/nginx-unit/configuration) under the objects that our files have.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Map, Value};
use vigile_tests::policies::{self, project};
use vigile_tests::tools;

use crate::router::Routes;
use crate::unit::Application;

/// A configuration under `nginx-unit/`, rendered with the values of `.env.example` and these.
pub fn rendered(file: &str, values: &[(&str, &str)]) -> Value {
    let text = text(file, values);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// The text of a file there, rendered likewise.
pub fn text(file: &str, values: &[(&str, &str)]) -> String {
    let read = |name: &str| std::fs::read_to_string(folder().join(name)).unwrap();
    let (mut known, wrong) = vigile::sample::variables(&read(".env.example"));
    assert!(wrong.is_empty(), "{wrong:?}");
    known.extend(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let text = vigile::sample::render(&read(file), &known);
    text.unwrap_or_else(|unfilled| panic!("{file}: {unfilled:?}"))
}

/// Every configuration of the folder.
pub fn files() -> Vec<String> {
    let names = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name.ends_with(".json"));
    names.sort();
    names
}

fn folder() -> PathBuf {
    project().join("nginx-unit")
}

/// The members that Unit knows under a path, in which `*` is any name or place.
const MEMBERS: [(&str, &[&str]); 15] = [
    ("", &["settings", "listeners", "routes", "applications", "upstreams", "access_log"]),
    ("/settings", &["listen_threads", "http", "telemetry", "js_module"]),
    (
        "/settings/http",
        &[
            "header_read_timeout",
            "body_read_timeout",
            "send_timeout",
            "idle_timeout",
            "large_header_buffer_size",
            "large_header_buffers",
            "body_buffer_size",
            "max_body_size",
            "body_temp_path",
            "discard_unsafe_fields",
            "websocket",
            "static",
            "log_route",
            "server_version",
            "chunked_transform",
        ],
    ),
    ("/listeners/*", &["pass", "forwarded", "backlog", "tls"]),
    ("/listeners/*/tls", &["certificate", "conf_commands", "session"]),
    ("/listeners/*/forwarded", &["client_ip", "protocol", "source", "recursive"]),
    ("/routes/*", &["match", "action"]),
    (
        "/routes/*/match",
        &[
            "method",
            "scheme",
            "host",
            "source",
            "destination",
            "uri",
            "query",
            "arguments",
            "headers",
            "cookies",
            "if",
        ],
    ),
    // One of pass, return, share and proxy, and what goes with each.
    ("/routes/*/action", &["pass", "return", "location", "proxy", "rewrite", "response_headers"]),
    (
        "/applications/*",
        &[
            "type",
            "limits",
            "processes",
            "user",
            "group",
            "working_directory",
            "environment",
            "isolation",
            "stdout",
            "stderr",
            "component",
            "access",
        ],
    ),
    ("/applications/*/access", &["filesystem"]),
    ("/applications/*/limits", &["timeout", "requests", "shm"]),
    ("/access_log", &["path", "format", "if"]),
    // Any name: variables, and headers.
    ("/applications/*/environment", &["*"]),
    ("/routes/*/action/response_headers", &["*"]),
];

/// Every member that Unit does not know.
pub fn unknown_members(config: &Value) -> Vec<String> {
    let mut found = Vec::new();
    look(config, "", "", &mut found);
    found
}

fn look(value: &Value, shape: &str, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                let shape = if shape == "/routes" { "/routes/*" } else { shape };
                look(item, shape, &format!("{path}/{at}"), found);
            }
        }
        Value::Object(members) => {
            let known = MEMBERS.iter().find(|(known, _)| *known == shape).map(|(_, names)| *names);
            // The names of these are the operator's own.
            let free = ["/listeners", "/applications", "/routes"].contains(&shape);
            for (name, inner) in members {
                let path = format!("{path}/{name}");
                let is_known =
                    known.is_some_and(|names| names.contains(&name.as_str()) || names == ["*"]);
                if !free && !is_known {
                    found.push(path.clone());
                }
                let shape = match (free, shape) {
                    // Named lists of routes.
                    (true, "/routes") => shape.to_owned(),
                    (true, _) => format!("{shape}/*"),
                    _ => format!("{shape}/{name}"),
                };
                look(inner, &shape, &path, found);
            }
        }
        _ => {}
    }
}

/// The variables of a format that Unit knows, and that hold nothing of a query, a header or a cookie.
pub const LOGGED: [&str; 8] = [
    "$time_local",
    "$remote_addr",
    "$method",
    "$host",
    "$uri",
    "$status",
    "$body_bytes_sent",
    "$request_time",
];

/// An application with the routes before it, its folder in another place.
pub fn application(
    config: &Value,
    name: &str,
    folder: &str,
    files: &[(&str, &str)],
) -> Application {
    let application = &config["applications"][name];
    let text = |value: &Value| value.as_str().unwrap().replace(folder, "@folder@");
    let environment: &Map<String, Value> = application["environment"].as_object().unwrap();
    let environment: BTreeMap<String, String> =
        environment.iter().map(|(name, value)| (name.clone(), text(value))).collect();
    assert_eq!(application["access"]["filesystem"], serde_json::json!([folder]));
    // Both files name the list after the application, and the listener passes to it.
    let listener = listener(config, name);
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Application {
        address_in_path: environment.contains_key("VIGILE_ADDRESS"),
        environment,
        files: files.collect(),
        routes: Routes::read(&config["routes"][name]),
        max_body_size: config["settings"]["http"]["max_body_size"].as_u64().unwrap() as usize,
        silence: Duration::from_secs(application["limits"]["timeout"].as_u64().unwrap()),
        trusts_forwarded_for: listener["forwarded"]["source"] == serde_json::json!(["127.0.0.1"]),
        tls: None,
    }
}

/// The listener that passes to the routes of this name.
fn listener<'c>(config: &'c Value, name: &str) -> &'c Value {
    let pass = format!("routes/{name}");
    let mut all = config["listeners"].as_object().unwrap().values();
    all.find(|listener| listener["pass"] == *pass)
        .unwrap_or_else(|| panic!("none passes to {pass}"))
}

/// The policy of a sample, by the command that the README names.
pub fn policy(sample: &str, arguments: &[&str]) -> String {
    let text = policies::rendered(&project().join("envoy").join(sample).join("envoy.yaml"));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("envoy.yaml");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(tools::vigile());
    let output = command.arg("unit").args(arguments).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
