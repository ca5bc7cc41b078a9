//! `status: true`: what the gate asks for, as the `security` block of 001_d9637b39f961e8b1.txt.

use std::sync::Arc;

use serde_json::json;

use super::Reply;
use crate::Reason;
use crate::policy::{Module, Need, Networks, Policy};

/// The block; mode and digest are for a caller whom the route made prove himself.
pub(crate) fn status(policy: &Policy, module: &Arc<Module>, proven: bool) -> Reply {
    let needs: Vec<&Need> = module.rules.iter().flat_map(|rule| rule.access.needs()).collect();
    let mut networks: Vec<_> =
        needs.iter().flat_map(|need| &need.addresses).flat_map(Networks::iter).collect();
    networks.sort();
    networks.dedup();
    let mut body = json!({
        "status": "ok",
        "module": module.name,
        "security": {
            "service_api_key_required": needs.iter().any(|need| !need.api_keys.is_empty()),
            "ip_whitelist_enabled": !networks.is_empty(),
            "allowed_ips_count": networks.len(),
            "token_required": needs.iter().any(|need| need.token.is_some()),
        },
    });
    if let (true, Some(body)) = (proven, body.as_object_mut()) {
        body.insert("mode".to_owned(), module.mode.as_str().into());
        body.insert("policy".to_owned(), policy.digest().into());
    }
    Reply::of(Reason::StatusAnswered, Some(module)).with_json(&body)
}
