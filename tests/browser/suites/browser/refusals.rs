//! What a visitor sees who may not come in: in a tab, and in the platform's frame.

use std::time::{Duration, Instant};

use serde_json::json;
use thirtyfour::prelude::*;
use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::frame::FRAME;
use vigile_browser_tests::stage::{Stage, Variant};
use vigile_browser_tests::visit::Visit;

const ADDRESS: &str = "https://stablediffusion.regispailler.fr/";
const ORIGIN: &str = "https://stablediffusion.regispailler.fr";

/// Scenario 1 of 000_c7cfb956090c32fd.txt: the page leads to the platform by itself.
pub(crate) fn direct_access_in_french(stage: &Stage) {
    let traces = stage.visit(&Settings::french(), Variant::AsItStands, async |visit| {
        let opened = Instant::now();
        visit.open(ADDRESS).await;
        is_page(visit, "fr", "Accès refusé", "embed.top_level").await;
        let link = visit.element("a").await;
        assert_eq!(link.text().await.unwrap(), "Retour à iahome.fr");
        assert_eq!(link.attr("href").await.unwrap().as_deref(), Some("https://iahome.fr"));
        assert_eq!(link.attr("target").await.unwrap(), None);
        visit.resize(360, 640, 2.0, true).await;
        visit.picture("block-page-phone").await;
        assert_eq!(overflow(visit).await, json!([0, 0]), "all of it fits a phone");
        visit.until("return location.href === 'https://iahome.fr/'").await;
        let waited = opened.elapsed();
        assert!(waited > Duration::from_secs(8) && waited < Duration::from_secs(14), "{waited:?}");
        assert_eq!(visit.value("return window.top === window").await, true);
    });
    assert_eq!(traces.breaches(), Vec::<String>::new());
}

/// The same in English, left by the keyboard.
pub(crate) fn direct_access_in_english(stage: &Stage) {
    let traces = stage.visit(&Settings::english(), Variant::AsItStands, async |visit| {
        visit.resize(1280, 800, 1.0, false).await;
        visit.open(ADDRESS).await;
        is_page(visit, "en", "Access refused", "embed.top_level").await;
        visit.picture("block-page").await;
        let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
        visit.cdp("Emulation.setEmulatedMedia", dark).await;
        visit.picture("block-page-dark").await;
        press_tab(visit).await;
        assert_eq!(
            visit.text("return document.activeElement.textContent").await,
            "Go to iahome.fr"
        );
        let ring = "return getComputedStyle(document.activeElement).outlineStyle";
        assert_eq!(visit.text(ring).await, "solid", "the focus can be seen");
        visit.picture("block-page-focus").await;
        visit.element("a").await.send_keys(Key::Enter + "").await.unwrap();
        visit.until("return location.href === 'https://iahome.fr/'").await;
    });
    assert_eq!(traces.breaches(), Vec::<String>::new());
}

/// Scenario 2: the page stands in the frame and stays there, tells the platform, and its link opens a tab.
pub(crate) fn invalid_token_in_the_frame(stage: &Stage) {
    let traces = stage.visit(&Settings::french(), Variant::AsItStands, async |visit| {
        visit.open("https://iahome.fr/?user=forger&key=stranger").await;
        visit.enter(FRAME).await;
        is_page(visit, "fr", "Accès protégé", "token.signature").await;
        let link = visit.element("a").await;
        assert_eq!(link.attr("rel").await.unwrap().as_deref(), Some("noopener"));
        // Longer than the page of a tab would wait before it leads away.
        tokio::time::sleep(Duration::from_secs(9)).await;
        is_page(visit, "fr", "Accès protégé", "token.signature").await;
        assert_eq!(visit.value("return [window.length, top.length]").await, json!([0, 1]));
        visit.leave().await;
        let message = json!({ "type": "vigile:refused", "reason": "token.signature" });
        let messages = visit.value("return seen.messages").await;
        assert_eq!(messages, json!([{ "origin": ORIGIN, "data": message }]));
        visit.enter(FRAME).await;
        link_opens_a_tab(visit).await;
    });
    assert_eq!(traces.breaches(), Vec::<String>::new());
}

