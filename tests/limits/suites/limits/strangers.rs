//! Many addresses: what an attacker who has them can do to a limit, and to the Redis that counts.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::Path;

use vigile_limits_tests::nodes::Call;

use super::stage::Stage;

/// One caller uses up his five. 10,000 others come, and he still gets no sixth; every count that they made in
/// Redis ends by itself.
pub(crate) fn ten_thousand(redis: &Path) {
    let stage = Stage::behind_a_proxy(redis);
    let own = Call::login().forwarded_for(Ipv4Addr::new(203, 0, 113, 7));
    assert_eq!(stage.nodes.in_turn(&own, 6), [200, 200, 200, 200, 200, 429]);
    let mut connections = [0, 1].map(|node| stage.nodes.connect(node, own.from));
    for number in 0..10_000_u32 {
        let address = Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)) + number);
        let status =
            connections[number as usize % 2].send(&Call::login().forwarded_for(address)).status;
        assert_eq!(status, 200, "{address}");
    }
    assert_eq!(stage.nodes.in_turn(&own, 2), [429; 2], "a second sixth");
    let mut client = stage.redis.client();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut client).unwrap();
    assert_eq!(keys.len(), 10_001);
    for key in keys {
        let seconds: i64 = redis::cmd("TTL").arg(&key).query(&mut client).unwrap();
        assert!((1..=3600).contains(&seconds), "{key} ends in {seconds} seconds; -1 is never");
    }
}

/// Whoever has an IPv6 address has a network of them.
pub(crate) fn one_network(redis: &Path) {
    let stage = Stage::behind_a_proxy(redis);
    let from = |network: u16, host: u16| {
        Call::login().forwarded_for(Ipv6Addr::new(0x2001, 0xdb8, 0, network, 0, 0, 0, host))
    };
    let statuses =
        (1..=6).map(|host| stage.nodes.send(usize::from(host % 2), &from(1, host)).status);
    assert_eq!(statuses.collect::<Vec<_>>(), [200, 200, 200, 200, 200, 429]);
    assert_eq!(stage.nodes.in_turn(&from(2, 1), 2), [200; 2], "another network");
}
