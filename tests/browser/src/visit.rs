//! A visitor with a browser of his own: what he opens, does and sees.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::error::WebDriverErrorInner;
use thirtyfour::prelude::*;

use crate::chromium;
use crate::traces::Traces;

/// How long anything may take that is waited for, on a machine that has other work as well.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The browsers that a visit can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    Chromium,
    Firefox,
}

/// A browser and the folder of its profile, downloads and net log.
pub struct Visit {
    pub driver: WebDriver,
    browser: Browser,
    folder: tempfile::TempDir,
}

impl Visit {
    pub fn new(driver: WebDriver, browser: Browser, folder: tempfile::TempDir) -> Self {
        Self { driver, browser, folder }
    }

    /// A name that no other visit has.
    pub fn name(&self) -> String {
        self.folder.path().file_name().unwrap_or_default().display().to_string()
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

    /// Clicks once nothing lies over the element: a page that loads has veils.
    pub async fn click(&self, css: &str) {
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = self.element(css).await.click().await {
            let veiled = matches!(*error, WebDriverErrorInner::ElementClickIntercepted(_));
            assert!(veiled && Instant::now() < deadline, "{css}: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Puts a text in place of a field's.
    pub async fn fill(&self, css: &str, text: &str) {
        let field = self.element(css).await;
        field.send_keys(Key::Control + "a").await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// The window as a phone's, or another's. Firefox has windows alone, and none as narrow as a phone.
    pub async fn resize(&self, width: u32, height: u32, scale: f64, mobile: bool) {
        if self.browser == Browser::Firefox {
            return self.driver.set_window_rect(0, 0, width, height).await.unwrap();
        }
        let metrics = json!({
            "width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile,
        });
        self.cdp("Emulation.setDeviceMetricsOverride", metrics).await;
    }

    /// A command to Chromium itself (Chrome DevTools Protocol).
    pub async fn cdp(&self, command: &str, parameters: Value) -> Value {
        let answer = self.driver.cdp().send_raw(command, parameters).await;
        answer.unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// The folder in which downloads arrive.
    pub fn downloads(&self) -> PathBuf {
        chromium::downloads(self.folder.path())
    }

    /// What stands on the page, for messages of failed tests.
    pub async fn seen(&self) -> String {
        let script = "return [location.href, document.body.innerText.slice(0, 600),
            ...(globalThis.seen?.states ?? [])].join('\\n')";
        match self.driver.execute(script, Vec::new()).await {
            Ok(seen) => seen.json().as_str().unwrap_or_default().to_owned(),
            Err(error) => error.to_string(),
        }
    }

    /// Ends the browser.
    pub async fn end(self) -> Traces {
        self.driver.quit().await.unwrap();
        Traces::of(self.browser, self.folder)
    }
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
