//! One module, one policy, one stream at a time.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};
use wasmtime::{Config, Engine, Instance, Linker, Module, Store, WasmParams, WasmResults};

use crate::imports;
use crate::ways::Ways;

/// Headers by name.
pub type Headers = Vec<(String, Vec<u8>)>;

/// What the host knows while the module runs.
pub struct State {
    pub(crate) ways: Ways,
    pub(crate) environment: Vec<String>,
    pub(crate) configuration: Vec<u8>,
    /// What was logged, with its level.
    pub(crate) log: Vec<(u32, String)>,
    pub(crate) counters: Vec<(String, u64)>,
    pub(crate) shared: BTreeMap<String, (Vec<u8>, u32)>,
    pub(crate) stream: Stream,
    pub(crate) calls: u64,
}

/// The stream that is under way.
#[derive(Default)]
pub(crate) struct Stream {
    /// The request's headers, `:path` and its like apart, and the answer's.
    pub(crate) request: Headers,
    pub(crate) pseudo: Headers,
    pub(crate) response: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) peer: Option<SocketAddr>,
    /// The module's own answer.
    pub(crate) reply: Option<Reply>,
    pub(crate) is_reset: bool,
}

/// An answer of the module's own.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    pub status: u16,
    pub headers: Headers,
    pub body: Vec<u8>,
}

/// The module broke down, which no byte and no answer of a host may bring about.
#[derive(Debug)]
pub struct Trapped(pub String);

/// A policy at work in a module.
pub struct Host {
    store: Store<State>,
    instance: Instance,
    contexts: u32,
}

const ROOT: u32 = 1;

/// A compiled module, for as many hosts as are wanted.
#[derive(Clone)]
pub struct Compiled(Module);

impl Compiled {
    pub fn of(file: &Path) -> Self {
        let engine = Engine::new(Config::new().consume_fuel(true)).unwrap();
        let module = Module::from_file(&engine, file);
        Self(module.unwrap_or_else(|error| panic!("{}: {error}", file.display())))
    }

    /// The calls that the module knows of a host.
    pub fn imports(&self) -> Vec<String> {
        let of_the_abi = self.0.imports().filter(|import| import.module() == "env");
        of_the_abi.map(|import| import.name().to_owned()).collect()
    }
}

impl Host {
    /// Starts a VM and loads a policy: a host, or the log where the policy was refused.
    pub fn start(
        module: &Compiled,
        ways: Ways,
        configuration: &[u8],
        environment: &BTreeMap<String, String>,
    ) -> Result<Result<Self, String>, Trapped> {
        Self::load(module, ways, configuration, environment).map_err(trapped)
    }

    fn load(
        module: &Compiled,
        ways: Ways,
        configuration: &[u8],
        environment: &BTreeMap<String, String>,
    ) -> Result<Result<Self, String>> {
        let state = State {
            ways,
            environment: environment
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect(),
            configuration: configuration.to_vec(),
            log: Vec::new(),
            counters: Vec::new(),
            shared: BTreeMap::new(),
            stream: Stream::default(),
            calls: 0,
        };
        let engine = module.0.engine();
        let mut store = Store::new(engine, state);
        store.set_fuel(u64::MAX)?;
        let mut linker = Linker::new(engine);
        imports::define(&mut linker)?;
        linker.define_unknown_imports_as_traps(&module.0)?;
        let instance = linker.instantiate(&mut store, &module.0)?;
        let mut host = Self { store, instance, contexts: ROOT };
        host.call::<(), ()>("_initialize", ())?;
        host.call::<_, ()>("proxy_on_context_create", (ROOT, 0_u32))?;
        let size = u32::try_from(configuration.len())?;
        let started: u32 = host.call("proxy_on_vm_start", (ROOT, 0_u32))?;
        let loaded: u32 = host.call("proxy_on_configure", (ROOT, size))?;
        Ok(if started == 1 && loaded == 1 { Ok(host) } else { Err(host.log()) })
    }

    pub(crate) fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, with: P) -> Result<R> {
        let function = self.instance.get_typed_func::<P, R>(&mut self.store, name)?;
        function.call(&mut self.store, with).with_context(|| name.to_owned())
    }

    /// From here on the host has other ways.
    pub fn changes(&mut self, ways: Ways) {
        self.store.data_mut().ways = ways;
    }

    pub(crate) fn state(&mut self) -> &mut State {
        self.store.data_mut()
    }

    /// A number that no stream of this host has.
    pub(crate) fn next_context(&mut self) -> u32 {
        self.contexts += 1;
        self.contexts
    }

    pub(crate) const ROOT: u32 = ROOT;

    /// How many instructions the module has run, and the calls that it made.
    pub fn spent(&self) -> (u64, u64) {
        (u64::MAX - self.store.get_fuel().unwrap(), self.store.data().calls)
    }

    /// All that was logged.
    pub fn log(&self) -> String {
        self.store.data().log.iter().map(|(_, line)| format!("{line}\n")).collect()
    }

    /// The value of a counter.
    pub fn counter(&self, name: &str) -> Option<u64> {
        let mut counters = self.store.data().counters.iter();
        counters.find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

pub(crate) fn trapped(error: anyhow::Error) -> Trapped {
    Trapped(format!("{error:#}"))
}
