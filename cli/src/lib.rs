//! The library under `vigile`: what the command line does, for it and for the tests.

pub mod config;
pub mod find;
pub mod mint;
pub mod policy;
pub mod yaml;
