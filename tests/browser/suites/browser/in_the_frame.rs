//! What a visitor sees in the platform's frame who may not come in.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::frame::FRAME;
use vigile_browser_tests::stage::{Stage, Variant};
use vigile_browser_tests::visit::{PATIENCE, Visit};

use super::block_page::{is_page, link, overflow};

const ORIGIN: &str = "https://stablediffusion.regispailler.fr";

/// Scenario 2 of 000_c7cfb956090c32fd.txt: the page stands in the frame and stays there, the platform is
/// told, and the link opens a tab.
pub(crate) fn invalid_token(stage: &Stage) {
    let traces = stage.visit(&Settings::french(), Variant::AsItStands, async |visit| {
        visit.open("https://iahome.fr/?user=forger&key=stranger&by-address").await;
        visit.until("return seen.refused.length").await;
        visit.enter(FRAME).await;
        is_page(visit, "fr", "Accès protégé", "token.signature").await;
        // Longer than the page of a tab would wait before it leads away.
        tokio::time::sleep(Duration::from_secs(9)).await;
        is_page(visit, "fr", "Accès protégé", "token.signature").await;
        assert_eq!(visit.value("return [window.length, top.length]").await, json!([0, 1]));
        assert_eq!(visit.refusals().await, json!([[ORIGIN, "token.signature"]]));
        assert_eq!(visit.value("return seen.refused").await, json!(["token.signature"]));
        visit.enter(FRAME).await;
        link_opens_a_tab(visit).await;
    });
    assert_eq!(traces.breaches(), Vec::<String>::new());
}

/// Scenario 3: the platform is told, and its script tries one new token, which has expired as well.
pub(crate) fn expired_token(stage: &Stage) {
    let traces = stage.visit(&Settings::english(), Variant::AsItStands, async |visit| {
        visit.resize(1000, 640, 1.0, false).await;
        visit.open("https://iahome.fr/?user=camille&life=-60&life=-60&told=3600&by-address").await;
        visit.until("return seen.refused.length").await;
        let twice = json!([[ORIGIN, "token.expired"], [ORIGIN, "token.expired"]]);
        assert_eq!(visit.refusals().await, twice);
        visit.enter(FRAME).await;
        is_page(visit, "en", "Session ended", "token.expired").await;
        visit.leave().await;
        visit.picture("block-page-frame").await;
        fits(visit).await;
    });
    assert_eq!(traces.breaches(), Vec::<String>::new());
}

/// All of the page is seen in small frames too.
async fn fits(visit: &Visit) {
    visit.resize(1000, 900, 1.0, false).await;
    for (width, height) in [(480, 320), (360, 640), (320, 240)] {
        let size = format!("flex: none; width: {width}px; height: {height}px; min-height: 0");
        visit.value(&format!("document.querySelector('{FRAME}').style = '{size}'")).await;
        visit.picture_of(FRAME, &format!("block-page-frame-{width}x{height}")).await;
        visit.enter(FRAME).await;
        assert_eq!(overflow(visit).await, json!([0, 0]), "all of it fits {width}×{height}");
        visit.leave().await;
    }
}

/// Where the new token is good, the visitor sees the app.
pub(crate) fn an_expired_token_is_mended(stage: &Stage) {
    stage.visit(&Settings::english(), Variant::AsItStands, async |visit| {
        visit.open_module("mended", "life=-60&told=3600&by-address").await;
        visit.generate("after all", 1).await;
        visit.caption("mended: after all").await;
        assert_eq!(visit.refusals().await, json!([[ORIGIN, "token.expired"]]));
        assert_eq!(visit.value("return seen.refused").await, json!([]));
    });
}

/// Where the session comes first, a token that is refused opens nothing: the script says why, and the frame stays empty.
pub(crate) fn refused_before_it_opens(stage: &Stage) {
    stage.visit(&Settings::english(), Variant::AsItStands, async |visit| {
        visit.open("https://iahome.fr/?user=fay&key=stranger").await;
        visit.until("return seen.refused.length").await;
        let states = json!(["opening", "refused token.signature"]);
        assert_eq!(visit.value("return seen.states").await, states);
        assert_eq!(visit.refusals().await, json!([]));
        visit.enter(FRAME).await;
        assert_eq!(visit.value("return location.href").await, json!("about:blank"));
    });
}

/// A page of the module's own around the block page is not the platform: it hears nothing.
pub(crate) fn nobody_else_is_told(stage: &Stage) {
    let good = stage.platform.mint("nora", 3600);
    // In the module's form: any other text would be the app's own.
    let forged = good.rsplit_once('.').map(|(claims, _)| format!("{claims}.{}", "A".repeat(43)));
    let source = format!("inner.src = '/?token={}';", forged.unwrap());
    stage.visit(&Settings::english(), Variant::AsItStands, async |visit| {
        visit.open_module("nora", "").await;
        visit
            .value(&format!(
                "window.heard = [];
                 addEventListener('message', event => heard.push(event.data));
                 const inner = document.createElement('iframe');
                 inner.id = 'inner';
                 {source}
                 document.body.append(inner)"
            ))
            .await;
        visit
            .until("return document.querySelector('#inner').contentDocument?.querySelector('h1') != null")
            .await;
        visit.value("postMessage('a word of its own', '*')").await;
        visit.until("return heard.includes('a word of its own')").await;
        let heard = visit.text("return JSON.stringify(heard)").await;
        assert!(!heard.contains("vigile:refused"), "{heard}");
        assert_eq!(visit.refusals().await, json!([]));
    });
}

async fn link_opens_a_tab(visit: &Visit) {
    let [_, _, target, rel] = link(visit).await;
    assert_eq!((target.as_deref(), rel.as_deref()), (Some("_blank"), Some("noopener")));
    let handle = visit.driver.window().await.unwrap();
    visit.click("a").await;
    let deadline = Instant::now() + PATIENCE;
    let other = loop {
        let windows = visit.driver.windows().await.unwrap();
        if let Some(other) = windows.into_iter().find(|window| *window != handle) {
            break other;
        }
        assert!(Instant::now() < deadline, "the link opens no tab");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    visit.driver.switch_to_window(other).await.unwrap();
    visit.until("return location.href === 'https://iahome.fr/'").await;
    assert_eq!(visit.value("return window.opener").await, Value::Null);
}
