//! A visitor with a browser of his own: what he opens, does and sees.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::chromium;
use crate::netlog::NetLog;

/// How long anything may take that a page is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser and the folder of its profile, downloads and net log.
pub struct Visit {
    pub driver: WebDriver,
    folder: tempfile::TempDir,
}

/// What a browser leaves behind when it has ended.
pub struct Traces {
    folder: tempfile::TempDir,
}

impl Visit {
    pub fn new(driver: WebDriver, folder: tempfile::TempDir) -> Self {
        Self { driver, folder }
    }

    /// Types an address.
    pub async fn open(&self, address: &str) {
        self.driver.goto(address).await.unwrap();
    }

    /// Opens another tab and goes there.
    pub async fn new_tab(&self) -> WindowHandle {
        let tab = self.driver.new_tab().await.unwrap();
        self.driver.switch_to_window(tab.clone()).await.unwrap();
        tab
    }

    /// Goes into a frame.
    pub async fn enter(&self, css: &str) {
        self.driver.enter_default_frame().await.unwrap();
        self.element(css).await.enter_frame().await.unwrap();
    }

    /// Goes back to the page of the tab.
    pub async fn leave(&self) {
        self.driver.enter_default_frame().await.unwrap();
    }

    /// What a script returns in the page or frame that the visitor is in.
    pub async fn value(&self, script: &str) -> Value {
        let answer = self.driver.execute(script, Vec::new()).await;
        answer.unwrap_or_else(|error| panic!("{script}: {error}")).json().clone()
    }

    /// The same, as text.
    pub async fn text(&self, script: &str) -> String {
        match self.value(script).await {
            Value::String(text) => text,
            other => other.to_string(),
        }
    }

    /// Waits until a script returns something that is neither false, null, 0 nor empty.
    pub async fn until(&self, script: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // Between two documents there is none to ask.
            let answer = self.driver.execute(script, Vec::new()).await;
            match &answer {
                Ok(answer) if truthy(answer.json()) => return answer.json().clone(),
                _ if Instant::now() > deadline => {
                    panic!("never: {script}\n{answer:?}\n{}", self.seen().await)
                }
                _ => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// The first element, once it is there.
    pub async fn element(&self, css: &str) -> WebElement {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.driver.find(By::Css(css)).await {
                Ok(element) => return element,
                Err(error) if Instant::now() > deadline => {
                    panic!("{css}: {error}\n{}", self.seen().await)
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    pub async fn click(&self, css: &str) {
        self.element(css).await.click().await.unwrap();
    }

    /// Puts a text in place of a field's.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.element(css).await;
        field.send_keys(Key::Control + "a").await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// The window as a phone's, or another's.
    pub async fn resize(&self, width: u32, height: u32, scale: f64, mobile: bool) {
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile,
        });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// A command to the browser itself (Chrome DevTools Protocol).
    pub async fn cdp(&self, command: &str, parameters: Value) -> Value {
        let answer = self.driver.cdp().send_raw(command, parameters).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// A picture of the window, in the folder of this run's pictures and, where the documentation shows
    /// it, under `docs/images/`.
    pub async fn picture(&self, name: &str) {
        let picture = self.driver.screenshot_as_png().await.unwrap();
        keep(&pictures(), name, &picture);
        let shown = ["visitor", "block-page", "block-page-frame"].contains(&name);
        if shown && std::env::var_os("VIGILE_WRITE_IMAGES").is_some() {
            keep(&vigile_tests::policies::project().join("docs/images"), name, &picture);
        }
    }

    /// A picture of one element.
    pub async fn picture_of(&self, css: &str, name: &str) {
        let picture = self.element(css).await.screenshot_as_png().await.unwrap();
        keep(&pictures(), name, &picture);
    }

    /// The folder in which downloads arrive.
    pub fn downloads(&self) -> PathBuf {
        chromium::downloads(self.folder.path())
    }

    /// What stands on the page, for messages of failed tests.
    pub async fn seen(&self) -> String {
        let script = "return location.href + '\\n' + document.body.innerText.slice(0, 600)";
        match self.driver.execute(script, Vec::new()).await {
            Ok(seen) => seen.json().as_str().unwrap_or_default().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    /// Ends the browser.
    pub async fn end(self) -> Traces {
        self.driver.quit().await.unwrap();
        Traces { folder: self.folder }
    }
}

impl Traces {
    /// What went over the network.
    pub fn net_log(&self) -> NetLog {
        NetLog::read(&chromium::net_log(self.folder.path()))
    }

    /// What the console said, of every frame; chromedriver's own log leaves out those of other sites.
    pub fn console(&self) -> Vec<String> {
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

/// Where this run's pictures go.
pub fn pictures() -> PathBuf {
    vigile_tests::policies::project().join("target/browser")
}

fn keep(folder: &Path, name: &str, picture: &[u8]) {
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join(format!("{name}.png")), picture).unwrap();
}

fn truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(_) => true,
    }
}
