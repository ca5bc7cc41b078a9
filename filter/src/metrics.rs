//! Counters by module and reason, all of them defined at load: what clients send makes no new ones.
//!
//! `vigile.module.<module>.reason.<reason>`, and for modules that observe
//! `vigile.module.<module>.would_refuse.<reason>`; the module of a request that has none is `_`.
//! `stats_tags` turn the parts into labels (docs/metrics.md).

use std::collections::BTreeMap;

use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;
use vigile_policy::{Policy, Reason, Record};

/// The counters of one policy.
pub(crate) struct Metrics {
    /// By module, `None` for requests of no module.
    counters: BTreeMap<(Option<usize>, Kind, Reason), u32>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Reason,
    WouldRefuse,
}

impl Metrics {
    pub(crate) fn define(policy: &Policy) -> Self {
        let mut counters = BTreeMap::new();
        let modules = policy.modules().enumerate().map(|(index, name)| (Some(index), name));
        for (index, module) in modules.chain([(None, "_")]) {
            for reason in Reason::ALL.iter().copied() {
                for (kind, part) in [(Kind::Reason, "reason"), (Kind::WouldRefuse, "would_refuse")]
                {
                    if kind == Kind::WouldRefuse && !(policy.observes(index) && reason.refuses()) {
                        continue;
                    }
                    let name = format!(
                        "vigile.module.{module}.{part}.{}",
                        reason.code().replace('.', "_")
                    );
                    if let Ok(counter) = hostcalls::define_metric(MetricType::Counter, &name) {
                        counters.insert((index, kind, reason), counter);
                    }
                }
            }
        }
        Self { counters }
    }

    pub(crate) fn count(&self, record: &Record) {
        let module = record.module_index();
        self.increment(module, Kind::Reason, record.reason());
        if let Some(reason) = record.would_refuse() {
            self.increment(module, Kind::WouldRefuse, reason);
        }
    }

    fn increment(&self, module: Option<usize>, kind: Kind, reason: Reason) {
        if let Some(counter) = self.counters.get(&(module, kind, reason))
            && hostcalls::increment_metric(*counter, 1).is_err()
        {
            log::error!("Envoy refused a metric");
        }
    }
}
