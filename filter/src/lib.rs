//! Vigile in Envoy: the proxy-wasm host of `vigile-policy`. Other hosts of proxy-wasm run it with less
//! (docs/decisions/0033).
//!
//! The core decides and this crate carries out: it hands over headers as bytes, answers the core's
//! questions, applies the edits, and tells logs, metrics and later filters. Nothing that derives from a
//! policy is static: filters that share a `vm_id` share the VM's statics, and statics outlive a policy
//! (observed on Envoy 1.40).
//!
//! Which panics the SDK itself holds, and why each is out of reach, is in docs/sdk-panics.md.

mod ends;
mod host;
mod load;
mod logger;
mod metrics;
mod other;
mod permits;
mod signatures;
mod stream;

use std::rc::Rc;

use load::Loaded;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::ContextType;
use stream::Stream;
use vigile_abi as abi;
use vigile_policy::RENEWAL_SECONDS;

#[allow(missing_docs, reason = "the macro writes _initialize, which the proxy calls")]
mod entry {
    use super::{Root, logger};

    proxy_wasm::main! {{
        logger::start();
        proxy_wasm::set_root_context(|_| Box::new(Root::default()));
    }}
}

/// One configured filter of one worker: the policy that it loaded, and what it remembers.
#[derive(Default)]
struct Root {
    loaded: Option<Rc<Loaded>>,
    /// How often the timer has come.
    ticks: u32,
}

/// How often the timer comes, in seconds: a stream lives on for no longer than that.
const TICK_SECONDS: u32 = 1;

impl Context for Root {}

impl RootContext for Root {
    /// `false` keeps Envoy from starting; in an update it rejects the listener and the old policy
    /// serves on (observed on Envoy 1.36 to 1.40).
    fn on_configure(&mut self, _: usize) -> bool {
        self.loaded = load::load().map(Rc::new);
        let Some(loaded) = &self.loaded else { return false };
        let waits = loaded.permits.is_some() || loaded.ends.is_some();
        if waits && abi::tick_every(TICK_SECONDS.saturating_mul(1000)).is_err() {
            log::error!("the host refused a timer");
            self.loaded = None;
        }
        self.loaded.is_some()
    }

    fn on_tick(&mut self) {
        let Some(loaded) = &self.loaded else { return };
        let now = host::now();
        self.ticks = self.ticks.wrapping_add(TICK_SECONDS);
        if let Some(permits) = &loaded.permits
            && self.ticks.is_multiple_of(RENEWAL_SECONDS)
        {
            permits.renew(now);
        }
        while let Some(due) = loaded.ends.as_ref().and_then(|ends| ends.due(now)) {
            stream::end(loaded, due);
        }
    }

    fn create_http_context(&self, context: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(self.loaded.clone(), context)))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
