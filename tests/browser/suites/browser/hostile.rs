//! What another site can do to a visitor of the module: nothing.

use serde_json::{Value, json};
use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::frame::FRAME;
use vigile_browser_tests::stage::{MODULE, Stage, Variant};
use vigile_browser_tests::visit::Visit;

const SAMPLE: Variant = Variant::AsItStands;

/// Its frame shows the browser's own error page, with and without a good token.
pub(crate) fn cannot_frame_the_module(stage: &Stage) {
    let token = stage.platform.mint("mallory-frames", 3600);
    let traces = stage.visit(&Settings::english(), SAMPLE, async |visit| {
        for query in [String::new(), format!("?token={token}")] {
            visit.open(&format!("https://evil.example/frame.html{query}")).await;
            visit.until("return loads > 0").await;
            visit.enter("#module").await;
            let place = visit.text("return location.href").await;
            assert_eq!(place, "chrome-error://chromewebdata/");
            visit.leave().await;
        }
    });
    let refused = |line: &String| line.contains("frame-ancestors 'self' https://iahome.fr");
    assert_eq!(traces.breaches().iter().filter(|line| refused(line)).count(), 2);
    // The app's page came, was not shown, and so asked for nothing.
    let heads = stage.app(SAMPLE).recorder.heads_of("mallory-frames");
    let lines: Vec<&str> = heads.iter().map(|head| head.line.as_str()).collect();
    assert_eq!(lines, ["GET / HTTP/1.1"]);
}

/// Neither from a tab of its own nor from a frame within the platform's page, where the visitor's own
/// cookie lives.
pub(crate) fn cannot_plant_its_session(stage: &Stage) {
    let token = stage.platform.mint("mallory-plants", 3600);
    let plant = format!("https://evil.example/plant.html?frame=yes&token={token}");
    let traces = stage.visit(&Settings::english(), SAMPLE, async |visit| {
        visit.open_module("petra", "").await;
        visit.generate("before", 1).await;
        visit.caption("petra: before").await;
        let tab = visit.driver.window().await.unwrap();

        visit.new_tab().await;
        visit.open(&plant).await;
        attempts_failed(visit).await;
        visit.open(&format!("https://{MODULE}/?token={token}")).await;
        visit.until("return document.body.dataset.reason === 'embed.top_level'").await;

        visit.driver.switch_to_window(tab).await.unwrap();
        visit.add_advert(&plant).await;
        attempts_failed(visit).await;
        goes_on_as(visit, "petra").await;
    });
    let planted = |line: &Value| line["reason"] == "refresh.done";
    assert!(!stage.logged(SAMPLE, "mallory-plants").iter().any(planted));
    // Within the platform's page the visitor's cookie went along: it was the gate that refused.
    let log = traces.net_log();
    let beside = log.to(MODULE).filter(|sent| sent.path().contains(&token));
    assert!(beside.filter(|sent| sent.header("cookie").is_some()).count() >= 8);
}

/// The open frame is still this visitor's.
async fn goes_on_as(visit: &Visit, user: &str) {
    visit.enter(FRAME).await;
    visit.generate("after", 1).await;
    visit
        .until("return document.querySelector('#caption textarea').value.endsWith(': after')")
        .await;
    let caption = visit.text("return document.querySelector('#caption textarea').value").await;
    assert_eq!(caption, format!("{user}: after"));
}

/// What each attempt looked like to the hostile page: no answer that it could read.
async fn attempts_failed(visit: &Visit) {
    let outcome = visit.until("return globalThis.outcome").await;
    for (name, expected) in [
        ("refresh by cors", "TypeError"),
        ("refresh by no-cors", "opaque 0"),
        ("refresh by image", "error"),
        ("refresh by script", "error"),
        ("page by cors", "TypeError"),
        ("page by no-cors", "opaque 0"),
        ("page by image", "error"),
        ("refresh in a frame", "load"),
        ("page in a frame", "load"),
    ] {
        assert_eq!(outcome[name], expected, "{name}: {outcome}");
    }
}

/// A frame of another site in the platform's page can send itself to the module: the platform alone stands above it
/// then. The visitor goes on as himself.
pub(crate) fn cannot_send_itself_in(stage: &Stage) {
    let token = stage.platform.mint("mallory-sends", 3600);
    let traces = stage.visit(&Settings::english(), SAMPLE, async |visit| {
        visit.open_module("paola", "").await;
        visit.generate("before", 1).await;
        visit.caption("paola: before").await;
        visit.add_advert(&format!("https://evil.example/send.html?token={token}")).await;
        visit.until("return document.body?.dataset.reason === 'exchange.subject'").await;
        goes_on_as(visit, "paola").await;
    });
    // The visitor's cookie went along: it was the gate that refused.
    let log = traces.net_log();
    let sent = log.to(MODULE).filter(|sent| sent.path().contains(&token)).collect::<Vec<_>>();
    assert!(sent.iter().any(|sent| sent.header("cookie").is_some()), "{sent:?}");
}

/// A session that was planted where there was none does not stand in the way of the visitor's own, whether
/// the platform's script opens the frame or its attribute.
pub(crate) fn a_planted_session_gives_way(stage: &Stage) {
    let token = stage.platform.mint("mallory-first", 3600);
    for (user, how) in [("paul", "src=yes"), ("pia", "")] {
        let traces = stage.visit(&Settings::english(), SAMPLE, async |visit| {
            visit.open("https://iahome.fr/").await;
            visit
                .add_advert(&format!("https://evil.example/plant.html?frame=yes&token={token}"))
                .await;
            visit.until("return globalThis.outcome").await;
            visit.open_module(user, how).await;
            visit.generate("mine", 1).await;
            visit.caption(&format!("{user}: mine")).await;
        });
        let own = &stage.platform.tokens_of(user)[0];
        let log = traces.net_log();
        let opening = log.to(MODULE).find(|sent| sent.path().contains(own)).unwrap();
        let planted = opening.header("cookie").is_some_and(|cookie| cookie.ends_with(&token));
        assert!(planted, "there was one: {opening:?}");
    }
}

/// Forms and fetches of another site are refused even where the visitor's cookie goes along.
pub(crate) fn cannot_post_with_the_visitors_cookie(stage: &Stage) {
    let traces = stage.visit(&Settings::english(), SAMPLE, async |visit| {
        visit.open_module("yves", "").await;
        visit.add_advert("https://evil.example/post.html").await;
        let outcome = visit.until("return globalThis.outcome").await;
        assert_eq!(outcome, json!({ "fetch": "opaque" }));
        visit.new_tab().await;
        visit.open("https://evil.example/post.html").await;
        visit.until("return globalThis.outcome").await;
        visit.value("submit()").await;
        visit.until("return document.body.dataset.reason === 'embed.top_level'").await;
    });
    let log = traces.net_log();
    let posts: Vec<_> = log.to(MODULE).filter(|sent| sent.path().contains("?by=")).collect();
    let with_cookie = posts.iter().filter(|sent| sent.header("cookie").is_some()).count();
    assert_eq!((posts.len(), with_cookie), (4, 2), "{posts:?}");
    let refused = stage.logged(SAMPLE, "yves").into_iter();
    let refused =
        refused.filter(|line| line["method"] == "POST" && line["reason"] == "origin.foreign");
    assert_eq!(refused.count(), 2);
    assert!(!String::from_utf8_lossy(&stage.app(SAMPLE).recorder.bytes()).contains("?by="));
}
