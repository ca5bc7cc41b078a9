//! What a visitor sees who opens the module's address in a tab: scenario 1 of 000_c7cfb956090c32fd.txt.

use std::time::{Duration, Instant};

use serde_json::json;
use thirtyfour::prelude::*;
use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::stage::{Stage, Variant};
use vigile_browser_tests::visit::{PATIENCE, Visit};

use super::block_page::{is_page, link, overflow};

const ADDRESS: &str = "https://stablediffusion.regispailler.fr/";
const PLATFORM: &str = "https://iahome.fr/";

/// The page leads to the platform by itself, and the platform stands there alone.
pub(crate) fn leads_to_the_platform(stage: &Stage) {
    let traces = stage.visit(&Settings::french(), Variant::AsItStands, async |visit| {
        let opened = Instant::now();
        visit.open(ADDRESS).await;
        is_page(visit, "fr", "Accès refusé", "embed.top_level").await;
        visit.until(&format!("return location.href === '{PLATFORM}'")).await;
        assert!(opened.elapsed() >= Duration::from_secs(8), "time to read it");
        let frames = "return [top === window, frames.length, frames[0].location.href]";
        assert_eq!(visit.value(frames).await, json!([true, 1, "about:blank"]));
    });
    assert_eq!(traces.breaches(), Vec::<String>::new());
}

/// Without scripts nothing could stop it, so nothing leads away; the link does.
pub(crate) fn leads_to_the_platform_without_scripts(stage: &Stage) {
    stage.visit(&Settings::english(), Variant::AsItStands, async |visit| {
        visit.cdp("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
        visit.open(ADDRESS).await;
        let soon = visit.driver.find(By::Css(".soon")).await.unwrap();
        assert!(!soon.is_displayed().await.unwrap());
        let source = visit.driver.source().await.unwrap();
        assert!(!source.contains("http-equiv"), "{source}");
        visit.driver.find(By::Css("main a")).await.unwrap().click().await.unwrap();
        let deadline = Instant::now() + PATIENCE;
        while visit.driver.current_url().await.unwrap().as_str() != PLATFORM {
            assert!(Instant::now() < deadline, "it leads nowhere");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    });
}

/// In French, on a phone.
pub(crate) fn on_a_phone(stage: &Stage) {
    let traces = stage.visit(&Settings::french(), Variant::AsItStands, async |visit| {
        stay(visit).await;
        visit.resize(360, 640, 2.0, true).await;
        visit.open(ADDRESS).await;
        is_page(visit, "fr", "Accès refusé", "embed.top_level").await;
        let [text, address, target, _] = link(visit).await;
        assert_eq!(text.as_deref(), Some("Retour à iahome.fr"));
        assert_eq!((address.as_deref(), target), (Some("https://iahome.fr"), None));
        assert_eq!(overflow(visit).await, json!([0, 0]), "all of it fits");
        visit.picture("block-page-phone").await;
    });
    assert_eq!(traces.breaches(), Vec::<String>::new());
}

/// In English, light and dark, left by the keyboard.
pub(crate) fn left_by_keyboard(stage: &Stage) {
    let traces = stage.visit(&Settings::english(), Variant::AsItStands, async |visit| {
        stay(visit).await;
        visit.resize(1000, 640, 1.0, false).await;
        visit.open(ADDRESS).await;
        is_page(visit, "en", "Access refused", "embed.top_level").await;
        visit.picture("block-page").await;
        let dark = json!({ "features": [{ "name": "prefers-color-scheme", "value": "dark" }] });
        visit.cdp("Emulation.setEmulatedMedia", dark).await;
        visit.picture("block-page-dark").await;
        visit.driver.action_chain().send_keys(Key::Tab + "").perform().await.unwrap();
        let focus = "const { textContent } = document.activeElement;
            return [textContent, getComputedStyle(document.activeElement).outlineStyle]";
        assert_eq!(visit.value(focus).await, json!(["Go to iahome.fr", "solid"]));
        visit.picture("block-page-focus").await;
        // WCAG 2.2.1: whoever needs more than the eight seconds can stop them.
        visit.driver.action_chain().send_keys(Key::Tab + "").perform().await.unwrap();
        assert_eq!(visit.value(focus).await, json!(["Stay here", "solid"]));
        visit.driver.action_chain().send_keys(Key::Enter + "").perform().await.unwrap();
        let stayed = "const { stopped, leaving } = globalThis;
            return [stopped === leaving, document.querySelector('.soon').hidden, document.activeElement.textContent]";
        assert_eq!(visit.value(stayed).await, json!([true, true, "Go to iahome.fr"]));
        visit.driver.action_chain().send_keys(Key::Enter + "").perform().await.unwrap();
        visit.until(&format!("return location.href === '{PLATFORM}'")).await;
    });
    assert_eq!(traces.breaches(), Vec::<String>::new());
}

/// Has the page wait longer than a slow machine needs to look at it. Its own eight seconds are for
/// `leads_to_the_platform`.
async fn stay(visit: &Visit) {
    let source = "{
        const [wait, stop] = [setTimeout, clearTimeout];
        globalThis.setTimeout = (run, after) =>
            after === 8000 ? (globalThis.leaving = wait(run, 600_000)) : wait(run, after);
        globalThis.clearTimeout = (timer) => stop((globalThis.stopped = timer));
    }";
    visit.cdp("Page.addScriptToEvaluateOnNewDocument", json!({ "source": source })).await;
}
