//! A component in wasmtime, as Unit's `wasm-wasi-component` embeds it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine, ResourceLimiter, Store};
use wasmtime_wasi::p2::pipe::MemoryOutputPipe;
use wasmtime_wasi::p2::{IoView, WasiCtx, WasiCtxBuilder, WasiView};
use wasmtime_wasi::{DirPerms, FilePerms};
use wasmtime_wasi_http::bindings::ProxyPre;
use wasmtime_wasi_http::bindings::http::types::Scheme;
use wasmtime_wasi_http::body::HyperOutgoingBody;
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpView};

/// A compiled component, linked once.
#[derive(Clone)]
pub struct Guest(ProxyPre<Instance>);

/// What an application hands to each of its instances.
pub struct Surroundings {
    pub environment: BTreeMap<String, String>,
    /// The one folder that it may open.
    pub folder: PathBuf,
    /// What instances write to stderr.
    pub log: MemoryOutputPipe,
}

static LARGEST: AtomicUsize = AtomicUsize::new(0);

/// The largest memory that any instance of this process had, in bytes.
pub fn largest_memory() -> usize {
    LARGEST.load(Ordering::Relaxed)
}

/// The state of one instance.
struct Instance {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
}

impl Guest {
    pub fn load(component: &Path) -> Self {
        let mut config = Config::new();
        config.async_support(true);
        let engine = Engine::new(&config).unwrap();
        let component = Component::from_file(&engine, component)
            .unwrap_or_else(|error| panic!("{}: {error}", component.display()));
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).unwrap();
        wasmtime_wasi_http::add_only_http_to_linker_async(&mut linker).unwrap();
        Self(ProxyPre::new(linker.instantiate_pre(&component).unwrap()).unwrap())
    }

    /// An instance that is asked nothing.
    pub async fn instance(&self, around: &Surroundings) -> anyhow::Result<()> {
        let mut store = Store::new(self.0.engine(), Instance::of(around)?);
        self.0.instantiate_async(&mut store).await.map(drop)
    }

    /// An instance for one request: its answer, and the call, which may last longer. An error is what makes
    /// Unit abort the application's process.
    pub async fn answer(
        &self,
        around: Arc<Surroundings>,
        request: http::Request<Full<Bytes>>,
    ) -> anyhow::Result<(http::Response<HyperOutgoingBody>, JoinHandle<anyhow::Result<()>>)> {
        let mut store = Store::new(self.0.engine(), Instance::of(&around)?);
        store.limiter(|instance| instance);
        let request = request.map(|body| body.map_err(|never| match never {}));
        let (sender, receiver) = oneshot::channel();
        let request = store.data_mut().new_incoming_request(Scheme::Http, request)?;
        let out = store.data_mut().new_response_outparam(sender)?;
        let guest = self.0.clone();
        let task = tokio::spawn(async move {
            let proxy = guest.instantiate_async(&mut store).await?;
            proxy.wasi_http_incoming_handler().call_handle(&mut store, request, out).await
        });
        match receiver.await {
            Ok(answer) => Ok((answer?, task)),
            Err(_) => match task.await? {
                Ok(()) => anyhow::bail!("the component set no answer"),
                Err(error) => Err(error),
            },
        }
    }
}

impl Instance {
    fn of(around: &Surroundings) -> anyhow::Result<Self> {
        let mut wasi = WasiCtxBuilder::new();
        let folder = around.folder.to_string_lossy();
        wasi.preopened_dir(&around.folder, &*folder, DirPerms::all(), FilePerms::all())?;
        for (name, value) in &around.environment {
            wasi.env(name, value);
        }
        wasi.stderr(around.log.clone());
        let (http, table) = (WasiHttpCtx::new(), ResourceTable::new());
        Ok(Self { wasi: wasi.build(), http, table })
    }
}

impl ResourceLimiter for Instance {
    fn memory_growing(&mut self, _: usize, to: usize, _: Option<usize>) -> anyhow::Result<bool> {
        LARGEST.fetch_max(to, Ordering::Relaxed);
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, _: usize, _: Option<usize>) -> anyhow::Result<bool> {
        Ok(true)
    }
}

impl IoView for Instance {
    fn table(&mut self) -> &mut ResourceTable {
        &mut self.table
    }
}

impl WasiView for Instance {
    fn ctx(&mut self) -> &mut WasiCtx {
        &mut self.wasi
    }
}

impl WasiHttpView for Instance {
    fn ctx(&mut self) -> &mut WasiHttpCtx {
        &mut self.http
    }
}
