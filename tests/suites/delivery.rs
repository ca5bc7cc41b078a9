//! Policies and modules that an extension config brings (ECDS, from a file), as docs/operating.md has it: what becomes
//! of requests meanwhile, and what `vigile check` says of each such file.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::{Value, json};
use vigile::check::{self, Format, Severity};
use vigile_tests::asking::ask;
use vigile_tests::envoy::{self, Binary, Envoy};
use vigile_tests::gate::{HOST, iahome, partner, policy, same, token};
use vigile_tests::keys::RING;

fn main() {
    let arguments = Arguments::from_args();
    let tests: [(&str, Test); 3] = [
        ("a policy takes over without a request that goes around", a_policy_takes_over),
        ("a module from the network lets everybody pass", a_remote_module_lets_everybody_pass),
        ("a module that is waited for lets nobody pass", a_module_that_is_waited_for),
    ];
    let trial = |binary: &Binary| {
        tests.map(|(name, test)| {
            let (binary, title) = (binary.clone(), format!("{}/{name}", binary.version));
            Trial::test(title, move || test(&binary))
        })
    };
    let trials = envoy::binaries().iter().flat_map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit();
}

type Test = fn(&Binary) -> Result<(), Failed>;

/// An Envoy whose Vigile filter comes from a file that it watches.
struct Gate {
    envoy: Envoy,
    file: PathBuf,
    version: u32,
}

impl Gate {
    fn start(binary: &Binary) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ecds.json");
        let filter = json!({
            "name": "vigile",
            "config_discovery": {
                "config_source": { "path_config_source": {
                    "path": file, "watched_directory": { "path": folder.path() },
                } },
                "type_urls": ["type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"],
            },
        });
        let action = json!({ "match": { "prefix": "/" }, "direct_response": { "status": 204 } });
        let mut config = envoy::bootstrap(
            &[envoy::listener("plain", 0, &filter, &action)],
            &[envoy::cluster("modules", modules())],
        );
        config["node"] = json!({ "id": "tests", "cluster": "tests" });
        let config = config.to_string().replace("@folder@", &folder.path().display().to_string());
        std::fs::write(folder.path().join("envoy.json"), config).unwrap();
        write(&file, &resource(&policy(&iahome()), &local(), false), 0);
        let envoy = Envoy::start_file(binary, folder, "envoy.json", &RING.environment());
        Self { envoy: envoy.unwrap_or_else(|error| panic!("{}", error.0)), file, version: 0 }
    }

    /// Hands out another version, and waits until Envoy has seen it.
    fn push(&mut self, resource: &Value) -> Result<(), Failed> {
        let before = self.stat("update_attempt");
        self.version += 1;
        write(&self.file, resource, self.version);
        for _ in 0..400 {
            if self.stat("update_attempt") > before {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        Err("Envoy has not seen the file".into())
    }

    fn stat(&self, name: &str) -> u64 {
        let name = format!("extension_config_discovery.http_filter.vigile.{name}");
        let stats = self.envoy.get(&format!("/stats?filter=^{name}$"));
        let value = stats.lines().find_map(|line| line.strip_prefix(&name)?.strip_prefix(": "));
        value.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }

    fn says(&self, token: &str) -> (u16, String) {
        ask(self.envoy.listener("plain"), HOST, token)
    }
}

/// The filter as an extension config.
fn resource(policy: &Value, code: &Value, waits: bool) -> Value {
    let mut filter = envoy::vigile(&envoy::as_struct(policy), &RING.environment());
    let vm = &mut filter["typed_config"]["config"]["vm_config"];
    vm["code"] = code.clone();
    vm["nack_on_code_cache_miss"] = waits.into();
    json!({
        "@type": "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig",
        "name": "vigile",
        "typed_config": filter["typed_config"],
    })
}

fn local() -> Value {
    json!({ "local": { "filename": envoy::module() } })
}

/// The module from the network.
fn remote(path: &str) -> Value {
    use std::fmt::Write as _;
    let module = std::fs::read(envoy::module()).expect("dist/vigile.wasm: run ./build.sh build");
    let sha256 = hmac_sha256::Hash::hash(&module).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes all");
        hex
    });
    let uri = format!("http://127.0.0.1/{path}");
    json!({ "remote": {
        "http_uri": { "uri": uri, "cluster": "modules", "timeout": "5s" }, "sha256": sha256,
    } })
}

