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
    django.calls(20);
    replace(&mut served, &both);
    django.calls(20);
    analyze(new).says(200, None);
    django.sends(new);
    django.calls(20);
    replace(&mut served, &other);
    django.calls(20);
    analyze(old).says(401, Some("api_key.invalid"));
    let (calls, refused) = django.stop();
    println!("{calls} calls during the rotation, {} refused", refused.len());
    assert!(refused.is_empty(), "{refused:?}");
    assert!(calls >= 80);
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

/// A client that never stops.
struct Django {
    key: Arc<Mutex<String>>,
    calls: Arc<AtomicUsize>,
    stops: Arc<AtomicBool>,
    thread: JoinHandle<Vec<String>>,
}

impl Django {
    fn start(to: SocketAddr, key: &str) -> Self {
        let key = Arc::new(Mutex::new(key.to_owned()));
        let (calls, stops) = (Arc::<AtomicUsize>::default(), Arc::<AtomicBool>::default());
        let (own, counted, ends) = (key.clone(), calls.clone(), stops.clone());
        let thread = std::thread::spawn(move || {
            let (mut refused, mut kept, mut before) = (Vec::new(), None, String::new());
            while !ends.load(SeqCst) {
                let key = own.lock().unwrap().clone();
                // A Django that was given another key has been restarted, and its connections with it.
                if before != key {
                    kept = None;
                    before.clone_from(&key);
                }
                let call = Call::analyze().from(DJANGO).key(&key);
                let alone = call.try_send(to);
                let mut stream = kept.take().unwrap_or_else(|| connect(DJANGO, to).unwrap());
                let again = call.send_on(&mut stream, "keep-alive");
                // Envoy says when a connection is to end, as RFC 9112 §9.6 has it.
                let ends = |answer: &super::call::Answer| {
                    answer.header("connection").as_deref() == Some("close")
                };
                if again.as_ref().is_ok_and(|answer| !ends(answer)) {
                    kept = Some(stream);
                }
                for answer in [alone, again] {
                    match answer {
                        Ok(answer) if answer.status == 200 => {}
                        other => refused.push(format!("{other:?}")),
                    }
                    counted.fetch_add(1, SeqCst);
                }
            }
            refused
        });
        Self { key, calls, stops, thread }
    }

    /// Waits for so many calls more.
    fn calls(&self, more: usize) {
        let wanted = self.calls.load(SeqCst) + more;
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.calls.load(SeqCst) < wanted {
            assert!(Instant::now() < deadline, "Django has stopped");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn sends(&self, key: &str) {
        key.clone_into(&mut self.key.lock().unwrap());
    }

    /// How many calls there were, and those that were refused.
    fn stop(self) -> (usize, Vec<String>) {
        self.stops.store(true, SeqCst);
        let refused = self.thread.join().unwrap();
        (self.calls.load(SeqCst), refused)
    }
}
