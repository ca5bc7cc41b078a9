//! Streamlit: a websocket, uploads with its `_xsrf` cookie, and downloads.

use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::stage::{Stage, Variant};
use vigile_browser_tests::visit::Visit;
use vigile_tests::policies::project;

const APP: Variant = Variant::Streamlit;

/// A button counts over the websocket, and a file goes up.
pub(crate) fn uploads(stage: &Stage) {
    stage.visit(&Settings::english(), APP, async |visit| {
        visit.open_frame("stella", "").await;
        turn(visit, "stella", 1).await;
        upload(visit).await;
        shows(visit, &size()).await;
    });
}

/// A file comes down whole, with the app's script that fetches it.
pub(crate) fn downloads(stage: &Stage) {
    stage.visit(&Settings::english(), APP, async |visit| {
        visit.open_frame("stan", "").await;
        turn(visit, "stan", 1).await;
        visit.until("return window.fetchesDownloads").await;
        visit.click("[data-testid=stDownloadButton] button").await;
        assert_eq!(visit.downloaded("lines.txt").await, b"line\n".repeat(20_000));
    });
}

/// Beyond the end of the first token the page is the same: its state is kept, and files go up.
pub(crate) fn a_renewed_session(stage: &Stage) {
    stage.visit(&Settings::english(), APP, async |visit| {
        visit.open_frame("simon", "life=20").await;
        turn(visit, "simon", 1).await;
        visit.outlive(0).await;
        turn(visit, "simon", 2).await;
        upload(visit).await;
        shows(visit, &size()).await;
    });
    assert_eq!(stage.platform.tokens_of("simon").len(), 2);
}

/// Without a renewal the open websocket goes on, and a file is refused.
pub(crate) fn an_ended_session(stage: &Stage) {
    stage.visit(&Settings::english(), APP, async |visit| {
        visit.open_frame("sara", "").await;
        turn(visit, "sara", 1).await;
        visit.end_in(5).await;
        visit.outlive(1).await;
        turn(visit, "sara", 2).await;
        upload(visit).await;
        shows(visit, "dynamically imported module").await;
    });
}

async fn turn(visit: &Visit, user: &str, turns: u32) {
    visit.click("[data-testid=stButton] button").await;
    shows(visit, &format!("{user}: turned {turns}")).await;
}

async fn upload(visit: &Visit) {
    let file = project().join("LICENSE-MIT").display().to_string();
    visit.element("input[type=file]").await.send_keys(file).await.unwrap();
}

fn size() -> String {
    let bytes = std::fs::read(project().join("LICENSE-MIT")).unwrap();
    format!("LICENSE-MIT: {} bytes", bytes.len())
}

async fn shows(visit: &Visit, text: &str) {
    visit.until(&format!("return document.body.innerText.includes({text:?})")).await;
}
