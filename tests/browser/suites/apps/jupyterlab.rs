//! JupyterLab: kernels are started by POST with its `_xsrf` cookie, and speak over a websocket.

use thirtyfour::Key;
use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::stage::{Stage, Variant};
use vigile_browser_tests::visit::Visit;

const APP: Variant = Variant::Jupyterlab;

/// A notebook is made, and its kernel computes: before the end of the first token, beyond it, and over the
/// websocket that stands open when the session has ended.
pub(crate) fn runs_a_kernel(stage: &Stage) {
    stage.visit(&Settings::english(), APP, async |visit| {
        visit.open_frame("jules", "life=20").await;
        visit.click(NOTEBOOK).await;
        run(visit, "6*7").await;
        shows(visit, "42").await;
        visit.outlive(0).await;
        run(visit, "6*7*100").await;
        shows(visit, "4200").await;
        visit.end_in(5).await;
        visit.outlive(2).await;
        run(visit, "6*7*1000").await;
        shows(visit, "42000").await;
    });
}

const NOTEBOOK: &str = ".jp-LauncherCard[data-category=Notebook]";

async fn run(visit: &Visit, code: &str) {
    // Until its kernel is there, the notebook is drawn anew now and then.
    visit.until("return document.body.innerText.includes('| Idle')").await;
    visit.click(".jp-Notebook .jp-Cell.jp-mod-active .cm-content").await;
    let keys = visit.driver.action_chain().send_keys(code);
    let keys = keys.key_down(Key::Shift).send_keys(Key::Enter).key_up(Key::Shift);
    keys.perform().await.unwrap();
}

async fn shows(visit: &Visit, text: &str) {
    let outputs = "[...document.querySelectorAll('.jp-OutputArea-output')]";
    visit.until(&format!("return {outputs}.some(it => it.innerText.trim() === {text:?})")).await;
}
