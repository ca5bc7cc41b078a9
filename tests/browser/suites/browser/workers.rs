//! An app with a service worker in the platform's frame. Workers outlive the session, and send the next opening's
//! navigation once more, answer it, or have the browser send it ahead.

use serde_json::{Value, json};
use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::frame::FRAME;
use vigile_browser_tests::netlog::Sent;
use vigile_browser_tests::stage::{MODULE, Stage, Variant};
use vigile_browser_tests::traces::{Traces, holds};
use vigile_browser_tests::visit::{Browser, Visit};

/// A worker and the visitor who has it.
struct Case {
    kind: &'static str,
    user: &'static str,
    /// Whether the page's script puts the token into the frame's address.
    by_address: bool,
}

/// The worker answers with `fetch(event.request)`.
pub(crate) fn pass_through(stage: &Stage) {
    let case = Case { kind: "pass-through", user: "wanda", by_address: false };
    let traces = three_openings(stage, &case);
    if stage.browser == Browser::Chromium {
        let navigations = navigations(&traces, "empty");
        assert_eq!(navigations, ["/", "/"], "the worker sent the later openings");
    }
    let heads = stage.worker().heads_of(case.user);
    assert_eq!(heads.iter().filter(|head| head.line.starts_with("GET / ")).count(), 3);
}

/// The same worker sends the token's address once more, and what comes of it is the redirect that cuts the token.
pub(crate) fn pass_through_by_address(stage: &Stage) {
    let case = Case { kind: "pass-through", user: "wilma", by_address: true };
    let traces = three_openings(stage, &case);
    let sent = navigations(&traces, "empty");
    let with_token = sent.iter().filter(|path| path.starts_with("/?token=")).count();
    assert_eq!(with_token, 2, "the worker sent the later openings: {sent:?}");
    let lines = stage.logged(Variant::Worker, case.user);
    let exchanged = lines.iter().filter(|line| line["reason"] == "exchange.done");
    assert_eq!(exchanged.count(), 3, "{lines:?}");
}

/// The worker answers from its shell, with whatever query: no navigation comes as far as the gate.
pub(crate) fn cache_first(stage: &Stage) {
    let case = Case { kind: "cache-first", user: "cleo", by_address: false };
    let traces = three_openings(stage, &case);
    if stage.browser == Browser::Chromium {
        let asked = navigations(&traces, "iframe");
        assert_eq!(asked, ["/"], "the first opening alone was asked for");
        assert_eq!(navigations(&traces, "empty"), Vec::<String>::new());
    }
}

/// The browser asks for the page while the worker starts.
pub(crate) fn navigation_preload(stage: &Stage) {
    let case = Case { kind: "preload", user: "willy", by_address: false };
    three_openings(stage, &case);
    let heads = stage.worker().heads_of(case.user);
    let ahead = |headers: &str| headers.contains("service-worker-navigation-preload: true\r\n");
    let ahead = heads.iter().filter(|head| ahead(&head.headers));
    assert_eq!(ahead.count(), 2, "the later openings were asked for ahead");
}

/// Opens, lets the session end, opens again with a new token, and once more.
fn three_openings(stage: &Stage, case: &Case) -> Traces {
    let Case { kind, user, by_address } = case;
    let option = if *by_address { "&by-address" } else { "" };
    let traces = stage.visit(&Settings::english(), Variant::Worker, async |visit| {
        for opening in 1..=3 {
            visit.open(&format!("https://iahome.fr/?user={user}{option}")).await;
            visit.enter(FRAME).await;
            visit.until("return location.href !== 'about:blank' && globalThis.app").await;
            if opening == 1 {
                finished(visit, &format!("app.install('{kind}')")).await;
            } else {
                through_the_worker(visit).await;
            }
            assert_eq!(finished(visit, "app.call()").await, 200, "opening {opening}");
            has_no_token(visit, *by_address).await;
            visit.leave().await;
            visit.until("return seen.states.at(-1) === 'open'").await;
            assert_eq!(visit.refusals().await, json!([]), "opening {opening}");
            visit.end_in(3).await;
            visit.outlive(1).await;
            assert_eq!(finished(visit, "app.call()").await, 401, "the session has ended");
        }
    });
    let heard = stage.worker().bytes();
    for token in stage.platform.tokens_of(user) {
        assert!(!holds(&heard, token.as_bytes()), "the app was sent a token");
    }
    assert_eq!(traces.breaches(), Vec::<String>::new());
    traces
}

/// That the worker of the opening before has seen this page's navigation.
async fn through_the_worker(visit: &Visit) {
    assert_eq!(visit.value("return navigator.serviceWorker.controller !== null").await, true);
    let seen = finished(visit, "app.seen()").await;
    assert!(seen.as_array().unwrap().iter().any(|one| one["mode"] == "navigate"), "{seen}");
}

/// That neither the page's address nor its history has a token, nor what the app's worker saw. A navigation by the
/// token's address is the worker's to see: what comes of it is not.
async fn has_no_token(visit: &Visit, by_address: bool) {
    let page = "return JSON.stringify([location.href, document.referrer, navigation.entries().map(({ url }) => url)])";
    let page = visit.text(page).await;
    assert!(page.starts_with(&format!("[\"https://{MODULE}/\",")), "{page}");
    let seen = finished(visit, "app.seen()").await;
    let seen: Vec<&Value> = seen.as_array().unwrap().iter().collect();
    let of_the_app = seen.into_iter().filter(|one| !by_address || one["mode"] != "navigate");
    let seen = format!("{page} {:?}", of_the_app.collect::<Vec<_>>());
    assert!(!seen.contains("token="), "{seen}");
}

/// What a promise of the page comes to.
async fn finished(visit: &Visit, promise: &str) -> Value {
    visit.value(&format!("return {promise}")).await
}

/// The paths of the navigations that left the browser for this destination.
fn navigations(traces: &Traces, destination: &str) -> Vec<String> {
    let log = traces.net_log();
    let is = |sent: &&Sent| {
        sent.header("sec-fetch-mode") == Some("navigate")
            && sent.header("sec-fetch-dest") == Some(destination)
    };
    log.to(MODULE).filter(is).map(|sent| sent.path().to_owned()).collect()
}
