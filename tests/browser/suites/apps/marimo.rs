//! marimo: results come over a websocket, and what a visitor does goes by POST.

use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::stage::{Stage, Variant};
use vigile_browser_tests::visit::Visit;

const APP: Variant = Variant::Marimo;

/// A button is pressed, and what depends on it is computed, before the end of the first token and beyond it.
pub(crate) fn computes(stage: &Stage) {
    stage.visit(&Settings::english(), APP, async |visit| {
        visit.open_frame("mona", "life=20").await;
        shows(visit, "turned 0, which makes 0").await;
        turn(visit).await;
        shows(visit, "turned 1, which makes 42").await;
        visit.outlive(0).await;
        turn(visit).await;
        shows(visit, "turned 2, which makes 84").await;
    });
}

/// Without a renewal the page stays, what is pressed changes nothing, and marimo says why.
pub(crate) fn an_ended_session(stage: &Stage) {
    stage.visit(&Settings::english(), APP, async |visit| {
        visit.open_frame("milo", "").await;
        shows(visit, "turned 0, which makes 0").await;
        visit.end_in(5).await;
        visit.outlive(1).await;
        turn(visit).await;
        shows(visit, "The session has ended. Open this service from the platform again").await;
        shows(visit, "turned 0, which makes 0").await;
    });
}

async fn turn(visit: &Visit) {
    let button = "document.querySelector('marimo-button')?.shadowRoot?.querySelector('button')";
    visit.until(&format!("const button = {button}; button?.click(); return button")).await;
}

async fn shows(visit: &Visit, text: &str) {
    visit.until(&format!("return document.body.innerText.includes({text:?})")).await;
}
