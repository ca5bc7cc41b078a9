//! `status: true`: what the gate asks for, as the `security` block of 001_d9637b39f961e8b1.txt.

use std::sync::Arc;

use ipnet::IpNet;
use serde::Serialize;

use super::Reply;
use crate::Reason;
use crate::policy::{Module, Need, Networks, Policy};

/// The block; mode and digest are for a caller whom the route made prove himself.
pub(crate) fn status(policy: &Policy, module: &Arc<Module>, proven: bool) -> Reply {
    let needs: Vec<&Need> = module.rules.iter().flat_map(|rule| rule.access.needs()).collect();
    let mut networks: Vec<&IpNet> = Vec::new();
    for network in needs.iter().flat_map(|need| &need.addresses).flat_map(Networks::iter) {
        if !networks.contains(&network) {
            networks.push(network);
        }
    }
    Reply::of(Reason::StatusAnswered, Some(module)).with_json(&Status {
        mode: proven.then(|| module.mode.as_str()),
        module: &module.name,
        policy: proven.then(|| policy.digest()),
        security: Security {
            allowed_ips_count: networks.len(),
            ip_whitelist_enabled: !networks.is_empty(),
            service_api_key_required: needs.iter().any(|need| !need.api_keys.is_empty()),
            token_required: needs.iter().any(|need| need.token.is_some()),
        },
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
    security: Security,
    status: &'static str,
}

#[derive(Serialize)]
struct Security {
    allowed_ips_count: usize,
    ip_whitelist_enabled: bool,
    service_api_key_required: bool,
    token_required: bool,
}
