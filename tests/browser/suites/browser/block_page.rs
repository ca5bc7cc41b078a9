//! The block page, as a browser has it.

use serde_json::{Value, json};
use vigile_browser_tests::visit::Visit;

/// That it is this page, and that its style was allowed.
pub(crate) async fn is_page(visit: &Visit, language: &str, title: &str, reason: &str) {
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
pub(crate) async fn overflow(visit: &Visit) -> Value {
    visit
        .value(
            "const page = document.documentElement;
             return [page.scrollWidth - page.clientWidth, page.scrollHeight - page.clientHeight]",
        )
        .await
}

/// The link to the platform: its text, address, target and rel.
pub(crate) async fn link(visit: &Visit) -> [Option<String>; 4] {
    let link = visit.element("a").await;
    let attribute = async |name: &str| link.attr(name).await.unwrap();
    [
        link.text().await.ok(),
        attribute("href").await,
        attribute("target").await,
        attribute("rel").await,
    ]
}