/// Scenario 3: the platform is told, and opens the frame again with a new token.
pub(crate) fn expired_token_in_the_frame(stage: &Stage) {
    let traces = stage.visit(&Settings::english(), Variant::AsItStands, async |visit| {
        visit.resize(1000, 640, 1.0, false).await;
        visit.open("https://iahome.fr/?user=late&life=-60").await;
        visit.enter(FRAME).await;
        is_page(visit, "en", "Session ended", "token.expired").await;
        visit.leave().await;
        visit.until("return seen.messages.length === 1").await;
        visit.picture("block-page-frame").await;
        visit.resize(1000, 900, 1.0, false).await;
        for (width, height) in [(480, 320), (360, 640), (320, 240)] {
            let size = format!(
                "frame.style = 'flex: none; width: {width}px; height: {height}px; min-height: 0'"
            );
            visit.value(&size).await;
            visit.picture_of(FRAME, &format!("block-page-frame-{width}x{height}")).await;
            visit.enter(FRAME).await;
            assert_eq!(overflow(visit).await, json!([0, 0]), "all of it fits {width}×{height}");
            visit.leave().await;
        }
        visit.click("#again").await;
        visit.enter(FRAME).await;
        visit.until("return document.querySelector('#generate') !== null").await;
    });
    assert_eq!(traces.breaches(), Vec::<String>::new());
}

/// A page of the module's own around the block page is not the platform: it hears nothing.
pub(crate) fn nobody_else_is_told(stage: &Stage) {
    stage.visit(&Settings::english(), Variant::AsItStands, async |visit| {
        visit.open_module("nora", "").await;
        visit
            .value(
                "window.heard = [];
                 addEventListener('message', event => heard.push(event.data));
                 const inner = document.createElement('iframe');
                 inner.id = 'inner';
                 inner.src = '/?token=no-token';
                 document.body.append(inner)",
            )
            .await;
        visit
            .until("return document.querySelector('#inner').contentDocument?.querySelector('h1') != null")
            .await;
        visit.value("postMessage('a word of its own', '*')").await;
        visit.until("return heard.includes('a word of its own')").await;
        let heard = visit.text("return JSON.stringify(heard)").await;
        assert!(!heard.contains("vigile:refused"), "{heard}");
        visit.leave().await;
        let told = visit.text("return JSON.stringify(seen.messages)").await;
        assert!(!told.contains("vigile:refused"), "{told}");
    });
}

/// The block page, and that its style and its script were allowed to run.
async fn is_page(visit: &Visit, language: &str, title: &str, reason: &str) {
    visit.until("return document.body && document.body.dataset.reason").await;
    let page = visit
        .value(
            "return [document.documentElement.lang, document.querySelector('h1').textContent,
                     document.body.dataset.reason]",
        )
        .await;
    assert_eq!(page, json!([language, title, reason]));
    let radius =
        visit.text("return getComputedStyle(document.querySelector('a')).borderRadius").await;
    assert_ne!(radius, "0px", "the style is applied");
}

/// By how many pixels the page is larger than its window.
async fn overflow(visit: &Visit) -> serde_json::Value {
    visit
        .value(
            "const page = document.documentElement;
             return [page.scrollWidth - page.clientWidth, page.scrollHeight - page.clientHeight]",
        )
        .await
}

async fn press_tab(visit: &Visit) {
    visit.driver.action_chain().send_keys(Key::Tab + "").perform().await.unwrap();
}

async fn link_opens_a_tab(visit: &Visit) {
    visit.click("a").await;
    let handle = visit.driver.window().await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    let other = loop {
        let windows = visit.driver.windows().await.unwrap();
        if let Some(other) = windows.into_iter().find(|window| *window != handle) {
            break other;
        }
        assert!(Instant::now() < deadline, "the link opens no tab");
    };
    visit.driver.switch_to_window(other).await.unwrap();
    visit.until("return location.href === 'https://iahome.fr/'").await;
    assert_eq!(visit.value("return window.opener").await, serde_json::Value::Null);
}
