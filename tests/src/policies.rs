//! The policies that cases name: those of the corpus, and those inside the samples.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vigile::find;
use vigile::yaml::Yaml;
use vigile_policy::{Draft, Host, Invalid, State, Tree};

/// A policy as a case names it.
#[derive(Clone)]
pub struct Policy {
    pub tree: Tree,
    /// How the listener in front of it is set up; see [`Listener`].
    pub listener: Listener,
}

/// What a corpus policy's first comment may say of the listener that Envoy puts in front of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Listener {
    /// `# listener: edge`: `use_remote_address`, X-Forwarded-For of clients is not believed.
    pub edge: bool,
    /// `# listener: trusted`: an `original_ip_detection` that trusts 127.0.0.0/8.
    pub trusted: bool,
    /// `# listener: unix`: a Unix socket.
    pub unix: bool,
    /// `# listener: server`: Envoy writes no `server` of its own over what filters did to it.
    pub server: bool,
}

/// The project's folder.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The samples, by the names of their folders.
pub fn samples() -> Vec<String> {
    let entries = std::fs::read_dir(project().join("envoy")).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.file_type().unwrap().is_dir());
    let mut names: Vec<String> =
        folders.map(|folder| folder.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A file of a sample with the values of `envoy/.env.example`.
pub fn rendered(file: &Path) -> String {
    let text =
        std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    vigile::sample::render(&text, &vigile::sample::example())
        .unwrap_or_else(|missing| panic!("{}: {missing:?}", file.display()))
}

/// Every policy that any of the cases names.
pub fn named_by<'c>(names: impl Iterator<Item = &'c str>) -> BTreeMap<String, Policy> {
    names.map(|name| (name.to_owned(), load(name))).collect()
}

/// `ocr` of the corpus, `envoy/ocr` or `envoy/ocr/level-2.yaml` of the samples.
pub fn load(name: &str) -> Policy {
    let file = match name.starts_with("envoy/") {
        true if name.ends_with(".yaml") => project().join(name),
        true => project().join(name).join("envoy.yaml"),
        false => crate::case::corpus().join("policies").join(format!("{name}.yaml")),
    };
    let text = match name.starts_with("envoy/") {
        true => rendered(&file),
        false => std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display())),
    };
    let yaml = Yaml::parse(&text)
        .unwrap_or_else(|error| panic!("{name}: {} {}", error.place, error.problem));
    let found = find::policies(&yaml);
    let policy = found.first().unwrap_or_else(|| panic!("{name} holds no policy"));
    let says = |word: &str| text.lines().any(|line| line.trim() == format!("# listener: {word}"));
    let listener = Listener {
        edge: says("edge"),
        trusted: says("trusted"),
        unix: says("unix"),
        server: says("server"),
    };
    Policy { tree: policy.tree(), listener }
}

impl Policy {
    /// The policy as JSON.
    pub fn json(&self) -> Value {
        crate::case::whole_numbers(serde_json::to_value(&self.tree).unwrap())
    }

    /// The policy as far as a host can honour it, with a line of the log for every request: where Envoy's filter
    /// state tells a reason, there the log does. What a host cannot do is taken out for the sake of the other
    /// routes, and cases of it say so (`not_on`); `None` where addresses are listed that nobody knows.
    pub fn honoured_by(&self, host: Host, environment: &BTreeMap<String, String>) -> Option<Value> {
        let mut json = self.json();
        match json.get_mut("log") {
            Some(log) => log["events"] = json!("all"),
            None => json["log"] = json!({ "events": "all" }),
        }
        loop {
            let draft = Draft::read(json.to_string().as_bytes()).unwrap();
            let mistakes = draft.resolve(environment, host).err().unwrap_or_default();
            let Some(Invalid { path, problem }) = mistakes.first() else { return Some(json) };
            match path.rsplit('.').next() {
                Some("addresses") => return None,
                Some("subprotocol" | "concurrency" | "close_at_exp" | "body") => {
                    remove(&mut json, path);
                }
                // No other place was left to a module of websockets.
                Some("credentials") => remove(&mut json, path.trim_end_matches(".credentials")),
                _ => panic!("{path}: {problem}"),
            }
        }
    }

    /// Loads it into the core.
    pub fn state(&self, variables: &BTreeMap<String, String>) -> State {
        let resolved = Draft::from(self.tree.clone()).resolve(variables, Host::ENVOY);
        resolved.unwrap_or_else(|mistakes| {
            panic!("{}", mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        })
    }

    /// The host that requests are for where the case says nothing.
    pub fn host(&self) -> String {
        let json = self.json();
        let first = json["modules"][0]["hosts"][0].as_str();
        first.map_or("any.example.org".into(), |host| host.replace('*', "some"))
    }
}

/// Takes out what stands at a path such as `modules[0].credentials.subprotocol`.
fn remove(json: &mut Value, path: &str) {
    let pointer = format!("/{}", path.replace(['.', '['], "/").replace(']', ""));
    let (parent, last) = pointer.rsplit_once('/').unwrap();
    match json.pointer_mut(parent).unwrap() {
        Value::Array(items) => items.remove(last.parse::<usize>().unwrap()),
        parent => parent.as_object_mut().unwrap().remove(last).unwrap(),
    };
}
