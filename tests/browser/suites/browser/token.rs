//! Where the token goes, and what it is worth elsewhere.

use vigile_browser_tests::chromium::Settings;
use vigile_browser_tests::netlog::NetLog;
use vigile_browser_tests::stage::{MODULE, Stage, Variant};
use vigile_browser_tests::traces::holds;
use vigile_browser_tests::visit::Visit;

const SAMPLE: Variant = Variant::AsItStands;

/// The token is in one request, and in no other place that keeps anything.
pub(crate) fn is_nowhere(stage: &Stage) {
    let traces = stage.visit(&Settings::english(), SAMPLE, async |visit| {
        visit.open_module("tessa", "").await;
        visit.generate("where is it", 1).await;
        visit.caption("tessa: where is it").await;
        visit.image().await;
        let places = places_of_a_page(visit).await;
        let token = &stage.platform.tokens_of("tessa")[0];
        let own = r#"["https://stablediffusion.regispailler.fr/","https://iahome.fr/","","#;
        assert!(places.starts_with(own), "{places}");
        assert!(!places.contains(token.as_str()) && !places.contains("token="), "{places}");
    });
    let token = &stage.platform.tokens_of("tessa")[0];
    // What looks for it would find it.
    assert!(!traces.files_with("iahome.fr").is_empty());
    assert_eq!(traces.files_with(token), Vec::<std::path::PathBuf>::new());
    sent_in_one_request(token, &traces.net_log());
    unknown_behind_the_gate(stage, "tessa", token);
}

/// Wherever a page could find or keep it: address, referrer and cookies come first.
async fn places_of_a_page(visit: &Visit) -> String {
    let script = "return JSON.stringify([
        location.href, document.referrer, document.cookie, history.length,
        navigation.entries().map(entry => entry.url),
        performance.getEntries().map(entry => entry.name),
        Object.entries(localStorage), Object.entries(sessionStorage),
        document.documentElement.outerHTML])";
    visit.text(script).await
}

/// Of all header lines that left the browser, Referer among them, one address holds it, and the cookie.
fn sent_in_one_request(token: &str, log: &NetLog) {
    let (cookies, others): (Vec<&str>, Vec<&str>) = log
        .lines()
        .filter(|line| line.contains(token))
        .partition(|line| line.starts_with("cookie: __Host-vigile-p="));
    assert_eq!(others, [format!(":path: /.vigile/refresh?token={token}")]);
    assert!(cookies.len() > 50, "the cookie came along {} times", cookies.len());
    let to_module = log.to(MODULE).filter(|sent| sent.header("cookie").is_some());
    assert_eq!(to_module.count(), cookies.len(), "and to the module alone");
}

/// Neither the app nor a log has the token, its parameter or the cookie's name; they have all the rest.
fn unknown_behind_the_gate(stage: &Stage, user: &str, token: &str) {
    let app = stage.app(SAMPLE);
    let seen = app.recorder.heads_of(user);
    assert!(seen.len() > 50 && seen.iter().any(|head| head.headers.contains("referer: https://")));
    let lines = stage.logged(SAMPLE, user);
    assert!(
        lines
            .iter()
            .any(|line| line["reason"] == "refresh.done" && line["path"] == "/.vigile/refresh")
    );
    let envoy = stage.envoy(SAMPLE);
    assert!(!envoy.logged().is_empty());
    let named = [token, "token=", "__Host-vigile"];
    // A refusal's line says where a token would have been read, and it says it of other visitors too.
    let held = [token, "token=ey", "__Host-vigile=", "__Host-vigile-p="];
    for (place, text, words) in [
        ("the app", app.recorder.bytes(), &named[..]),
        ("what the app printed", app.served.printed().into_bytes(), &named),
        ("the access log", envoy.printed().into_bytes(), &named),
        ("Envoy's log", envoy.logged().into_bytes(), &held),
    ] {
        for word in words {
            let lines = text.split(|byte| *byte == b'\n');
            let found: Vec<_> = lines.filter(|line| holds(line, word.as_bytes())).collect();
            let found: Vec<_> = found.into_iter().map(String::from_utf8_lossy).collect();
            assert!(found.is_empty(), "{word} is in {place}: {found:?}");
        }
    }
}

/// A copied address is of no use in a tab, whether the browser has a session in the frame or not.
pub(crate) fn a_copied_address(stage: &Stage) {
    let token = stage.platform.mint("carl", 3600);
    let address = format!("https://{MODULE}/?token={token}");
    let traces = stage.visit(&Settings::english(), SAMPLE, async |visit| {
        visit.open(&address).await;
        let refused = "return document.body.dataset.reason === 'embed.top_level'";
        visit.until(refused).await;
        visit.open_module("carl", "").await;
        visit.new_tab().await;
        visit.open(&address).await;
        visit.until(refused).await;
        visit.open(&format!("https://{MODULE}/theme.css")).await;
        visit.until(refused).await;
    });
    let log = traces.net_log();
    let tabs: Vec<_> =
        log.to(MODULE).filter(|sent| sent.header("sec-fetch-dest") == Some("document")).collect();
    assert_eq!(tabs.len(), 3);
    assert!(tabs.iter().all(|sent| sent.header("cookie").is_none()), "{tabs:?}");
    assert!(log.to(MODULE).any(|sent| sent.header("cookie").is_some()), "the frame has one");
}
