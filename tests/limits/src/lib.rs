//! Limits across nodes: several real Envoys with the sample `envoy/shared-limits`, a real Redis, and between
//! them a rate-limit service that is small and real. It reads the sample's own files: what a user's service
//! would be given.

pub mod limits;
pub mod nodes;
pub mod redis_server;
pub mod service;
