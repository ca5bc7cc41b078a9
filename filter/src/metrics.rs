//! Counters by module and reason, all of them defined at load: what clients send makes no new ones.
//!
//! `vigile.requests.module.<module>.reason.<reason>` counts every request, and
//! `vigile.would_refuse.module.<module>.reason.<reason>` what `mode: observe` let through. The module of
//! a request that belongs to none is `_`. `stats_tags` turn the parts into labels (docs/operating.md).

use vigile_abi as abi;
use vigile_policy::{Policy, Reason, Record};

/// The counters of one policy.
pub(crate) struct Metrics {
    requests: Counters,
    would_refuse: Counters,
}

/// The host's numbers of them: by module, requests of no module behind the last one, and in it by reason.
type Counters = Vec<Vec<Option<u32>>>;

impl Metrics {
    pub(crate) fn define(policy: &Policy) -> Self {
        let modules = policy.modules().enumerate().map(|(index, name)| (Some(index), name));
        let modules: Vec<_> = modules.chain([(None, "_")]).collect();
        let observed = |index, reason: Reason| policy.observes(index) && reason.refuses();
        Self {
            requests: define("requests", &modules, |_, _| true),
            would_refuse: define("would_refuse", &modules, observed),
        }
    }

    pub(crate) fn count(&self, record: &Record) {
        increment(&self.requests, record.module_index(), record.reason());
        if let Some(reason) = record.would_refuse() {
            increment(&self.would_refuse, record.module_index(), reason);
        }
    }
}

fn define(
    what: &str,
    modules: &[(Option<usize>, &str)],
    counted: impl Fn(Option<usize>, Reason) -> bool,
) -> Counters {
    let counter = |module: &str, reason: Reason| {
        let code = reason.code().replace('.', "_");
        let name = format!("vigile.{what}.module.{module}.reason.{code}");
        abi::define_counter(&name).ok()
    };
    let of_module = |(index, module): &(Option<usize>, &str)| {
        let reasons = Reason::ALL.iter();
        reasons
            .map(|reason| counted(*index, *reason).then(|| counter(module, *reason)).flatten())
            .collect()
    };
    modules.iter().map(of_module).collect()
}

fn increment(counters: &Counters, module: Option<usize>, reason: Reason) {
    let of_module = match module {
        Some(module) => counters.get(module),
        None => counters.last(),
    };
    let counter = of_module.and_then(|reasons| reasons.get(reason.index()).copied().flatten());
    if let Some(counter) = counter
        && abi::increment(counter).is_err()
    {
        log::error!("the host refused a metric");
    }
}
