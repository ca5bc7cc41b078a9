//! Redis, the service and two nodes, started for one test.

use std::net::SocketAddr;
use std::path::Path;

use limitador::limit::Limit;
use vigile_limits_tests::limits;
use vigile_limits_tests::nodes::Nodes;
use vigile_limits_tests::redis_server::RedisServer;
use vigile_limits_tests::service::{Manner, Service};
use vigile_tests::policies::project;

pub(crate) struct Stage {
    pub(crate) nodes: Nodes,
    pub(crate) service: Service,
    pub(crate) redis: RedisServer,
}

impl Stage {
    /// The sample as it stands, and a service as limitador-server.
    pub(crate) fn new(redis: &Path) -> Self {
        Self::of(redis, limitador(), Manner::Headers, Nodes::start)
    }

    /// The same with a service as envoyproxy/ratelimit.
    pub(crate) fn with_statuses(redis: &Path) -> Self {
        Self::of(redis, ratelimit(), Manner::Statuses, Nodes::start)
    }

    /// The sample as it stands, and limits whose minutes are hours: no window ends under a test that sends
    /// much, however slow the machine.
    pub(crate) fn patient(redis: &Path) -> Self {
        Self::of(redis, patient(), Manner::Headers, Nodes::start)
    }

    /// The same, and each filter does the other thing while nobody counts.
    pub(crate) fn turned_round(redis: &Path) -> Self {
        let nodes = |service| {
            Nodes::with(service, |sample| {
                let [refuse, pass] =
                    ["true", "false"].map(|mode| format!("failure_mode_deny: {mode}\n"));
                let sample = sample.with(&refuse, "failure_mode_deny: off\n");
                sample.with(&pass, &refuse).with("failure_mode_deny: off\n", &pass)
            })
        };
        Self::of(redis, patient(), Manner::Headers, nodes)
    }

    /// The same, and each node takes the address of callers from a proxy before it.
    pub(crate) fn behind_a_proxy(redis: &Path) -> Self {
        let own = "use_remote_address: true\n";
        let new = format!("{own}                xff_num_trusted_hops: 1\n");
        let nodes = |service| Nodes::with(service, |sample| sample.with(own, &new));
        Self::of(redis, patient(), Manner::Headers, nodes)
    }

    fn of(
        redis: &Path,
        limits: Vec<Limit>,
        manner: Manner,
        nodes: impl Fn(SocketAddr) -> Nodes,
    ) -> Self {
        let redis = RedisServer::start(redis);
        let service = Service::start(limits, manner, &redis.address());
        Self { nodes: nodes(service.address()), service, redis }
    }
}

pub(crate) fn limitador() -> Vec<Limit> {
    limits::limitador(&file("limitador/limits.yaml"))
}

pub(crate) fn ratelimit() -> Vec<Limit> {
    limits::ratelimit(&file("ratelimit/config.yaml"))
}

fn patient() -> Vec<Limit> {
    limits::limitador(&file("limitador/limits.yaml").replace("seconds: 60\n", "seconds: 3600\n"))
}

fn file(name: &str) -> String {
    std::fs::read_to_string(project().join("envoy/shared-limits").join(name)).unwrap()
}
