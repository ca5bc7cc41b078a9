//! The library under `vigile`: what the command line does, for it and for the tests.

pub mod check;
pub mod command;
pub mod config;
pub mod demo;
pub mod find;
pub mod log_format;
pub mod mint;
pub mod pages;
pub mod policy;
pub mod proxy;
pub mod sample;
mod system;
mod when;
pub mod yaml;
