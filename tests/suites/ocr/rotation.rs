//! Rotating the service key: Envoy is given one policy after the other while Django never stops calling.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vigile::yaml::Yaml;
use vigile_tests::case::whole_numbers;
use vigile_tests::envoy::{self, free_port};
use vigile_tests::keys::{SERVICE_API_KEY, SERVICE_API_KEY_NEXT};
use vigile_tests::lds::Served;

use super::call::{Call, DJANGO, connect};
use super::stage::{Setting, at_level, environment};

const MODIFIED: &str = "listener_manager.listener_modified";
/// One key, two keys, the other key: no call is refused on the way, on connections of their own and on
/// one that stays open.
pub(crate) fn by_update(python: &Path) {
    let setting = Setting::new(python);
    let ports = [0; 3].map(|_| free_port());
    // Level 3: at level 4 a client that never stops is limited.
    let config = setting.place(at_level(3, false));
    let both = listeners(config.text(), ports);
    let django = |variable: &str| json!([{ "name": "django", "key": { "env": variable } }]);
    let one = with_keys(&both, &django("SERVICE_API_KEY"));
    let other = with_keys(&both, &django("SERVICE_API_KEY_NEXT"));
    let clusters = resources(config.text(), "clusters");
    let mut environment = environment(3);
    environment.insert("SERVICE_API_KEY_NEXT".into(), SERVICE_API_KEY_NEXT.into());
    let served = Served::start(&envoy::newest(), &one, &clusters, &environment);
    let mut served = served.unwrap_or_else(|error| panic!("{}", error.0));
    let to = served.envoy.listener("ocr");
    let replace = |served: &mut Served, listeners: &[Value]| {
        let modified = served.stat(MODIFIED) + 2;
        served.update(listeners);
        served.reaches(MODIFIED, modified).unwrap();
    };
    let app = setting.app(&served.envoy, &environment);
    let (old, new) = (SERVICE_API_KEY, SERVICE_API_KEY_NEXT);
    let analyze = |key: &str| Call::analyze().from(DJANGO).key(key).send(to);
    analyze(new).says(401, Some("api_key.invalid"));

    let django = Django::start(to, old);
    django.calls(40);
    replace(&mut served, &both);
    django.calls(40);
    analyze(new).says(200, None);
    django.sends(new);
    django.calls(40);
    replace(&mut served, &other);
    django.calls(40);
    analyze(old).says(401, Some("api_key.invalid"));
    let (calls, refused) = django.stop();
    println!("{calls} calls during the rotation, {} refused", refused.len());
    assert!(refused.is_empty(), "{refused:?}");
    assert!(calls >= 160);
    drop(app);
}

/// The listeners of a config, on ports that stay.
fn listeners(config: &str, ports: [u16; 3]) -> Vec<Value> {
    let mut listeners = resources(config, "listeners");
    for (listener, port) in listeners.iter_mut().zip(ports) {
        listener["address"]["socket_address"]["port_value"] = port.into();
    }
    listeners
}

/// The same with these keys alone.
fn with_keys(listeners: &[Value], keys: &Value) -> Vec<Value> {
    const POLICY: &str = "/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config/configuration/value";
    let names: Vec<&Value> = keys.as_array().unwrap().iter().map(|key| &key["name"]).collect();
    let mut listeners = listeners.to_vec();
    for listener in listeners.iter_mut().filter(|listener| listener["name"] != "provider") {
        let policy = listener.pointer_mut(POLICY).expect("a policy");
        policy["api_keys"] = keys.clone();
        policy["modules"][0]["routes"][2]["api_key"] = json!(names);
    }
    listeners
}

fn resources(config: &str, kind: &str) -> Vec<Value> {
    let config = serde_json::to_value(Yaml::parse(config).unwrap().tree()).unwrap();
    whole_numbers(config)["static_resources"][kind].as_array().unwrap().clone()
}

/// A client that never stops, in four threads.
struct Django {
    state: Arc<State>,
    threads: Vec<JoinHandle<Vec<String>>>,
}

struct State {
    key: Mutex<String>,
    calls: AtomicUsize,
    stops: AtomicBool,
}

impl Django {
    fn start(to: SocketAddr, key: &str) -> Self {
        let (calls, stops) = (AtomicUsize::new(0), AtomicBool::new(false));
        let state = Arc::new(State { key: Mutex::new(key.to_owned()), calls, stops });
        let thread = |_| {
            let state = state.clone();
            std::thread::spawn(move || state.call(to))
        };
        let threads = (0..4).map(thread).collect();
        Self { state, threads }
    }

    /// Waits for so many calls more.
    fn calls(&self, more: usize) {
        let wanted = self.state.calls.load(SeqCst) + more;
        let deadline = Instant::now() + Duration::from_secs(60);
        while self.state.calls.load(SeqCst) < wanted {
            assert!(Instant::now() < deadline, "Django has stopped");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn sends(&self, key: &str) {
        key.clone_into(&mut self.state.key.lock().unwrap());
    }

    /// How many calls there were, and those that were refused.
    fn stop(self) -> (usize, Vec<String>) {
        self.state.stops.store(true, SeqCst);
        let refused = self.threads.into_iter().flat_map(|thread| thread.join().unwrap());
        let refused = refused.collect();
        (self.state.calls.load(SeqCst), refused)
    }
}

impl State {
    /// Calls until it is to stop, on a connection each time and on one that stays; gives what was refused.
    fn call(&self, to: SocketAddr) -> Vec<String> {
        let (mut refused, mut kept, mut before) = (Vec::new(), None, String::new());
        while !self.stops.load(SeqCst) {
            let key = self.key.lock().unwrap().clone();
            // A Django that was given another key has been restarted, and its connections with it.
            if before != key {
                kept = None;
                before.clone_from(&key);
            }
            let call = Call::analyze().from(DJANGO).key(&key);
            let alone = call.try_send(to);
            let mut stream = kept.take().unwrap_or_else(|| connect(DJANGO, to).unwrap());
            let again = call.send_on(&mut stream, "keep-alive");
            // Envoy says when a connection is to end (RFC 9112 §9.6).
            kept = again.as_ref().is_ok_and(|answer| !answer.is_last()).then_some(stream);
            for answer in [alone, again] {
                self.calls.fetch_add(1, SeqCst);
                match answer {
                    Ok(answer) if answer.status == 200 => {}
                    other => refused.push(format!("{other:?}")),
                }
            }
        }
        refused
    }
}
