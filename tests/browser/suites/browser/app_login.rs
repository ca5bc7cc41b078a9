//! Gradio's own login in the platform's frame: its cookie is the app's, and one of another site there.

use serde_json::Value;
use thirtyfour::Key;
use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::netlog::NetLog;
use vigile_browser_tests::stage::{LOGIN, MODULE, Stage, Variant};
use vigile_browser_tests::visit::{Browser, Visit};

/// By the default of `embed` a login stays, and survives a reload.
pub(crate) fn stays_where_it_is_partitioned(stage: &Stage) {
    let traces = stage.visit(&Settings::english(), Variant::Login, async |visit| {
        visit.open_login("lena").await;
        log_in(visit, "not-the-password").await;
        visit.until("return document.body.innerText.includes('Incorrect Credentials')").await;
        log_in(visit, password()).await;
        for time in ["the first", "another"] {
            visit.until("return document.querySelector('#generate') !== null").await;
            visit.generate(time, 1).await;
            visit.caption(&format!("lena: {time}")).await;
            visit.value("setTimeout(() => location.reload()); window.old = true").await;
            visit.until("return !window.old").await;
        }
        visit.until("return document.querySelector('#generate') !== null").await;
        visit.leave().await;
        visit.picture("app-login").await;
    });
    if stage.browser == Browser::Chromium {
        assert!(sent(&traces.net_log()) > 20, "the app's cookie went along");
    }
}

/// With `app_cookies: untouched` it is the cookie that is lost: the login is good, and the page asks for it again.
pub(crate) fn is_lost_where_it_is_not(stage: &Stage) {
    let traces = stage.visit(&Settings::english(), Variant::LoginUntouched, async |visit| {
        visit.open_login("luca").await;
        visit.value("window.old = true").await;
        log_in(visit, password()).await;
        visit.until("return !window.old").await;
        visit.until("return document.querySelector('input[type=password]') !== null").await;
        assert_eq!(visit.value("return document.querySelector('#generate')").await, Value::Null);
    });
    let log = traces.net_log();
    assert!(log.to(MODULE).any(|sent| sent.path() == "/login"));
    assert_eq!(sent(&log), 0, "the app's cookie went along");
}

fn password() -> &'static str {
    LOGIN.split_once(':').unwrap().1
}

async fn log_in(visit: &Visit, password: &str) {
    visit.fill("textarea, input[type=text]", LOGIN.split_once(':').unwrap().0).await;
    visit.fill("input[type=password]", password).await;
    visit.element("input[type=password]").await.send_keys(Key::Enter + "").await.unwrap();
}

/// How many requests had the app's cookie.
fn sent(log: &NetLog) -> usize {
    let cookies = log.to(MODULE).filter_map(|sent| sent.header("cookie"));
    cookies.filter(|cookies| cookies.contains("access-token-")).count()
}
