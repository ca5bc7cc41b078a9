//! The samples under `envoy/`: what `vigile init` writes and `vigile demo` runs.
//!
//! A sample is a template: `${NAME}` stands for whatever differs from one machine to another, and
//! `envoy/.env.example` has a value for each. It is text with comments worth keeping, so it is filled in
//! as text, and whole blocks are found by their indentation. A block that is not found is an error, never
//! passed over.

mod blocks;
mod env_file;
mod ocr;
mod quota;
mod render;
mod stable_diffusion;

use std::collections::BTreeMap;
use std::fmt;

pub use env_file::{Unread, variables};
pub use ocr::Ocr;
pub use quota::Quota;
pub use render::{Unfilled, named, places, render};
pub use stable_diffusion::StableDiffusion;

/// Why a sample could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unwritten {
    /// A line that was to be changed is not there: the sample has changed.
    NotFound(String),
    /// Places without a value, or with one that YAML could read in another way.
    Unfilled(Vec<Unfilled>),
}

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(line) => write!(f, "the sample does not hold {line:?}"),
            Self::Unfilled(places) => {
                let lines: Vec<String> = places.iter().map(ToString::to_string).collect();
                f.write_str(&lines.join("\n"))
            }
        }
    }
}

/// A file of the samples, as it is in the repository.
const EXAMPLE: &str = include_str!("../../../envoy/.env.example");
const STABLE_DIFFUSION: &str = include_str!("../../../envoy/stable-diffusion/envoy.yaml");
const OCR: &str = include_str!("../../../envoy/ocr/envoy.yaml");
const OCR_LEVELS: [&str; 3] = [
    include_str!("../../../envoy/ocr/level-1.yaml"),
    include_str!("../../../envoy/ocr/level-2.yaml"),
    include_str!("../../../envoy/ocr/level-3.yaml"),
];

/// The values of `envoy/.env.example`, one for every `${NAME}` of every sample.
pub fn example() -> BTreeMap<String, String> {
    variables(EXAMPLE).0
}

/// A sample with these values, and those of the example where there is none.
fn filled<const N: usize>(text: &str, values: [(&str, String); N]) -> Result<String, Unwritten> {
    let mut all = example();
    all.extend(values.map(|(name, value)| (name.to_owned(), value)));
    render(text, &all).map_err(Unwritten::Unfilled)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_is_read_without_a_mistake() {
        assert_eq!(super::variables(super::EXAMPLE).1, []);
    }
}
