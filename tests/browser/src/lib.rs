//! A visitor: a real Chromium or Firefox, a platform, a hostile site, and real apps behind a real Envoy.

pub mod chromium;
pub mod firefox;
pub mod frame;
pub mod names;
pub mod netlog;
pub mod pictures;
pub mod platform;
pub mod programs;
pub mod served;
pub mod site;
pub mod stage;
pub mod tls;
pub mod traces;
pub mod trials;
pub mod visit;
pub mod worker;
