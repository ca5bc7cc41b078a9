//! The app inside the platform's frame, most often Gradio, as its visitor uses it.

use std::time::{Duration, Instant};

use serde_json::Value;
use thirtyfour::Key;

use crate::visit::{PATIENCE, Visit};

/// The platform's frame.
pub const FRAME: &str = "iframe#module";

impl Visit {
    /// Opens the platform's page for a user, with these parameters, and goes into the frame.
    pub async fn open_frame(&self, user: &str, parameters: &str) {
        self.open(&format!("https://iahome.fr/?user={user}&{parameters}")).await;
        self.enter(FRAME).await;
    }

    /// The same, once Gradio is there.
    pub async fn open_module(&self, user: &str, parameters: &str) {
        self.open_frame(user, parameters).await;
        self.until("return document.querySelector('#generate') !== null").await;
    }

    /// The same where Gradio asks for a login first.
    pub async fn open_login(&self, user: &str) {
        self.open_frame(user, "").await;
        self.until("return document.querySelector('input[type=password]') !== null").await;
    }

    /// Of what the platform's page was told, the refusals: origin and reason. The app has messages of its own.
    pub async fn refusals(&self) -> Value {
        self.leave().await;
        self.value(
            "return seen.messages.filter(({ data }) => data?.type === 'vigile:refused')
                 .map(({ origin, data }) => [origin, data.reason])",
        )
        .await
    }

    /// Puts another site's page into the platform's, as an advertisement or another module would be.
    pub async fn add_advert(&self, address: &str) {
        self.leave().await;
        self.value(&format!(
            "const advert = document.createElement('iframe');
             advert.id = 'advert';
             advert.src = {address:?};
             document.body.append(advert)"
        ))
        .await;
        self.enter("#advert").await;
    }

    /// Has the platform end the session in so many seconds, from outside the frame.
    pub async fn end_in(&self, seconds: u32) {
        self.leave().await;
        assert_eq!(self.value(&format!("return endIn({seconds})")).await, 204);
        self.enter(FRAME).await;
    }

    /// Waits until the session of the platform's first token has ended, or of a later one.
    pub async fn outlive(&self, token: usize) {
        self.leave().await;
        self.until(&format!("return Date.now() > seen.ends[{token}] + 1000")).await;
        self.enter(FRAME).await;
    }

    /// Has a picture generated, in so many steps.
    pub async fn generate(&self, prompt: &str, steps: u32) {
        self.fill("#prompt textarea", prompt).await;
        self.fill("#steps input[type=number]", &format!("{steps}{}", char::from(Key::Tab))).await;
        self.click("#generate").await;
    }

    /// Waits for the caption, in which the app names its user.
    pub async fn caption(&self, caption: &str) {
        let script = "return document.querySelector('#caption textarea').value === ";
        self.until(&format!("{script}{caption:?}")).await;
    }

    /// Waits for the picture, and gives its bytes as the page reads them.
    pub async fn image(&self) -> Vec<u8> {
        self.until(
            "const image = document.querySelector('#image img');
             return image && image.complete && image.naturalWidth === 384",
        )
        .await;
        let bytes = self
            .until(
                "if (!window.imageBytes) window.imageBytes = fetch(document.querySelector('#image img').src)
                    .then(answer => answer.arrayBuffer())
                    .then(buffer => Array.from(new Uint8Array(buffer)));
                 return window.imageBytes",
            )
            .await;
        bytes.as_array().unwrap().iter().map(|byte| byte.as_u64().unwrap() as u8).collect()
    }

    /// Waits for a file among the downloads.
    pub async fn downloaded(&self, name: &str) -> Vec<u8> {
        let file = self.downloads().join(name);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match std::fs::read(&file) {
                // Firefox makes the file before it has the bytes.
                Ok(bytes) if !bytes.is_empty() => return bytes,
                other => assert!(Instant::now() < deadline, "{}: {other:?}", file.display()),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
