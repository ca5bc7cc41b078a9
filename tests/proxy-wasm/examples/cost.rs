//! What a request costs the module, counted and not timed: instructions and calls of the host.
//!
//! `VIGILE_WASM=… cargo run -p vigile-proxy-wasm-tests --example cost` compares one module with another.

use vigile_policy::Host as Abilities;
use vigile_proxy_wasm_tests::host::Compiled;
use vigile_proxy_wasm_tests::{Host, Ways};
use vigile_tests::conversation::{self, Ready};
use vigile_tests::keys::RING;
use vigile_tests::{case, envoy, policies};

const CASES: [&str; 5] = [
    "stable-diffusion/4-granted",
    "token/good",
    "token/expired-this-second",
    "ocr/test-4-right-key",
    "paths/odd-and-harmless",
];

fn main() {
    let module = Compiled::of(&envoy::module());
    println!("{:>14} {:>6}  of the second of two equal conversations", "instructions", "calls");
    for named in case::all().into_iter().filter(|named| CASES.contains(&named.name.as_str())) {
        let policy = policies::load(&named.case.policy);
        let json = policy.honoured_by(Abilities::PROXY_WASM, &RING.environment()).unwrap();
        let host =
            Host::start(&module, Ways::envoy(), json.to_string().as_bytes(), &RING.environment());
        let mut host = host.unwrap().unwrap();
        let mut before = (0, 0);
        for _ in 0..2 {
            before = host.spent();
            let send = |ready: &Ready| host.exchange(ready).unwrap();
            let _ = conversation::play(&named.name, &named.case, &policy.host(), send);
        }
        let (instructions, calls) = host.spent();
        println!("{:>14} {:>6}  {}", instructions - before.0, calls - before.1, named.name);
    }
}
