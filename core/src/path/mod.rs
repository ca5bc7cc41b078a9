//! Paths: the patterns of routes, and what a backend could make of the path of a request.

mod letters;
mod marks;
mod pattern;
#[cfg(test)]
mod properties;
mod readings;
mod steps;
mod table;

pub(crate) use pattern::Case;
pub use pattern::{Pattern, Prefix};
pub(crate) use readings::{Unreadable, readings};
pub(crate) use steps::decoded;
pub use table::Table;
