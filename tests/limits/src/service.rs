//! A rate-limit service: Envoy's protocol over tonic, limitador's reading of what applies, counts in Redis.
//!
//! It counts with one script per limit, so that a count and its end are one step and no two nodes can both be
//! the fifth. limitador's own Redis storage is not used: in limitador 0.14 it compiles only together with
//! RocksDB, and it looks at a count and raises it in two steps.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::HeaderValue;
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_response::{
    Code, DescriptorStatus, RateLimit, rate_limit::Unit,
};
use envoy_types::pb::envoy::service::ratelimit::v3::rate_limit_service_server::{
    RateLimitService, RateLimitServiceServer,
};
use envoy_types::pb::envoy::service::ratelimit::v3::{RateLimitRequest, RateLimitResponse};
use limitador::CheckResult;
use limitador::counter::Counter;
use limitador::limit::{Context, Limit};
use redis::aio::MultiplexedConnection;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;
use tonic::{Request, Response, Status};

/// Where a service says what is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// In headers that it hands over ready: limitador-server with `--rate-limit-headers DRAFT_VERSION_03`.
    Headers,
    /// In the protocol's own members, of which Envoy makes the headers: envoyproxy/ratelimit.
    Statuses,
}

/// A running service; it ends with this value.
pub struct Service {
    address: SocketAddr,
    limiter: Limiter,
    runtime: Option<Runtime>,
}

impl Service {
    /// Starts on a port that the system chooses.
    pub fn start(limits: Vec<Limit>, manner: Manner, redis: &str) -> Self {
        let limits = limits.into_iter().map(Arc::new).collect();
        let redis = redis::Client::open(redis).unwrap();
        let limiter = Limiter { limits, manner, redis, connection: Arc::default() };
        let mut service = Self { address: ([127, 0, 0, 1], 0).into(), limiter, runtime: None };
        service.start_again();
        service
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it as a killed process would: every connection is gone.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }

    /// On the port that it had.
    pub fn start_again(&mut self) {
        self.stop();
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind(self.address)).unwrap();
        self.address = listener.local_addr().unwrap();
        let limiter = Limiter { connection: Arc::default(), ..self.limiter.clone() };
        let server = Server::builder().add_service(RateLimitServiceServer::new(limiter));
        runtime.spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        self.runtime = Some(runtime);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stop();
    }
}

#[derive(Clone)]
struct Limiter {
    limits: Vec<Arc<Limit>>,
    manner: Manner,
    redis: redis::Client,
    /// Made when it is needed, and anew once it has failed.
    connection: Arc<Mutex<Option<MultiplexedConnection>>>,
}

/// The first request of a window begins it. Refused requests count too: they do not make it longer.
const COUNT: &str = "
    local count = redis.call('INCR', KEYS[1])
    if count == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
    return { count, redis.call('PTTL', KEYS[1]) }";

#[tonic::async_trait]
impl RateLimitService for Limiter {
    async fn should_rate_limit(
        &self,
        request: Request<RateLimitRequest>,
    ) -> Result<Response<RateLimitResponse>, Status> {
        let request = request.into_inner();
        let mut counters = self.counters(&request)?;
        let mut limited = false;
        for counter in &mut counters {
            let (count, left) = match self.count(counter).await {
                Ok(counted) => counted,
                // Envoy then does what the filter's failure_mode_deny says. An answer that does not know
                // would let the request pass, whatever that says.
                Err(error) => {
                    self.connection.lock().await.take();
                    return Err(Status::unavailable(error.to_string()));
                }
            };
            limited |= count > counter.max_value();
            counter.set_remaining(counter.max_value().saturating_sub(count));
            counter.set_expires_in(Duration::from_millis(left));
        }
        Ok(Response::new(self.answer(counters, limited)))
    }
}

impl Limiter {
    /// What the request is counted by, as limitador-server finds it.
    fn counters(&self, request: &RateLimitRequest) -> Result<Vec<Counter>, Status> {
        let entries = request.descriptors.iter().map(|descriptor| {
            let entries = descriptor.entries.iter();
            entries.map(|entry| (entry.key.clone(), entry.value.clone())).collect::<HashMap<_, _>>()
        });
        let mut context = Context::default();
        context.list_binding("descriptors".to_owned(), entries.collect());
        let of_domain =
            self.limits.iter().filter(|limit| limit.namespace().as_ref() == request.domain);
        let counters = of_domain.filter(|limit| limit.applies(&context)).filter_map(|limit| {
            Counter::new(Arc::clone(limit), &context)
                .map_err(|error| Status::internal(error.to_string()))
                .transpose()
        });
        counters.collect()
    }

    /// How often it was counted, this time included, and the milliseconds until it ends.
    async fn count(&self, counter: &Counter) -> redis::RedisResult<(u64, u64)> {
        let name = counter.limit().name().unwrap_or_default();
        let key = format!("{}/{name}/{:?}", counter.namespace().as_ref(), counter.set_variables());
        let mut connection = self.connection().await?;
        let mut script = redis::cmd("EVAL");
        script.arg(COUNT).arg(1).arg(key).arg(counter.window().as_secs());
        script.query_async(&mut connection).await
    }

    async fn connection(&self) -> redis::RedisResult<MultiplexedConnection> {
        let mut kept = self.connection.lock().await;
        match &*kept {
            Some(connection) => Ok(connection.clone()),
            None => Ok(kept.insert(self.redis.get_multiplexed_async_connection().await?).clone()),
        }
    }

    fn answer(&self, counters: Vec<Counter>, limited: bool) -> RateLimitResponse {
        let code = if limited { Code::OverLimit } else { Code::Ok };
        let mut answer = RateLimitResponse { overall_code: code.into(), ..Default::default() };
        match self.manner {
            Manner::Statuses => {
                answer.statuses = counters.iter().map(|counter| status(counter, code)).collect();
            }
            Manner::Headers => {
                let mut result = CheckResult { limited, counters, limit_name: None };
                let headers = result.response_header().into_iter();
                let headers =
                    headers.map(|(key, value)| HeaderValue { key, value, ..Default::default() });
                answer.response_headers_to_add = headers.collect();
            }
        }
        answer
    }
}

fn status(counter: &Counter, code: Code) -> DescriptorStatus {
    let unit = match counter.window().as_secs() {
        60 => Unit::Minute,
        3600 => Unit::Hour,
        86400 => Unit::Day,
        other => panic!("{other} seconds are no unit"),
    };
    let remaining = counter.remaining().unwrap_or_default();
    let left = counter.expires_in().unwrap_or_default();
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    DescriptorStatus {
        code: code.into(),
        current_limit: Some(RateLimit {
            name: String::new(),
            requests_per_unit: counter.max_value() as u32,
            unit: unit.into(),
        }),
        limit_remaining: remaining as u32,
        duration_until_reset: Some(envoy_types::pb::google::protobuf::Duration {
            seconds: seconds as i64,
            nanos: 0,
        }),
        ..Default::default()
    }
}
