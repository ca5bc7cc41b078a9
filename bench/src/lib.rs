//! What Vigile costs in Envoy, beside what Envoy's own filters cost that do the same.

pub mod case;
pub mod client;
pub mod conditions;
pub mod cpu;
pub mod latency;
pub mod measure;
pub mod memory;
pub mod native;
pub mod plot;
pub mod policy;
pub mod quartiles;
pub mod report;
pub mod stand;
pub mod startup;
pub mod tables;
pub mod tokens;
pub mod wrk;
