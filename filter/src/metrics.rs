//! Counters by module and reason, all of them defined at load: what clients send makes no new ones.
//!
//! `vigile.requests.module.<module>.reason.<reason>` counts every request, and
//! `vigile.would_refuse.module.<module>.reason.<reason>` what `mode: observe` let through. The module of
//! a request that belongs to none is `_`. `stats_tags` turn the parts into labels (docs/operating.md).

use std::collections::BTreeMap;

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;
use vigile_policy::{Policy, Reason, Record};

/// The counters of one policy, by module (`None` for requests of no module) and reason.
pub(crate) struct Metrics {
    requests: Counters,
    would_refuse: Counters,
}

type Counters = BTreeMap<(Option<usize>, Reason), u32>;

impl Metrics {
    pub(crate) fn define(policy: &Policy) -> Self {
        let (mut requests, mut would_refuse) = (Counters::new(), Counters::new());
        let modules = policy.modules().enumerate().map(|(index, name)| (Some(index), name));
        for (index, module) in modules.chain([(None, "_")]) {
            for reason in Reason::ALL.iter().copied() {
                define(&mut requests, "requests", index, module, reason);
                if policy.observes(index) && reason.refuses() {
                    define(&mut would_refuse, "would_refuse", index, module, reason);
                }
            }
        }
        Self { requests, would_refuse }
    }

    pub(crate) fn count(&self, record: &Record) {
        increment(&self.requests, record.module_index(), record.reason());
        if let Some(reason) = record.would_refuse() {
            increment(&self.would_refuse, record.module_index(), reason);
        }
    }
}

fn define(counters: &mut Counters, what: &str, index: Option<usize>, module: &str, reason: Reason) {
    let code = reason.code().replace('.', "_");
    let name = format!("vigile.{what}.module.{module}.reason.{code}");
    if let Ok(counter) = hostcalls::define_metric(MetricType::Counter, &name) {
        counters.insert((index, reason), counter);
    }
}

fn increment(counters: &Counters, module: Option<usize>, reason: Reason) {
    if let Some(counter) = counters.get(&(module, reason))
        && hostcalls::increment_metric(*counter, 1).is_err()
    {
        log::error!("Envoy refused a metric");
    }
}
