//! How the page's script says that a module stands, where it is neither open nor refused.

use serde_json::json;
use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::frame::FRAME;
use vigile_browser_tests::stage::{Stage, Variant};
use vigile_browser_tests::visit::Visit;

use super::block_page::is_page;

/// The app is down: Envoy answers with a page of ours, the script says so, and the app opens by itself once it is up.
pub(crate) fn unreachable(stage: &Stage) {
    let english = ["en", "Not available right now", "Try again"];
    let french = ["fr", "Indisponible pour le moment", "Réessayer"];
    for (settings, words) in [(Settings::french(), french), (Settings::english(), english)] {
        stage.down.fall();
        let traces = stage.visit(&settings, Variant::Down, async |visit| {
            visit.resize(1000, 640, 1.0, false).await;
            visit.open("https://iahome.fr/?user=uma").await;
            visit.until("return seen.states.at(-1) === 'unreachable status.503'").await;
            visit.enter(FRAME).await;
            is_unavailable(visit, words).await;
            visit.leave().await;
            let name = if words[0] == "en" { "unreachable-frame" } else { "unreachable-frame-fr" };
            visit.picture(name).await;
            stage.down.rise();
            visit.until("return seen.states.at(-1) === 'open'").await;
            visit.enter(FRAME).await;
            visit.until("return globalThis.app !== undefined").await;
            assert_eq!(visit.value("return app.call()").await, 200);
            visit.leave().await;
            let states = json!(["opening", "unreachable status.503", "open"]);
            assert_eq!(visit.value("return seen.states").await, states);
            assert_eq!(visit.value("return seen.ends.length").await, 1, "one token was enough");
        });
        assert_eq!(traces.breaches(), Vec::<String>::new());
    }
}

/// That it is the page for 503, in one language, and that its style was allowed.
async fn is_unavailable(visit: &Visit, [language, title, button]: [&str; 3]) {
    let page = visit
        .value(
            "const { body, documentElement } = document;
             const text = (css) => document.querySelector(css).innerText.trim();
             return [documentElement.lang, body.dataset.status, text('h1'), text('button')]",
        )
        .await;
    assert_eq!(page, json!([language, "503", title, button]));
    let radius = "return getComputedStyle(document.querySelector('button')).borderRadius";
    assert_ne!(visit.text(radius).await, "0px", "the style is applied");
}

/// The browser keeps no cookie: the script tries both ways, and says what stands in the way.
pub(crate) fn blocked(stage: &Stage) {
    let settings = Settings { blocks_cookies: true, ..Settings::english() };
    let traces = stage.visit(&settings, Variant::Worker, async |visit| {
        visit.resize(1000, 640, 1.0, false).await;
        visit.open("https://iahome.fr/?user=bob").await;
        visit.until("return seen.refused.length").await;
        let states = json!(["opening", "blocked cookie.blocked"]);
        assert_eq!(visit.value("return seen.states").await, states);
        assert_eq!(visit.value("return seen.refused").await, json!(["cookie.blocked"]));
        assert_eq!(visit.value("return seen.ends.length").await, 1, "one token was enough");
        visit.enter(FRAME).await;
        is_page(visit, "en", "Protected access", "cookie.blocked").await;
        let advice = visit.text("return document.querySelector('main').innerText").await;
        assert!(advice.contains("Allow its cookies in the browser’s settings"), "{advice}");
        visit.leave().await;
        visit.picture("cookie-blocked-frame").await;
    });
    assert_eq!(traces.breaches(), Vec::<String>::new());
}

/// The page is on the internet and the module is not, and the browser keeps the one from the other: the script says so.
pub(crate) fn network(stage: &Stage) {
    let settings = Settings { local_network: Some(false), ..Settings::english() };
    stage.visit(&settings, Variant::Worker, async |visit| {
        visit.open("https://iahome.fr/?user=noel").await;
        visit.until("return seen.states.at(-1) === 'network module'").await;
        let states = json!(["opening", "unreachable module", "network module"]);
        assert_eq!(visit.value("return seen.states").await, states);
        assert_eq!(visit.value("return seen.ends.length").await, 1, "one token was enough");
    });
    assert!(stage.logged(Variant::Worker, "noel").is_empty(), "nothing came as far as the gate");
    // The same page opens it where the visitor allows that.
    let settings = Settings { local_network: Some(true), ..Settings::english() };
    stage.visit(&settings, Variant::Worker, async |visit| {
        visit.open("https://iahome.fr/?user=noemi").await;
        visit.until("return seen.states.at(-1) === 'open'").await;
        visit.enter(FRAME).await;
        visit.until("return globalThis.app !== undefined").await;
    });
}
