//! `status: true`: what the gate asks for, as the `security` block of 001_d9637b39f961e8b1.txt.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Serialize;

use super::Reply;
use crate::Reason;
use crate::policy::{Module, Networks, Policy, Rule};

/// The answer; mode and digest are for a caller whom the route made prove himself.
pub(crate) fn status(policy: &Policy, module: &Arc<Module>, proven: bool) -> Reply {
    Reply::of(Reason::StatusAnswered, Some(module)).with_json(&Status {
        mode: proven.then(|| module.mode.as_str()),
        module: &module.name,
        policy: proven.then(|| policy.digest()),
        security: &module.security,
        status: "ok",
    })
}

#[derive(Serialize)]
struct Status<'s> {
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    module: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<&'s str>,
    security: &'s Security,
    status: &'static str,
}

/// The block. It is counted at load: a list may hold thousands, and anybody may ask for a public status.
#[derive(Debug, Serialize)]
pub(crate) struct Security {
    allowed_ips_count: usize,
    ip_whitelist_enabled: bool,
    service_api_key_required: bool,
    token_required: bool,
}

impl Security {
    pub(crate) fn of(rules: &[Arc<Rule>]) -> Self {
        let needs = || rules.iter().flat_map(|rule| rule.access.needs());
        let mut networks = BTreeSet::new();
        let allowed = needs().flat_map(|need| &need.addresses).filter_map(|it| it.allow.as_ref());
        allowed.flat_map(Networks::iter).for_each(|network| {
            networks.insert(network);
        });
        Self {
            allowed_ips_count: networks.len(),
            ip_whitelist_enabled: !networks.is_empty(),
            service_api_key_required: needs().any(|need| !need.api_keys.is_empty()),
            token_required: needs().any(|need| need.token.is_some()),
        }
    }
}
