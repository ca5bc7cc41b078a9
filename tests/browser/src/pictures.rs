//! Pictures of what a visitor sees.

use std::path::{Path, PathBuf};

use vigile_tests::policies::project;

use crate::visit::Visit;

/// Those that the documentation shows: written to `docs/images/` where `VIGILE_WRITE_IMAGES` is set.
const SHOWN: [&str; 6] = [
    "visitor",
    "block-page",
    "block-page-frame",
    "block-page-phone",
    "unreachable-frame",
    "cookie-blocked-frame",
];

/// Where this run's pictures go.
pub fn folder() -> PathBuf {
    project().join("target/browser")
}

impl Visit {
    /// A picture of the window.
    pub async fn picture(&self, name: &str) {
        let picture = self.driver.screenshot_as_png().await.unwrap();
        keep(&folder(), name, &picture);
        if SHOWN.contains(&name) && std::env::var_os("VIGILE_WRITE_IMAGES").is_some() {
            keep(&project().join("docs/images"), name, &picture);
        }
    }

    /// A picture of one element.
    pub async fn picture_of(&self, css: &str, name: &str) {
        let picture = self.element(css).await.screenshot_as_png().await.unwrap();
        keep(&folder(), name, &picture);
    }
}

fn keep(folder: &Path, name: &str, picture: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
}
