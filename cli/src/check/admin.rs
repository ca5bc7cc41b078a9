//! The admin interface: it shows the config and stops Envoy, for whoever reaches it.

use super::Finding;
use crate::config::{Config, is_local_address};

pub(super) fn find(config: &Config<'_>) -> Vec<Finding> {
    let address = config.root.at(&["admin", "address"]);
    let open = address.filter(|address| !is_local_address(address));
    let finding = open.map(|address| {
        let place = address.at(&["socket_address", "address"]).unwrap_or(address);
        Finding::error(
            &place,
            "whoever reaches the admin interface reads the config and stops Envoy: 127.0.0.1, or a pipe",
        )
    });
    finding.into_iter().collect()
}