fn write(file: &PathBuf, resource: &Value, version: u32) {
    let text = json!({ "version_info": version.to_string(), "resources": [resource] });
    let next = file.with_extension("next");
    std::fs::write(&next, text.to_string()).unwrap();
    std::fs::rename(next, file).unwrap();
}

/// A server that hands out the module, whatever it is asked for.
fn modules() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let module = std::fs::read(envoy::module()).expect("dist/vigile.wasm: run ./build.sh build");
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let _ = stream.read(&mut [0; 4096]);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                module.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&module));
        }
    });
    address
}

/// The worst finding of `vigile check` about how the module comes.
fn found(resource: &Value) -> Option<Severity> {
    let file = json!({ "resources": [resource] }).to_string();
    let found = check::check(file.as_bytes(), Format::Json, None).into_iter();
    found.filter(|one| one.kind == "delivery").map(|one| one.finding.severity).min()
}

fn a_policy_takes_over(binary: &Binary) -> Result<(), Failed> {
    let mut gate = Gate::start(binary);
    let (old, new) = (token("iahome"), token("partner"));
    same(&gate.says(&old).0, &204)?;
    let next = resource(&policy(&partner()), &local(), false);
    same(&found(&next), &None)?;
    gate.push(&next)?;
    for _ in 0..200 {
        // Refused by the one or by the other, and never let in.
        same(&gate.says("").1, &"token.missing".to_owned())?;
        if gate.says(&new).0 == 204 {
            break;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    same(&gate.says(&new).0, &204)?;
    same(&gate.says(&old), &(401, "token.signature".to_owned()))?;
    let mut bad = policy(&iahome());
    bad["mode"] = "enforced".into();
    let failed = gate.stat("config_fail");
    gate.push(&resource(&bad, &local(), false))?;
    for _ in 0..200 {
        if gate.stat("config_fail") > failed {
            break;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    same(&gate.says(&new).0, &204)?;
    Ok(same(&gate.says("").1, &"token.missing".to_owned())?)
}

/// Not what anybody wants: that `vigile check` calls this an error rests on it.
fn a_remote_module_lets_everybody_pass(binary: &Binary) -> Result<(), Failed> {
    let mut gate = Gate::start(binary);
    same(&gate.says("").1, &"token.missing".to_owned())?;
    let mut next = resource(&policy(&iahome()), &remote("lets-everybody-pass"), false);
    // Another VM, since this code is known to Envoy from the file.
    next["typed_config"]["config"]["vm_config"]["code"]["remote"]["sha256"] = "0".repeat(64).into();
    same(&found(&next), &Some(Severity::Error))?;
    gate.push(&next)?;
    std::thread::sleep(Duration::from_secs(2));
    same(&gate.says("").0, &204)?;
    same(&(gate.stat("update_rejected"), gate.stat("config_fail")), &(0, 0)).map_err(Into::into)
}

fn a_module_that_is_waited_for(binary: &Binary) -> Result<(), Failed> {
    let mut gate = Gate::start(binary);
    let next = resource(&policy(&partner()), &remote("waited-for"), true);
    same(&found(&next), &Some(Severity::Note))?;
    gate.push(&next)?;
    for _ in 0..20 {
        same(&gate.says("").1, &"token.missing".to_owned())?;
        std::thread::sleep(Duration::from_millis(100));
    }
    // What was rejected is not taken when it is sent once more, but with something else in it.
    gate.push(&next)?;
    std::thread::sleep(Duration::from_secs(1));
    same(&gate.says(&token("partner")).1, &"token.signature".to_owned())?;
    let mut again = next.clone();
    again["typed_config"]["config"]["root_id"] = "again".into();
    gate.push(&again)?;
    for _ in 0..200 {
        same(&gate.says("").1, &"token.missing".to_owned())?;
        if gate.says(&token("partner")).0 == 204 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    let stats = gate.envoy.get("/stats?filter=(extension_config|wasm.remote|code_cache)");
    Err(format!("the new policy was never taken:\n{stats}").into())
}
