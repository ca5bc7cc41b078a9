//! Paths: the patterns of routes, and what a backend could make of the path of a request.

mod pattern;
#[cfg(test)]
mod properties;
mod readings;

pub(crate) use pattern::Case;
pub use pattern::{Pattern, Prefix};
pub(crate) use readings::{Unreadable, decoded, readings};
