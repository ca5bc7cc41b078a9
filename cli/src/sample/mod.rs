//! The samples under `envoy/`, with other names: what `vigile init` writes and `vigile demo` runs.
//!
//! A sample is text with comments worth keeping, so it is changed as text: known words for others, and
//! whole blocks by their indentation. A word or block that is not found is an error, never passed over:
//! a sample that changed must not leave its old names behind.

mod blocks;
mod env_file;
mod ocr;
mod render;
mod stable_diffusion;

pub use env_file::{Unread, variables};
pub use ocr::Ocr;
pub use render::{Unfilled, is_name, places, render};
pub use stable_diffusion::StableDiffusion;

/// A word of a sample that was to be replaced and is not there: the sample has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotFound(pub String);

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the sample does not hold {:?}", self.0)
    }
}

/// A file of a sample, as it is in the repository.
const STABLE_DIFFUSION: &str = include_str!("../../../envoy/stable-diffusion/envoy.yaml");
const OCR: &str = include_str!("../../../envoy/ocr/envoy.yaml");
const OCR_LEVELS: [&str; 3] = [
    include_str!("../../../envoy/ocr/level-1.yaml"),
    include_str!("../../../envoy/ocr/level-2.yaml"),
    include_str!("../../../envoy/ocr/level-3.yaml"),
];

/// Replaces each word by another, everywhere.
fn replaced(text: &str, words: &[(&str, &str)]) -> Result<String, NotFound> {
    let mut text = text.to_owned();
    for (from, to) in words {
        if !text.contains(from) {
            return Err(NotFound((*from).to_owned()));
        }
        text = text.replace(from, to);
    }
    Ok(text)
}
