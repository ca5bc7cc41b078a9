//! A gate whose policy is replaced while it runs, in front of an app whose events never end.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::asking::ask;
use crate::case::Recipe;
use crate::envoy::{self, Binary, Envoy, free_port};
use crate::keys::RING;
use crate::lds::Served;
use crate::ticker;

pub const HOST: &str = "stablediffusion.example.org";
pub const REJECTED: &str = "listener_manager.lds.update_rejected";
const MODIFIED: &str = "listener_manager.listener_modified";

type Held = Result<(), String>;

/// One module whose tokens are signed with a key of this list.
pub fn policy(keys: &Value) -> Value {
    json!({
        "vigile": 1,
        "issuers": [{ "name": "iahome", "algorithms": ["HS256"], "keys": keys }],
        "modules": [{ "name": "stablediffusion", "hosts": [HOST], "module_claim": "none",
            "routes": [{ "path": "/**", "token": { "issuer": "iahome" } }] }],
    })
}

pub fn iahome() -> Value {
    json!([{ "secret": { "env": "IAHOME_JWT_SECRET" } }])
}

pub fn partner() -> Value {
    json!([{ "secret": { "env": "PARTNER_JWT_SECRET" } }])
}

pub fn token(key: &str) -> String {
    RING.mint(&Recipe { key: Some(key.into()), ..Recipe::default() })
}

/// A gate in front of the ticker.
pub struct Gate {
    pub served: Served,
    pub address: SocketAddr,
    port: u16,
}

impl Gate {
    pub fn start(binary: &Binary, policy: &Value) -> Self {
        let app = ticker::start();
        let port = free_port();
        let served = Served::start(
            binary,
            &[listener(port, policy)],
            &[envoy::cluster("app", app)],
            &RING.environment(),
        );
        let served = served.unwrap_or_else(|error| panic!("{}", error.0));
        Self { served, address: ([127, 0, 0, 1], port).into(), port }
    }

    pub fn update(&mut self, policy: &Value) {
        self.served.update(&[listener(self.port, policy)]);
    }

    /// The same, until it is at work.
    pub fn replace(&mut self, policy: &Value) -> Held {
        let modified = self.served.stat(MODIFIED) + 1;
        self.update(policy);
        self.served.reaches(MODIFIED, modified)?;
        Ok(())
    }

    pub fn says(&self, token: &str, status: u16, reason: &str) -> Held {
        same(&ask(self.address, HOST, token), &(status, reason.to_owned()))
    }

    /// How many VMs there are, those of the main thread and of every worker.
    pub fn vms(&self) -> u64 {
        self.served.stat("wasm.envoy.wasm.runtime.v8.active")
    }

    pub fn is_sound(&self) -> Held {
        sound(&self.served.envoy)
    }
}

fn listener(port: u16, policy: &Value) -> Value {
    let route =
        json!({ "match": { "prefix": "/" }, "route": { "cluster": "app", "timeout": "0s" } });
    let filter = envoy::vigile(&envoy::as_struct(policy), &RING.environment());
    envoy::listener("gate", port, &filter, &route)
}

pub fn sound(envoy: &Envoy) -> Held {
    let log = envoy.logged();
    let crash = log.lines().find(|line| line.contains("panicked") || line.contains("RuntimeError"));
    crash.map_or(Ok(()), |line| Err(line.to_owned()))
}

pub fn same<T: PartialEq + std::fmt::Debug>(got: &T, expected: &T) -> Held {
    if got == expected { Ok(()) } else { Err(format!("{got:?}, not {expected:?}")) }
}
