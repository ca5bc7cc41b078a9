//! What a browser leaves behind when it has ended.

use std::path::{Path, PathBuf};

use crate::chromium;
use crate::netlog::NetLog;
use crate::visit::Browser;

/// The folder of a browser's profile, downloads and net log.
pub struct Traces {
    browser: Browser,
    folder: tempfile::TempDir,
}

impl Traces {
    pub fn of(browser: Browser, folder: tempfile::TempDir) -> Self {
        Self { browser, folder }
    }

    /// What went over the network, by Chromium's own log: Firefox writes none.
    pub fn net_log(&self) -> NetLog {
        NetLog::read(&chromium::net_log(self.folder.path()))
    }

    /// What the console said, of every frame; chromedriver's own log leaves out those of other sites.
    /// Firefox prints nothing of it.
    pub fn console(&self) -> Vec<String> {
        if self.browser == Browser::Firefox {
            return Vec::new();
        }
        let text = std::fs::read(chromium::console(self.folder.path())).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().filter(|line| line.contains("CONSOLE")).map(str::to_owned).collect()
    }

    /// What of it tells of a breach of a Content-Security-Policy.
    pub fn breaches(&self) -> Vec<String> {
        let all = self.console().into_iter();
        all.filter(|line| line.contains("Content Security Policy")).collect()
    }

    /// The files of the profile in which a text stands.
    pub fn files_with(&self, text: &str) -> Vec<PathBuf> {
        let mut found = Vec::new();
        search(&chromium::profile(self.folder.path()), text.as_bytes(), &mut found);
        found
    }
}

fn search(folder: &Path, text: &[u8], found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => search(&path, text, found),
            Ok(kind)
                if kind.is_file() && holds(&std::fs::read(&path).unwrap_or_default(), text) =>
            {
                found.push(path);
            }
            _ => {}
        }
    }
}

/// Whether a text stands in bytes.
pub fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}
