//! Vigile in Envoy: the proxy-wasm host of `vigile-policy`.
//!
//! The core decides and this crate carries out: it hands over headers as bytes, answers the core's
//! questions, applies the edits, and tells logs, metrics and later filters. Nothing that derives from a
//! policy is static: filters that share a `vm_id` share the VM's statics, and statics outlive a policy
//! (observed on Envoy 1.40).
//!
//! Which panics the SDK itself holds, and why each is out of reach, is in docs/sdk-panics.md.

mod host;
mod load;
mod metrics;
mod permits;
mod signatures;
mod stream;

use std::rc::Rc;
use std::time::Duration;

use load::Loaded;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel};
use stream::Stream;
use vigile_policy::RENEWAL_SECONDS;

#[allow(missing_docs, reason = "the macro writes _initialize, which the proxy calls")]
mod entry {
    use super::{LogLevel, Root};

    proxy_wasm::main! {{
        proxy_wasm::set_log_level(LogLevel::Info);
        proxy_wasm::set_root_context(|_| Box::new(Root::default()));
    }}
}

/// One configured filter of one worker: the policy that it loaded, and what it remembers.
#[derive(Default)]
struct Root {
    loaded: Option<Rc<Loaded>>,
}

impl Context for Root {}

impl RootContext for Root {
    /// `false` keeps Envoy from starting; in an update it rejects the listener and the old policy
    /// serves on (observed on Envoy 1.36 to 1.40).
    fn on_configure(&mut self, _: usize) -> bool {
        self.loaded = load::load().map(Rc::new);
        let counts = self.loaded.as_ref().is_some_and(|loaded| loaded.permits.is_some());
        if counts
            && hostcalls::set_tick_period(Duration::from_secs(RENEWAL_SECONDS.into())).is_err()
        {
            log::error!("Envoy refused a timer");
            return false;
        }
        self.loaded.is_some()
    }

    fn on_tick(&mut self) {
        let loaded = self.loaded.as_ref();
        if let Some(permits) = loaded.and_then(|loaded| loaded.permits.as_ref()) {
            permits.renew(host::now());
        }
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(self.loaded.clone())))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
